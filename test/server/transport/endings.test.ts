/** That the end of a direction reaches the peer: quiche 0.18 forgets a stream whose data is acknowledged before its FIN has left. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import quiche from '@matrixai/quic/native/quiche.js';
import type { Connection } from '@matrixai/quic/native/types.js';
import { makeCertificate } from '../../../server/transport/certificate.ts';
import { clientConfig, serverConfig } from '../../../server/transport/quiche/quic-config.ts';
import { QuicConnection } from '../../../server/transport/quiche/quic-connection.ts';
import type { QuicStream } from '../../../server/transport/quiche/quic-stream.ts';

const client = { host: '127.0.0.1', port: 1 };
const server = { host: '127.0.0.1', port: 2 };
const bytes = new Uint8Array(100);

test('BR-6: a direction that ends while its last data is being acknowledged ends at the peer too', {
  timeout: 60_000,
}, async (t) => {
  const pair = await connectedPair();
  t.after(pair.close);
  const asking = pair.client.open('bidi', bytes);
  asking.finish();
  const answering = await pair.accepted;
  assert.equal(await readToEnd(answering), bytes.length);

  // The answer arrives and its acknowledgement is on its way when the server says that this was all.
  await answering.write(bytes);
  pair.holdForServer();
  assert.equal((await asking.read())?.length, bytes.length);
  await turn();
  answering.finish();
  pair.deliverHeld();

  assert.equal(await asking.read(), null);
});

test('a stream of the peer alone has nothing of ours to end, and is not asked for it again and again', async (t) => {
  const pair = await connectedPair();
  t.after(pair.close);
  const sent = pair.client.open('uni', bytes);
  const got = await pair.accepted;
  assert.equal((await got.read())?.length, bytes.length);
  sent.finish();
  assert.equal(await got.read(), null);
  for (let pings = 0; pings < 5; pings += 1) {
    pair.client.native.sendAckEliciting();
    pair.client.flush();
    await turn();
  }
  assert.equal(pair.asksForRoom(), 0);
});

async function readToEnd(stream: QuicStream): Promise<number> {
  let length = 0;
  for (let some = await stream.read(); some !== null; some = await stream.read()) length += some.length;
  return length;
}

/** Two ends in this process, datagrams handed over by call; those for the server can be held back. */
async function connectedPair() {
  const certificate = await makeCertificate(Date.now());
  const [serverId, clientId] = [randomBytes(8), randomBytes(8)];
  const accept = quiche.Connection.accept(serverId, null, server, client, serverConfig(certificate));
  const connect = quiche.Connection.connect('127.0.0.1', clientId, client, server, clientConfig());
  let held: Uint8Array[] | undefined;
  const toServer = (packet: Uint8Array): void => {
    if (held === undefined) atServer.receive(packet, client);
    else held.push(packet);
  };
  const established = Promise.withResolvers<void>();
  const accepted = Promise.withResolvers<QuicStream>();
  let asked = 0;
  const streamCapacity = accept.streamCapacity.bind(accept);
  accept.streamCapacity = (id) => {
    asked += 1;
    return streamCapacity(id);
  };
  const atServer: QuicConnection = end(accept, 'server', (packet) => atClient.receive(packet, server));
  const atClient = end(connect, 'client', toServer);
  atServer.events = eventsOf({ onStream: accepted.resolve });
  atClient.events = eventsOf({ onEstablished: established.resolve });
  atClient.flushSoon();
  await established.promise;
  return {
    client: atClient,
    server: atServer,
    accepted: accepted.promise,
    asksForRoom: () => asked,
    close: () => {
      atClient.close(0);
      atServer.close(0);
    },
    holdForServer: () => {
      held = [];
    },
    deliverHeld: () => {
      const packets = held ?? [];
      held = undefined;
      assert.ok(packets.length > 0, 'no acknowledgement was held');
      for (const packet of packets) atServer.receive(packet, client);
    },
  };
}

function end(native: Connection, role: 'client' | 'server', send: (packet: Uint8Array) => void): QuicConnection {
  const [local, peer] = role === 'client' ? [client, server] : [server, client];
  return new QuicConnection({ native, local, peer, role, send: (packet) => send(Uint8Array.from(packet)) });
}

function eventsOf(some: Partial<NonNullable<QuicConnection['events']>>): NonNullable<QuicConnection['events']> {
  const ignore = () => undefined;
  return { onEstablished: ignore, onStream: ignore, onDatagram: ignore, onClosed: ignore, ...some };
}
