/**
 * WebSocket, for where UDP does not get through. The HTTP server that owns the port hands its upgrade requests here; we
 * check path and origin ourselves, because a browser lets any page open a WebSocket to anywhere.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { MessageCarrier } from '../../protocol/message-carrier.ts';
import { transportLimits } from './limits.ts';
import { type CarrierSource, newCounters, type OnCarrier, tunnelPath } from './session.ts';
import { SocketOfMessages } from './websocket-socket.ts';

export interface WebSocketOptions {
  /** Origins that may open a tunnel, compared byte for byte. */
  readonly origins: readonly string[];
  /** The far end of an upgrade request, where it is not the connection's own. */
  readonly addressOf?: (request: IncomingMessage) => string;
}

export class WebSocketTransport implements CarrierSource {
  readonly counters = newCounters();
  onCarrier: OnCarrier | undefined;
  readonly #options: WebSocketOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Records are ciphertext: compressing them is work for nothing, and a side channel where it is not.
    perMessageDeflate: false,
    maxPayload: transportLimits.messageBytes,
  });
  readonly #sockets = new Set<WebSocket>();
  #closing = false;

  constructor(options: WebSocketOptions) {
    this.#options = options;
  }

  /** An upgrade request to /tunnel, with what was read behind it. Always answers: by 101, or by a status and the end. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const status = this.#judge(request);
    if (status !== undefined) this.#refuse(socket, status);
    else this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#opened(webSocket, request));
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#sockets].map(closeSoon));
  }

  #judge(request: IncomingMessage): string | undefined {
    if (request.url !== tunnelPath) return '404 Not Found';
    if (!this.#options.origins.includes(request.headers.origin ?? '')) return '403 Forbidden';
    const full = this.#sockets.size >= transportLimits.connections;
    if (full || this.#closing || this.onCarrier === undefined) return '503 Service Unavailable';
    return undefined;
  }

  #refuse(socket: Duplex, status: string): void {
    this.counters.refused += 1;
    refuseUpgrade(socket, status);
  }

  #opened(webSocket: WebSocket, request: IncomingMessage): void {
    this.counters.accepted += 1;
    this.#sockets.add(webSocket);
    const carrier = this.#carrier(webSocket);
    webSocket.on('message', (data, isBinary) => {
      // ws gives one Buffer a message in its default mode.
      if (isBinary) carrier.message(data as Buffer);
      else this.#notOurs(webSocket);
    });
    // Too large, not masked, not UTF-8, reset: ws closes the socket itself and "close" follows.
    webSocket.on('error', () => {
      this.counters.malformed += 1;
    });
    webSocket.on('close', () => {
      this.#sockets.delete(webSocket);
      carrier.lost();
    });
    const address = this.#options.addressOf?.(request) ?? request.socket.remoteAddress ?? '';
    this.onCarrier?.(carrier, { address, origin: request.headers.origin, transport: 'websocket' });
  }

  #carrier(webSocket: WebSocket): MessageCarrier {
    return new MessageCarrier({
      socket: new SocketOfMessages(webSocket),
      peer: 'client',
      bufferedBytes: transportLimits.webSocketBufferedBytes,
      pauseAboveBytes: transportLimits.webSocketQueuedBytes,
      // What the kernel had already handed over when the pause came is a few reads of 64 KiB.
      refuseAboveBytes: 4 * transportLimits.webSocketQueuedBytes,
      channels: transportLimits.webSocketChannels,
      onMalformed: () => {
        this.counters.malformed += 1;
      },
    });
  }

  #notOurs(webSocket: WebSocket): void {
    this.counters.malformed += 1;
    webSocket.close(1003);
  }
}

/** Answers an upgrade request by a status. The client has a moment to read it; then the socket is gone. */
export function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => undefined);
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  setTimeout(() => socket.destroy(), transportLimits.closeLingerMs).unref();
}

/** Closes politely, and soon. */
function closeSoon(webSocket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (webSocket.readyState === WebSocket.CLOSED) return resolve();
    const timer = setTimeout(() => webSocket.terminate(), transportLimits.closeLingerMs);
    webSocket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    webSocket.close(1001);
  });
}
