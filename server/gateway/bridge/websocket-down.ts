/**
 * Messages from the service to the client, one after the other at the client's pace: while one is being written the
 * connection to the service is not read. A close is passed with its code; a connection that just breaks is an error.
 */

import type { WebSocket } from 'ws';
import {
  encodeCloseMessage,
  encodeWebSocketMessage,
  encodeWebSocketMessageHeader,
  type Opcode,
  opcode,
} from '../../../protocol/exchange/websocket.ts';
import { BridgeError, type TunnelStream } from './tunnel-stream.ts';

const wholeBelowBytes = 8 * 1024;

export class MessagesDown {
  readonly #webSocket: WebSocket;
  readonly #stream: TunnelStream;
  readonly #over = Promise.withResolvers<void>();
  #writing: Promise<void> = Promise.resolve();
  #waiting = 0;
  #bytes = 0;
  #started = Promise.withResolvers<void>();

  /** Listens at once, because messages may come right behind the upgrade. */
  constructor(webSocket: WebSocket, stream: TunnelStream) {
    this.#webSocket = webSocket;
    this.#stream = stream;
    this.#over.promise.catch(() => undefined);
    webSocket.on('message', (data, isBinary) => this.#message(data as Buffer, isBinary));
    webSocket.on('close', (code, reason) => this.#closed(code, reason));
    // "close" follows; a listener must be there all the same.
    webSocket.on('error', () => undefined);
  }

  /** Runs until the service has closed and everything was written. @returns payload bytes. */
  async run(): Promise<number> {
    this.#started.resolve();
    await this.#over.promise;
    return this.#bytes;
  }

  #message(data: Buffer, isBinary: boolean): void {
    this.#waiting += 1;
    this.#webSocket.pause();
    this.#bytes += data.length;
    this.#inTurn(async () => {
      await this.#write(isBinary ? opcode.binary : opcode.text, data);
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#webSocket.resume();
    });
  }

  /** A small message is one record, header and all. */
  async #write(code: Opcode, data: Buffer): Promise<void> {
    if (data.length <= wholeBelowBytes) return this.#stream.write(encodeWebSocketMessage(code, data));
    await this.#stream.write(encodeWebSocketMessageHeader(code, data.length));
    await this.#stream.write(data);
  }

  #closed(code: number, reason: Buffer): void {
    this.#inTurn(async () => {
      // 1006 is the library's word for a connection that ended without a close frame.
      if (code === 1006) throw new BridgeError('upstream_failed');
      const close = { code: code === 1005 ? undefined : code, reason: reason.toString('utf8') };
      await this.#stream.write(encodeCloseMessage(close));
      await this.#stream.finish();
      this.#over.resolve();
    });
  }

  #inTurn(run: () => Promise<void>): void {
    this.#writing = this.#writing.then(() => this.#started.promise).then(run);
    this.#writing.catch((error: unknown) => {
      this.#over.reject(error);
      this.#webSocket.terminate();
    });
  }
}
