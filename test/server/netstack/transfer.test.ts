/** Megabytes through a bad wire: they arrive whole and in order, whatever the wire does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pattern } from './support/random.ts';
import { connected, digest, sha256 } from './support/transfer.ts';
import { type Faults, Pair, SERVER4, SERVER6 } from './support/wire.ts';

const MIB = 1024 * 1024;
const SEED = Number(process.env['SEED'] ?? 20_260_101);

async function move(faults: Faults, options: { host?: string; mtu?: number; size?: number } = {}): Promise<void> {
  const { host = SERVER4, mtu = 1420, size = 16 * MIB } = options;
  const pair = new Pair({ ...faults, seed: SEED, mtu });
  const { client, server } = await connected(pair, { host });
  const sent = pattern(size);
  const arrived = digest(server);
  client.end(sent);
  server.end();
  client.resume();
  const got = await pair.clock.resolve(arrived, 24 * 3_600_000);
  assert.deepEqual(got, { length: size, sha256: sha256(sent) }, `seed ${SEED}`);
}

test('BR-7: 16 MiB arrive whole on a clean wire', () => move({ delayMs: 10 }));

test('BR-7: 16 MiB arrive whole at 2 % loss', () => move({ delayMs: 10, loss: 0.02 }));
