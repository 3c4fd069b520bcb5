/** The client's end of the WebSocket tunnel in Node, and a tap on any carrier that sees, changes or holds back frames. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Carrier, Channel } from '../../../protocol/carrier.ts';
import { MessageCarrier } from '../../../protocol/message-carrier.ts';
import { SocketOfMessages } from '../../../server/transport/websocket-socket.ts';

export interface DialOptions {
  readonly origin?: string;
  readonly path?: string;
  readonly host?: string;
}

/** As long as a tab waits for one attempt (worker/tunnel/session-keeper.ts). */
const openLimitMs = 15_000;

/** A refusal before there is a WebSocket. */
export class DialRefused extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`the upgrade was refused with ${status}`);
    this.name = 'DialRefused';
    this.status = status;
  }
}

/** @throws DialRefused */
export async function dialWebSocket(port: number, options: DialOptions = {}): Promise<WebSocket> {
  const { webSocket, opened } = begin(port, options);
  await opened;
  return webSocket;
}

/** The same with channels over it, which miss nothing that comes in one breath with the upgrade. @throws DialRefused */
export async function dialCarrier(
  port: number,
  options: DialOptions = {},
): Promise<{ webSocket: WebSocket; carrier: Carrier }> {
  const { webSocket, opened } = begin(port, options);
  const carrier = carry(webSocket);
  await opened;
  return { webSocket, carrier };
}

function begin(port: number, options: DialOptions): { webSocket: WebSocket; opened: Promise<unknown> } {
  const shell = `shell.apps.localhost:${port}`;
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}${options.path ?? '/tunnel'}`, {
    origin: options.origin ?? `http://${shell}`,
    headers: { host: options.host ?? shell },
    handshakeTimeout: openLimitMs,
  });
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => undefined);
  webSocket.on('unexpected-response', (_request, response) => {
    refused.reject(new DialRefused(response.statusCode ?? 0));
    webSocket.terminate();
  });
  return { webSocket, opened: Promise.race([once(webSocket, 'open'), refused.promise]) };
}

/** Channels over an open WebSocket, as the gateway's own carrier has them. */
export function carry(webSocket: WebSocket): Carrier {
  const carrier = new MessageCarrier({
    socket: new SocketOfMessages(webSocket),
    peer: 'gateway',
    bufferedBytes: 256 * 1024,
    pauseAboveBytes: 1 << 20,
    refuseAboveBytes: 8 << 20,
    channels: 1_024,
    onMalformed: () => undefined,
  });
  webSocket.on('message', (data) => carrier.message(data as Buffer));
  webSocket.on('close', () => carrier.lost());
  webSocket.on('error', () => undefined);
  return carrier;
}

/** One frame as it stood on the wire. */
export interface Frame {
  readonly from: 'client' | 'gateway';
  readonly streamId: bigint;
  readonly bytes: Uint8Array;
}

/** Sees each frame in the order of its stream; what it returns goes on in its place. */
export type Tap = (frame: Frame) => Uint8Array;

export function tapped(carrier: Carrier, tap: Tap): Carrier {
  return {
    transport: carrier.transport,
    open: (streamId) => tappedChannel(carrier.open(streamId), tap),
    accept: async () => {
      const channel = await carrier.accept();
      return channel && tappedChannel(channel, tap);
    },
    close: () => carrier.close(),
    closed: carrier.closed,
  };
}

function tappedChannel(channel: Channel, tap: Tap): Channel {
  const { streamId } = channel;
  return {
    streamId,
    send: (frame) => channel.send(tap({ from: 'client', streamId, bytes: frame.slice() })),
    receive: async () => {
      const frame = await channel.receive();
      return frame && tap({ from: 'gateway', streamId, bytes: frame.slice() });
    },
    finish: () => channel.finish(),
    abort: () => channel.abort(),
  };
}
