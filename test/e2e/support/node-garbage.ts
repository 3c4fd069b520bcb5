/** Bytes that nobody who speaks the protocol would send, to every port the product has. Repeatable by their seed. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Random } from '../../server/transport/support/random.ts';
import { dialWebSocket } from './node-carrier.ts';

/** What a port's own packets begin with, so that some of the noise gets past the first look. */
export type Shape = 'quic' | 'wireguard';

/** Sends datagrams of all lengths; half of them are shaped like the port's own. */
export async function garbageDatagrams(port: number, shape: Shape, random: Random, count: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  // A connected socket hears when nobody listens: then nothing would have been shown.
  const unheard = once(socket, 'error').then(([error]) => Promise.reject(error));
  unheard.catch(() => undefined);
  try {
    for (let i = 0; i < count; i++) {
      const bytes = random.bytes(random.below(1_400));
      if (i % 2 === 0) dress(bytes, shape, random);
      await Promise.race([unheard, sent(socket, bytes)]);
      // The kernel drops what a busy receiver does not take; this leaves it time.
      if (i % 32 === 0) await turn();
    }
  } finally {
    socket.close();
  }
}

function sent(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => socket.send(bytes, (error) => (error === null ? resolve() : reject(error))));
}

function dress(bytes: Uint8Array, shape: Shape, random: Random): void {
  if (bytes.length < 32) return;
  // RFC 9000 section 17.2: long header, version 1, connection ids of 8 bytes; or WireGuard's type and three zeros.
  if (shape === 'quic') bytes.set([0xc0 | random.below(64), 0, 0, 0, 1, 8]);
  else bytes.set([1 + random.below(4), 0, 0, 0]);
}

const heads = [
  'GET / HTTP/1.1\r\nHost: hub.localhost\r\nContent-Length: -1\r\n\r\n',
  'GET http://elsewhere.example/ HTTP/1.1\r\nHost: hub.localhost\r\n\r\n',
  'POST /api/enrol/begin HTTP/1.1\r\nHost: hub.localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /',
  'GET /tunnel HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: short\r\nSec-WebSocket-Version: 1\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET /tunnel\u0000 HTTP/1.1\r\n\r\n',
  `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(4_000)}\r\n`,
];

/** Connections that say something else than HTTP, or HTTP that could mean two things. Resolves when all were ended. */
export async function garbageConnections(port: number, random: Random, count: number): Promise<void> {
  const noise = Array.from({ length: count }, () => Buffer.from(random.bytes(1 + random.below(4_000))));
  await Promise.all([...heads.map((head) => Buffer.from(head, 'latin1')), ...noise].map((bytes) => say(port, bytes)));
}

async function say(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  // Whatever the answer is, we are done then; and where there is none, so are we.
  socket.end(bytes);
  await once(socket, 'close');
}

/** Tunnels that are opened as they should be and then filled with noise. Resolves when the gateway has closed all. */
export async function garbageTunnels(port: number, random: Random, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const webSocket = await dialWebSocket(port);
      webSocket.on('error', () => undefined);
      const closed = once(webSocket, 'close');
      if (i % 4 === 0) webSocket.send('text where bytes belong');
      const bytes = Buffer.from(random.bytes(random.below(20_000)));
      // A third is for the control stream and says it is a handshake frame.
      if (i % 3 === 0 && bytes.length > 12) {
        bytes.fill(0, 0, 8);
        bytes[8] = 1 + random.below(6);
        bytes.writeUIntBE(bytes.length - 12, 9, 3);
      }
      webSocket.send(bytes);
      webSocket.send(new Uint8Array(0));
      await closed;
    }),
  );
}
