/** QHX-4 for the outer transport: whoever sends early data gets a full handshake, and what came early counts for nothing. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { makeCertificate } from '../../../server/transport/certificate.ts';
import { serverConfig } from '../../../server/transport/quiche/quic-config.ts';
import type { QuicConnection } from '../../../server/transport/quiche/quic-connection.ts';
import { QuicEndpoint } from '../../../server/transport/quiche/quic-endpoint.ts';
import { readVarint, varintLength } from '../../../server/transport/quiche/varint.ts';
import { echoCarrier } from './support/echo.ts';
import { origin, quinn, startQuiche, startQuinn, ticketPath } from './support/engines.ts';
import { connectFields, connectQuic, H3Client } from './support/h3-client.ts';

it('QHX-4: a TLS session from a server that allows early data opens nothing early here', async () => {
  const resume = await ticketFromLaxServer();
  let carriers = 0;
  const server = await startQuiche((carrier) => {
    carriers += 1;
    void echoCarrier(carrier);
  });
  const types: number[] = [];
  const client = await H3Client.dial(server.port, {
    earlyData: true,
    resume,
    onSend: (packet) => types.push(...packetTypes(packet)),
  });
  // Written before the handshake has begun: quiche sends it as early data.
  client.openControl();
  const request = client.request(connectFields(origin));
  await client.established;
  assert.ok(types.includes(zeroRtt), 'the client sent no early data, so nothing was shown');
  assert.equal(client.connection.native.isResumed(), false);
  assert.equal(client.connection.native.isInEarlyData(), false);
  assert.equal(carriers, 0);
  // The client repeats its request inside the handshake's keys, and that is served.
  assert.equal((await request).status, '200');
  assert.equal(carriers, 1);
  await client.close();
  await server.stop();
});

it('QHX-4: quinn takes no early data either, whatever the server before allowed', {
  skip: 'missing' in quinn ? quinn.missing : false,
}, async () => {
  const resume = await ticketFromLaxServer();
  const server = await startQuinn((carrier) => void echoCarrier(carrier));
  const client = await H3Client.dial(server.port, { earlyData: true, resume });
  client.openControl();
  const request = client.request(connectFields(origin, ticketPath(server.transport)));
  await client.established;
  assert.equal(client.connection.native.isInEarlyData(), false);
  assert.equal(client.connection.native.isResumed(), false);
  assert.equal((await request).status, '200');
  // quinn says yes to the client before it says so to us.
  while (server.transport.counters.accepted === 0) await turn();
  const own = client.connection.native.session();
  await client.close();
  if (own !== null) {
    const types: number[] = [];
    const onSend = (packet: Uint8Array) => types.push(...packetTypes(packet));
    const again = await H3Client.dial(server.port, { earlyData: true, resume: own, onSend });
    again.openControl();
    await again.established;
    assert.ok(!types.includes(zeroRtt), 'its own ticket invites early data');
    await again.close();
  }
  await server.stop();
});

it('QHX-4: a ticket of ours resumes nothing', async () => {
  const server = await startQuiche((carrier) => void echoCarrier(carrier));
  const first = await connectQuic(server.port, origin, { earlyData: true });
  const resume = await sessionOf(first.client);
  first.close();
  const types: number[] = [];
  const options = { earlyData: true, resume, onSend: (packet: Uint8Array) => types.push(...packetTypes(packet)) };
  const second = await connectQuic(server.port, origin, options);
  assert.equal(second.client.connection.native.isResumed(), false);
  assert.ok(!types.includes(zeroRtt), 'our ticket invites early data');
  second.close();
  await server.stop();
});

/** A session a client would get from a server that is not ours. */
async function ticketFromLaxServer(): Promise<Uint8Array> {
  const certificate = await makeCertificate(Date.now());
  const endpoint = new QuicEndpoint({
    config: () => {
      const config = serverConfig(certificate);
      config.enableEarlyData();
      return config;
    },
    onConnection: (connection: QuicConnection) => {
      connection.events = {
        onEstablished: () => undefined,
        onStream: () => undefined,
        onDatagram: () => undefined,
        onClosed: () => undefined,
      };
    },
    onDropped: () => undefined,
    resetKey: new Uint8Array(32),
  });
  const { port } = await endpoint.listen({ host: '127.0.0.1', port: 0 });
  const client = await H3Client.dial(port, { earlyData: true });
  await client.established;
  const session = await sessionOf(client);
  await client.close();
  await endpoint.close();
  return session;
}

/** Tickets come in a packet of their own, which nothing announces. */
async function sessionOf(client: H3Client): Promise<Uint8Array> {
  for (;;) {
    const session = client.connection.native.session();
    if (session !== null) return session;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const zeroRtt = 1;

/** The types of the long-header packets in a datagram (RFC 9000, section 17.2). */
function packetTypes(datagram: Uint8Array): number[] {
  const types: number[] = [];
  for (let at = 0; at < datagram.length && (datagram[at]! & 0x80) !== 0; ) {
    const type = (datagram[at]! >> 4) & 3;
    types.push(type);
    at += 5;
    at += 1 + datagram[at]!;
    at += 1 + datagram[at]!;
    if (type === 0) at += varintLength(datagram[at]!) + readVarint(datagram, at);
    at += varintLength(datagram[at]!) + readVarint(datagram, at);
  }
  return types;
}
