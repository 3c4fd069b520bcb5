/** QZ-1 at the record: whatever the network does to 10,000 records, none is opened but the next one, as it was sealed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../../protocol/bytes.ts';
import type { Crypto } from '../../../protocol/crypto.ts';
import { type KeyPlace, RecordOpener, RecordSealer, recordKind } from '../../../protocol/record.ts';
import { SessionError } from '../../../protocol/session-error.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { wasmCrypto } from '../../../wasm/crypto.ts';
import { inLong } from '../../support/long.ts';
import { nobleCrypto } from '../../support/noble-crypto.ts';
import { freshKernel } from '../../wasm/under-test.ts';
import { epochZero } from './pair.ts';
import { seededRandom } from './seeded-random.ts';

const seed = Number(process.env['LATCHKEY_SEED'] ?? 20_262);
const { random, verify } = nodeCrypto;
const runs: [string, Crypto, number][] = [
  ['the Wasm', wasmCrypto(freshKernel().kernel, { random, verify }), 10_000],
  ['node:crypto', nodeCrypto, 10_000],
  ['@noble', nobleCrypto(), inLong(500, 10_000)],
];

const epoch = epochZero();
const place: KeyPlace = { role: 'client', streamId: 2n, epoch: 0, secret: epoch.client };
/** Places whose records must never pass for one of `place`, though all else about them is equal. */
const elsewhere: Record<string, KeyPlace> = {
  'of another stream': { ...place, streamId: 4n },
  'of the other direction': { ...place, role: 'gateway', secret: epoch.gateway },
  'of another epoch': { ...place, epoch: 256, secret: epoch.chain },
  'of another session': { ...place, secret: epoch.exporter },
  'of another epoch that shares the low byte and, by a miracle, the key': { ...place, epoch: 256 },
};

for (const [name, crypto, records] of runs)
  test(`QZ-1: of ${records} records tampered with, dropped, replayed, reordered or moved none is accepted, on ${name}`, (t) => {
    const below = seededRandom(seed);
    const limit = records + 2;
    const sealer = new RecordSealer(crypto, place, limit);
    const opener = new RecordOpener(crypto, place, limit);
    const others = Object.entries(elsewhere).map(
      ([what, other]) => [what, new RecordSealer(crypto, other, limit)] as const,
    );
    const texts = Array.from({ length: records + 1 }, (_, i) => new Uint8Array(below(120)).fill(i));
    const sealed = texts.map((content) => sealer.seal(recordKind.data, content));
    let refused = 0;
    const refuse = (frame: Uint8Array, what: string): void => {
      assert.throws(
        () => opener.open(frame),
        (error) => error instanceof SessionError && (error.code === 'decrypt' || error.code === 'decode'),
        `${what}, seed ${seed}`,
      );
      refused++;
    };
    for (let i = 0; i < records; i++) {
      const genuine = sealed[i]!;
      const flipped = genuine.slice();
      flipped[below(flipped.length)]! ^= 1 << below(8);
      refuse(flipped, `record ${i} with a bit flipped`);
      refuse(sealed[i + 1]!, `the record after ${i}, which was dropped or overtaken`);
      if (i > 0) refuse(sealed[below(i)]!, `a record from before ${i}`);
      refuse(genuine.subarray(0, below(genuine.length)), `record ${i} cut`);
      refuse(concat(genuine, Uint8Array.of(below(256))), `record ${i} with a byte too many`);
      for (const [what, other] of others) refuse(other.seal(recordKind.data, texts[i]!), `record ${i} ${what}`);
      const { kind, content } = opener.open(genuine);
      assert.deepEqual([kind, content.slice()], [recordKind.data, texts[i]], `record ${i} itself, seed ${seed}`);
    }
    assert.equal(opener.count, records, 'only the genuine ones moved the counter');
    assert.equal(refused, records * 10 - 1);
    t.diagnostic(`${refused} refused, 0 accepted, seed ${seed}`);
  });
