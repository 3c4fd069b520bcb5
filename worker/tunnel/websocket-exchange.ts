/** One WebSocket of a page: the shim's messages on one side, a tunnel stream on the other. */
import { encodeRequestHead, ResponseHeadReader } from '../../protocol/exchange/http.ts';
import {
  decodeClose,
  encodeCloseMessage,
  encodeWebSocketMessage,
  opcode,
  type WebSocketMessage,
  WebSocketMessageReader,
} from '../../protocol/exchange/websocket.ts';
import type { Stream } from '../../protocol/stream.ts';
import type { WebSocketFromTunnel, WebSocketToTunnel } from '../app-messages.ts';
import type { TunnelUse } from './tunnel-use.ts';

const abnormal = 1006;
const noStatus = 1005;

export class WebSocketExchange {
  readonly #port: MessagePort;
  readonly #use: TunnelUse;
  #stream: Stream | undefined;
  #ended = false;

  constructor(port: MessagePort, use: TunnelUse) {
    this.#port = port;
    this.#use = use;
  }

  take(message: WebSocketToTunnel): void {
    switch (message.t) {
      case 'connect':
        this.#run(message.target, message.protocols).catch(() => this.#end(abnormal, '', false));
        break;
      case 'send':
        this.#send(message.data).catch(() => this.#end(abnormal, '', false));
        break;
      case 'close':
        this.#close(message.code, message.reason).catch(() => this.#end(abnormal, '', false));
        break;
      default:
        message satisfies never;
    }
  }

  async #run(target: string, protocols: readonly string[]): Promise<void> {
    const stream = await this.#use.open('websocket');
    this.#stream = stream;
    if (this.#ended) return stream.reset('cancelled');
    const headers: [string, string][] = [['origin', this.#use.origin]];
    if (protocols.length > 0) headers.push(['sec-websocket-protocol', protocols.join(', ')]);
    await stream.write(encodeRequestHead({ method: 'GET', target, headers: [...this.#use.hidden, ...headers] }));
    await this.#receive(stream);
  }

  async #receive(stream: Stream): Promise<void> {
    const head = new ResponseHeadReader();
    const messages = new WebSocketMessageReader();
    let opened = false;
    for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
      let bytes: Uint8Array | undefined = chunk;
      if (!opened) {
        bytes = head.push(chunk);
        if (bytes === undefined) continue;
        if (head.head.status !== 101) return this.#end(abnormal, '', false);
        opened = true;
        const protocol = head.head.headers.find(([name]) => name === 'sec-websocket-protocol')?.[1] ?? '';
        this.#say({ t: 'open', protocol });
      }
      messages.push(bytes);
      for (let message = messages.next(); message !== undefined; message = messages.next()) this.#deliver(message);
    }
    this.#end(abnormal, '', false);
  }

  #deliver(message: WebSocketMessage): void {
    const { payload } = message;
    if (message.opcode === opcode.text) this.#say({ t: 'message', data: new TextDecoder().decode(payload) });
    else if (message.opcode === opcode.binary) {
      const data = Uint8Array.from(payload).buffer;
      this.#say({ t: 'message', data }, [data]);
    } else if (message.opcode === opcode.close) {
      const { code = noStatus, reason } = decodeClose(payload);
      this.#end(code, reason, true);
    }
  }

  async #send(data: string | ArrayBuffer): Promise<void> {
    const isText = typeof data === 'string';
    const payload = isText ? new TextEncoder().encode(data) : new Uint8Array(data);
    await this.#stream?.write(encodeWebSocketMessage(isText ? opcode.text : opcode.binary, payload));
    this.#say({ t: 'sent', bytes: payload.length });
  }

  async #close(code: number | undefined, reason: string): Promise<void> {
    if (this.#stream === undefined) return this.#end(abnormal, '', false);
    await this.#stream.write(encodeCloseMessage({ code, reason }));
  }

  #end(code: number, reason: string, clean: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#say({ t: 'closed', code, reason, clean });
    this.#stream?.reset('cancelled');
  }

  #say(message: WebSocketFromTunnel, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}
