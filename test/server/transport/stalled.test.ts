/** Clients that stop inside QUIC and HTTP/3: let go after the session's deadline, and meanwhile others come in (QPT-9). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { transportLimits } from '../../../server/transport/limits.ts';
import { frame, frameType } from '../../../server/transport/quiche/http3.ts';
import { encodeFieldSection } from '../../../server/transport/quiche/qpack.ts';
import { inLong } from '../../support/long.ts';
import { origin, startQuiche } from './support/engines.ts';
import { connectFields, connectQuic, H3Client } from './support/h3-client.ts';

const count = inLong(100, 2_000);
const atOnce = 25;
/** The stranger's; those who come in have another. */
const from = '127.4.0.1';

/** Sends the first packet again with the token of a Retry, which is when the server begins to keep something, and stops. */
async function midHandshake(port: number): Promise<H3Client> {
  let sent = 0;
  const begun = Promise.withResolvers<void>();
  const onSend = () => {
    sent += 1;
    if (sent === 2) setImmediate().then(begun.resolve, begun.reject);
  };
  const client = await H3Client.dial(port, { from, onSend, mute: () => sent > 2 });
  await begun.promise;
  return client;
}

async function withoutRequest(port: number): Promise<H3Client> {
  const client = await H3Client.dial(port, { from });
  await client.established;
  client.openControl();
  return client;
}

async function midRequest(port: number): Promise<H3Client> {
  const client = await withoutRequest(port);
  const request = frame(frameType.headers, encodeFieldSection(connectFields(origin)));
  client.connection.open('bidi', request.subarray(0, request.length >> 1));
  return client;
}

const points: readonly [where: string, stall: (port: number) => Promise<H3Client>][] = [
  ['in the middle of the QUIC handshake', midHandshake],
  ['with a connection and no request', withoutRequest],
  ['in the middle of CONNECT', midRequest],
];

describe('stalled', { concurrency: true }, () => {
  for (const [where, stall] of points)
    test(`QPT-9: ${count} that stop ${where} are let go, and keep nobody out`, async (context) => {
      const carriers: unknown[] = [];
      const server = await startQuiche((carrier) => void carriers.push(carrier));
      const clients: H3Client[] = [];
      let most = 0;
      while (clients.length < count) {
        clients.push(...(await Promise.all(Array.from({ length: atOnce }, () => stall(server.port)))));
        most = Math.max(most, server.transport.connections);
      }
      assert.ok(most > 0 && most <= transportLimits.halfOpenConnections, `${most} at one time`);
      const carrier = await connectQuic(server.port, origin);
      assert.equal(carriers.length, 1);
      const since = performance.now();
      // The one of the session stays.
      while (server.transport.connections > 1) await setImmediate();
      context.diagnostic(
        `${most} at one time, gone ${((performance.now() - since) / 1_000).toFixed(1)} s after the last`,
      );
      carrier.close();
      await Promise.all(clients.map((client) => client.close()));
      await server.stop();
    });
});

test('QPT-9: an address with many half-open connections makes room before one with few', async () => {
  const maxHalfOpen = 4;
  const server = await startQuiche(() => undefined, { maxHalfOpen });
  const few = await H3Client.dial(server.port);
  await few.established;
  const many: H3Client[] = [];
  for (let i = 0; i < 2 * maxHalfOpen; i += 1) many.push(await withoutRequest(server.port));
  await Promise.all(many.slice(0, maxHalfOpen + 1).map(({ closed }) => closed));
  assert.equal(server.transport.connections, maxHalfOpen);
  assert.equal(few.connection.ended, false);
  const carrier = await connectQuic(server.port, origin);
  carrier.close();
  await Promise.all([few, ...many].map((client) => client.close()));
  await server.stop();
});
