import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isZero } from '../../protocol/bytes.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { answerBytes, offerBytes, sharedSecretBytes } from '../../protocol/limits.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { wasmCrypto } from '../../wasm/crypto.ts';
import { nobleCrypto } from '../support/noble-crypto.ts';
import { needsVectors, vectorJson } from '../support/vectors.ts';
import { fromHex, report, toHex } from './cases.ts';
import { seeded } from './seeded.ts';
import { freshKernel } from './under-test.ts';

const { kernel } = freshKernel();
const random = seeded();
const seed = `LATCHKEY_SEED=${random.seed}`;
const verify = nodeCrypto.verify;
const wasm = wasmCrypto(kernel, { random: random.bytes, verify });
const noble = nobleCrypto({ seed: random.seed });

/** Twenty thousand between the product's two implementations; @noble is slow, and joins for a part. */
const pairs: [string, Crypto, Crypto, number][] = [
  ['Wasm offers, node:crypto answers', wasm, nodeCrypto, 10_000],
  ['node:crypto offers, Wasm answers', nodeCrypto, wasm, 10_000],
  ['Wasm offers, @noble answers', wasm, noble, 200],
  ['@noble offers, Wasm answers', noble, wasm, 200],
  ['Wasm on both ends', wasm, wasm, 200],
];

for (const [name, first, second, rounds] of pairs) {
  test(`QZ-11: ${name}: both ends have the same ML-KEM and X25519 secrets`, (t) => {
    let verified = 0;
    for (let round = 0; round < rounds; round++) {
      const offer = first.offer();
      const answer = second.answer(offer.share);
      assert.deepEqual([offer.share.length, answer.share.length], [offerBytes, answerBytes]);
      const secret = offer.finish(answer.share);
      assert.equal(toHex(secret), toHex(answer.secret), seed);
      assert.equal(secret.length, sharedSecretBytes);
      assert.ok(!isZero(secret.subarray(0, 32)) && !isZero(secret.subarray(32)), 'both halves are there');
      verified++;
    }
    report(t, verified, rounds, `exchanges, ${name}`);
  });
}

test('QZ-11: a share without its ML-KEM half, without its X25519 half or a byte off is refused', () => {
  const share = wasm.offer().share;
  const answer = wasm.answer(share).share;
  for (const part of [
    share.subarray(0, 1184),
    share.subarray(1184),
    share.subarray(1),
    new Uint8Array([...share, 0]),
  ]) {
    assert.throws(() => wasm.answer(part), RangeError);
  }
  for (const part of [
    answer.subarray(0, 1088),
    answer.subarray(1088),
    answer.subarray(1),
    new Uint8Array([...answer, 0]),
  ]) {
    assert.throws(() => wasm.offer().finish(part), RangeError);
  }
});

test('QZ-12: a peer that sends a point of low order yields an all-zero X25519 half, for the handshake to refuse', () => {
  const share = wasm.offer().share.slice();
  share.fill(0, 1184);
  assert.ok(isZero(wasm.answer(share).secret.subarray(32)));
  const offer = wasm.offer();
  const answer = wasm.answer(offer.share).share.slice();
  answer.fill(0, 1088);
  assert.ok(isZero(offer.finish(answer).subarray(32)));
});

test('QZ-13: an answer with a flipped ciphertext gives another secret, and no error', () => {
  const offer = wasm.offer();
  const answer = wasm.answer(offer.share);
  const altered = answer.share.slice();
  altered[random.below(1088)]! ^= 1;
  const secret = offer.finish(altered);
  assert.notEqual(toHex(secret.subarray(0, 32)), toHex(answer.secret.subarray(0, 32)), seed);
  assert.equal(toHex(secret.subarray(32)), toHex(answer.secret.subarray(32)));
});

test('QZ-14: the exchanges of the known answers come out byte for byte', needsVectors, (t) => {
  type Known = {
    inputs: Record<string, string>;
    share_c: string;
    share_g: string;
    ss: string;
    rekey1: Rekey;
    rekey2: Rekey;
  };
  type Rekey = { rk_init: string; rk_resp: string };
  const known = vectorJson<Known>('latchkey/handshake.json');
  let verified = 0;
  const check = (prefix: string, shareC: string, shareG: string, ss?: string) => {
    const given = (...names: string[]) => {
      const queue = names.map((name) => fromHex(known.inputs[prefix + name]!));
      return wasmCrypto(kernel, { random: () => queue.shift()!, verify });
    };
    const offer = given('client.mlkem_seed_d_z', 'client.x25519_sk').offer();
    const answer = given('gateway.mlkem_m', 'gateway.x25519_sk').answer(offer.share);
    assert.equal(toHex(offer.share), shareC);
    assert.equal(toHex(answer.share), shareG);
    const secret = toHex(offer.finish(answer.share));
    assert.equal(secret, toHex(answer.secret));
    if (ss !== undefined) assert.equal(secret, ss);
    verified++;
  };
  check('', known.share_c, known.share_g, known.ss);
  // A rekey message is a u32 epoch before the share.
  check('rekey1.', known.rekey1.rk_init.slice(8), known.rekey1.rk_resp.slice(8));
  check('rekey2.', known.rekey2.rk_init.slice(8), known.rekey2.rk_resp.slice(8));
  report(t, verified, 3, 'known exchanges');
});
