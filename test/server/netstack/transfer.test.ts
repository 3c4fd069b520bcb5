/** Megabytes through a bad wire: they arrive whole and in order, whatever the wire does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pattern } from './support/random.ts';
import { type Connected, connected, digest, sha256 } from './support/transfer.ts';
import { type Faults, Pair, SERVER4, SERVER6 } from './support/wire.ts';

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

interface Options {
  host?: string;
  mtu?: number;
  size?: number;
}

async function opened(faults: Faults, { host = SERVER4, mtu = 1420 }: Options): Promise<[Pair, Connected]> {
  const pair = new Pair({ delayMs: 10, ...faults, seed: SEED, mtu });
  return [pair, await connected(pair, { host })];
}

async function move(faults: Faults, options: Options = {}): Promise<Pair> {
  const { size = 16 * MIB } = options;
  const [pair, { client, server }] = await opened(faults, options);
  const sent = pattern(size);
  const arrived = digest(server);
  client.end(sent);
  server.end();
  client.resume();
  const got = await pair.clock.resolve(arrived, DAY_MS);
  assert.deepEqual(got, { length: size, sha256: sha256(sent) }, `SEED=${SEED}`);
  return pair;
}

async function exchange(faults: Faults, options: Options = {}): Promise<void> {
  const { size = 16 * MIB } = options;
  const [pair, { client, server }] = await opened(faults, options);
  const up = pattern(size, 3);
  const down = pattern(size, 5);
  const arrived = Promise.all([digest(server), digest(client)]);
  client.end(up);
  server.end(down);
  const got = await pair.clock.resolve(arrived, DAY_MS);
  const expected = [up, down].map((bytes) => ({ length: size, sha256: sha256(bytes) }));
  assert.deepEqual(got, expected, `SEED=${SEED}`);
}

const wires: [name: string, faults: Faults][] = [
  ['on a clean wire', {}],
  ['at 2 % loss', { loss: 0.02 }],
  ['with 5 % doubled', { duplicate: 0.05 }],
  ['with 10 % reordered by up to 20 ms', { reorder: 0.1 }],
  ['with 0.1 % damaged', { corrupt: 0.001 }],
  [
    'at 2 % loss with 2 % doubled, 10 % reordered and 0.1 % damaged',
    {
      loss: 0.02,
      duplicate: 0.02,
      reorder: 0.1,
      corrupt: 0.001,
    },
  ],
];

for (const [name, faults] of wires) {
  test(`16 MiB arrive whole ${name}`, async () => {
    await move(faults);
  });
  test(`16 MiB each way at once arrive whole ${name}`, () => exchange(faults));
}

test('16 MiB arrive whole over IPv6 at 2 % loss', async () => {
  await move({ loss: 0.02 }, { host: SERVER6 });
});

test('an MTU of 1280 carries 4 MiB at 2 % loss in both versions, and no packet is larger', async () => {
  for (const host of [SERVER4, SERVER6]) {
    const pair = new Pair({ delayMs: 10, loss: 0.02, seed: SEED, mtu: 1280 });
    let largest = 0;
    pair.tap = (packet) => {
      largest = Math.max(largest, packet.length);
      return true;
    };
    const { client, server } = await connected(pair, { host });
    const sent = pattern(4 * MIB);
    const arrived = digest(server);
    client.end(sent);
    assert.equal((await pair.clock.resolve(arrived, DAY_MS)).sha256, sha256(sent), `SEED=${SEED}`);
    assert.equal(largest, 1280);
  }
});

test('1 MiB gets through 10 % loss', async () => {
  await move({ loss: 0.1 }, { size: MIB });
});

test('every damaged packet is dropped by a checksum and counted', async () => {
  const pair = await move({ corrupt: 0.02 }, { size: 4 * MIB });
  const { dropped } = pair.server.stats();
  // A flipped bit in an IPv4 header can also make it malformed, a fragment or someone else's before it is summed.
  assert.ok(dropped.checksum > 10, `SEED=${SEED}`);
});

test('a hundred thousand single-byte writes arrive whole and in order', async () => {
  const [pair, { client, server }] = await opened({ loss: 0.01 }, {});
  const sent = pattern(100_000);
  const arrived = digest(server);
  for (let i = 0; i < sent.length; i++) client.write(sent.subarray(i, i + 1));
  client.end();
  const got = await pair.clock.resolve(arrived, DAY_MS);
  assert.deepEqual(got, { length: sent.length, sha256: sha256(sent) }, `SEED=${SEED}`);
});
