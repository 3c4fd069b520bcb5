/** No key seals two records under one counter, and a key that is used up ends the session. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, hex, isZero } from '../../../protocol/bytes.ts';
import type { Crypto, Opener, Sealer } from '../../../protocol/crypto.ts';
import type { EpochSecrets } from '../../../protocol/schedule.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { settled } from '../../support/fake-clock.ts';
import { inLong } from '../../support/long.ts';
import { newPair } from './pair.ts';
import { seededRandom } from './seeded-random.ts';

const seed = Number(process.env['LATCHKEY_SEED'] ?? 4_711);
const operations = inLong(20_000, 1_000_000);

/** Watches every sealer that is made: the pair (key, counter) of each record, and whether keys are wiped. */
function watched(used: Set<string>, live: Set<object>, double: string[]): Crypto {
  const watch = <T extends Sealer | Opener>(inner: T): T => {
    live.add(inner);
    const wipe = inner.wipe.bind(inner);
    inner.wipe = () => {
      live.delete(inner);
      wipe();
    };
    return inner;
  };
  return {
    ...nodeCrypto,
    opener: (key) => watch(nodeCrypto.opener(key)),
    sealer(key) {
      const name = hex(key);
      const sealer = nodeCrypto.sealer(key);
      return watch({
        get count() {
          return sealer.count;
        },
        seal(ad, plaintext) {
          const pair = `${name} ${sealer.count}`;
          if (used.has(pair)) double.push(pair);
          used.add(pair);
          return sealer.seal(ad, plaintext);
        },
        frame(head, ad, plaintext) {
          return concat(head, this.seal(ad, plaintext));
        },
        release() {},
        wipe: () => sealer.wipe(),
      });
    },
  };
}

test('QZ-16: no (key, counter) pair is used twice in a long random life of a session', async () => {
  const random = seededRandom(seed);
  const [used, live, double] = [new Set<string>(), new Set<object>(), [] as string[]];
  const crypto = watched(used, live, double);
  const { client, gateway, clock, open } = await newPair({ cryptos: { client: crypto, gateway: crypto }, lifeMs: 1e9 });
  const streams: Awaited<ReturnType<typeof open>>[] = [];
  const pick = () => streams[random(streams.length)];
  for (let step = 0; step < operations; step++) {
    const side = random(2) === 0 ? 'client' : 'gateway';
    const stream = pick()?.[side];
    const act = random(100);
    if (act < 5 && streams.length < 40) streams.push(await open());
    else if (act < 80) stream?.write(new Uint8Array(1 + random(300))).catch(() => {});
    else if (act < 88) stream?.read().catch(() => {});
    else if (act < 91) stream?.finish().catch(() => {});
    else if (act < 93) stream?.reset('cancelled');
    else if (act < 96) client.requestRekey();
    else if (act < 97) gateway.requestRekey();
    else if (act < 99) await settled();
    else await clock.advance(random(20_000));
    if (streams.length > 30) streams.splice(random(streams.length), 1)[0]?.client.reset('cancelled');
  }
  await settled();
  const { epoch, phase } = client.state;
  assert.deepEqual([phase, gateway.state.phase], ['open', 'open'], `seed ${seed}`);
  assert.ok(epoch > 50 && used.size > operations / 2, `${epoch} epochs, ${used.size} records, seed ${seed}`);
  assert.deepEqual(double, [], `seed ${seed}`);
  client.close('done');
  await settled();
  assert.equal(live.size, 0, 'every key was wiped at the end');
});

test('QZ-16: the keys of streams that ended and of old epochs do not pile up', async () => {
  const live = new Set<object>();
  const crypto = watched(new Set(), live, []);
  const { client, clock, open } = await newPair({ cryptos: { client: crypto, gateway: crypto } });
  for (let i = 0; i < 50; i++) {
    const stream = await open();
    await stream.client.write(Uint8Array.of(1));
    await Promise.all([stream.client.finish(), stream.gateway.finish()]);
    if (i % 10 === 0) client.requestRekey();
    await settled();
  }
  await clock.advance(31_000);
  // both directions of the control stream, at both ends
  assert.ok(live.size <= 4, `${live.size} keys`);
  assert.equal(client.stats().streams, 0);
});

test('QZ-16: a key asks for its successor in time', async () => {
  const { client, open } = await newPair({ client: { limits: { rekeyAtRecords: 20 } } });
  const stream = await open();
  // OPEN was the first of the 20.
  for (let i = 0; i < 18; i++) {
    await stream.client.write(Uint8Array.of(i));
    await stream.gateway.read();
  }
  await settled();
  assert.equal(client.state.epoch, 0);
  await stream.client.write(Uint8Array.of(18));
  // An exchange of keys may take more turns than anybody counted.
  while (client.state.epoch === 0) await settled();
  assert.equal(client.state.epoch, 1);
});

test('QZ-16: a gateway asks for a rekey when its own keys have sealed enough', async () => {
  const { client, gateway, open } = await newPair({ gateway: { limits: { rekeyAtRecords: 20 } } });
  const stream = await open();
  for (let i = 0; i < 20; i++) {
    await stream.gateway.write(Uint8Array.of(i));
    await stream.client.read();
  }
  await settled();
  assert.deepEqual([client.state.epoch, gateway.state.epoch], [1, 1]);
});

for (const side of ['client', 'gateway'] as const)
  test(`QZ-16: a used-up key closes the session, at the ${side} that seals`, async () => {
    const limits = { maxRecordsPerKey: 10 };
    const { client, gateway, open } = await newPair({ [side]: { limits } });
    const stream = await open();
    const written: number[] = [];
    const write = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        await stream[side].write(Uint8Array.of(i));
        written.push(i);
      }
    };
    await assert.rejects(write(), { code: 'session_closed' });
    assert.equal(written.length, 9, 'one record of the ten was the opening');
    await settled();
    assert.equal((await { client, gateway }[side].closed).code, 'rekey_timeout');
    assert.equal((await client.closed).code, 'rekey_timeout');
    assert.equal((await gateway.closed).code, 'rekey_timeout');
  });

test('QZ-16: a used-up key closes the session at the one that opens', async () => {
  const { client, gateway, open } = await newPair({ gateway: { limits: { maxRecordsPerKey: 10 } } });
  const stream = await open();
  for (let i = 0; i < 9; i++) await stream.client.write(Uint8Array.of(i));
  await settled();
  assert.equal(gateway.state.phase, 'open');
  await stream.client.write(Uint8Array.of(9)).catch(() => {});
  assert.equal((await gateway.closed).code, 'rekey_timeout');
  assert.equal((await client.closed).code, 'rekey_timeout');
});

test('what an old epoch is not needed for any more is zero at once, its chain key, and the rest 30 s later at most', async () => {
  const epochs: EpochSecrets[] = [];
  const { client, clock } = await newPair({ onEpoch: (epoch) => epochs.push(epoch) });
  client.requestRekey();
  await settled();
  assert.equal(client.state.epoch, 1);
  for (const epoch of epochs) {
    assert.ok(isZero(epoch.chain));
    assert.ok(!isZero(epoch.client) && !isZero(epoch.exporter), 'records of it may still come, questions among them');
  }
  await clock.advance(30_000);
  for (const epoch of epochs) assert.ok(isZero(epoch.client) && isZero(epoch.gateway) && isZero(epoch.exporter));
});

test('the secrets of every epoch are zero when the session has ended', async () => {
  const epochs: EpochSecrets[] = [];
  const { client, gateway } = await newPair({ onEpoch: (epoch) => epochs.push(epoch) });
  client.close('done');
  await gateway.closed;
  assert.equal(epochs.length, 2);
  for (const epoch of epochs)
    for (const secret of [epoch.client, epoch.gateway, epoch.chain, epoch.exporter]) assert.ok(isZero(secret));
});
