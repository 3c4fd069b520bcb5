/** Choosing and starting an engine. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { it } from 'node:test';
import quiche from '@matrixai/quic/native/quiche.js';
import { makeCertificate } from '../../../server/transport/certificate.ts';
import { loadTransport } from '../../../server/transport/engines.ts';
import { serverConfig } from '../../../server/transport/quiche/quic-config.ts';
import { connectionIdBytes } from '../../../server/transport/quiche/quic-endpoint.ts';
import { realClock } from './support/clock.ts';
import { origin, quinn, ticketPath } from './support/engines.ts';
import { connectQuic, H3Client } from './support/h3-client.ts';

it('loads an engine that this machine can run, and says which', async () => {
  const transport = await loadTransport({ origins: [origin], clock: realClock });
  assert.equal(transport?.engine, 'missing' in quinn ? 'quiche' : 'quinn');
  await transport.close();
});

it('tries the one that was asked for and no other, and says why one does not load', async () => {
  const told: string[] = [];
  const onUnavailable = (name: string, cause: unknown) => told.push(`${name}: ${(cause as Error).message}`);
  const options = { origins: [origin], clock: realClock, onUnavailable };
  const second = await loadTransport({ ...options, engine: 'quiche' });
  assert.equal(second?.engine, 'quiche');
  assert.deepEqual(told, []);
  const first = await loadTransport({ ...options, engine: 'quinn' });
  assert.equal(first?.engine, 'missing' in quinn ? undefined : 'quinn');
  assert.equal(told.length, 'missing' in quinn ? 1 : 0);
  for (const text of told) assert.match(text, /^quinn: .*GLIBC_2\.38/);
  await Promise.all([second?.close(), first?.close()]);
});

it('BR-6: serves one of the certificates it announces', async () => {
  const transport = (await loadTransport({ origins: [origin], clock: realClock }))!;
  const { port } = await transport.listen({ host: '127.0.0.1', port: 0 });
  const client = await H3Client.dial(port);
  await client.established;
  assert.deepEqual(client.certificateHash, transport.certHashes()[0]);
  assert.equal(transport.certHashes().length, 2);
  await client.close();
  await transport.close();
});

it('lets nobody in before somebody takes the carriers', async () => {
  const transport = (await loadTransport({ origins: [origin], clock: realClock }))!;
  const { port } = await transport.listen({ host: '127.0.0.1', port: 0 });
  await assert.rejects(ended(connectQuic(port, origin, { path: ticketPath(transport) })), { code: 'refused' });
  await transport.close();
});

/** quinn refuses at once; quiche lets in and shows out. */
async function ended(connecting: ReturnType<typeof connectQuic>): Promise<never> {
  await (await connecting).closed;
  throw Object.assign(new Error('closed'), { code: 'refused' });
}

it('says so when the port is taken', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const transport = (await loadTransport({ origins: [origin], clock: realClock }))!;
  await assert.rejects(transport.listen({ host: '127.0.0.1', port: socket.address().port }), { code: 'EADDRINUSE' });
  await transport.close();
  socket.close();
});

it('listens again on a port it had let go', async () => {
  const first = (await loadTransport({ origins: [origin], clock: realClock }))!;
  const { port } = await first.listen({ host: '127.0.0.1', port: 0 });
  await first.close();
  const second = (await loadTransport({ origins: [origin], clock: realClock }))!;
  assert.deepEqual(await second.listen({ host: '127.0.0.1', port }), { port });
  await second.close();
});

it('accepts clients whose connection ids are as long as QUIC allows', async () => {
  // quiche writes its transport parameters into 128 bytes, and fails when they do not fit.
  const config = serverConfig(await makeCertificate(Date.now()));
  config.setStatelessResetToken(2n ** 127n);
  const address = { host: '127.0.0.1', port: 65_535 };
  assert.ok(quiche.Connection.accept(new Uint8Array(connectionIdBytes), new Uint8Array(20), address, address, config));
});
