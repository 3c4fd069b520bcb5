/** The decapsulation keys in the module, between the offer they are made for and its answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { report, toHex } from './cases.ts';
import { seeded } from './seeded.ts';
import { freshKernel } from './under-test.ts';

const random = seeded();
const seed = `LATCHKEY_SEED=${random.seed}`;

/** A seed, and what another implementation encapsulates to it. */
function exchange() {
  const keySeed = random.bytes(64);
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(ml_kem768.keygen(keySeed).publicKey, random.bytes(32));
  return { keySeed, cipherText, sharedSecret };
}

test('QZ-13: more keys than there are places wait for their answers, in any order', (t) => {
  const { kernel, raw } = freshKernel();
  const waiting = Array.from({ length: 3 * raw.KEM_KEY_COUNT.value }, () => {
    const made = exchange();
    return { ...made, key: kernel.mlkemKeys.make(made.keySeed) };
  });
  let verified = 0;
  while (waiting.length > 0) {
    const [next] = waiting.splice(random.below(waiting.length), 1);
    assert.equal(toHex(next!.key.decapsulate(next!.cipherText)), toHex(next!.sharedSecret), seed);
    verified++;
  }
  report(t, verified, 15, 'keys, most of them without a place of their own');
});

test('QZ-18: a key is good once, whatever became of it', () => {
  const { kernel } = freshKernel();
  const { keySeed, cipherText } = exchange();
  const [used, wiped, refused, forgotten] = Array.from({ length: 4 }, () => kernel.mlkemKeys.make(keySeed));
  used!.decapsulate(cipherText);
  wiped!.wipe();
  assert.throws(() => refused!.decapsulate(cipherText.subarray(1)), RangeError);
  kernel.wipe();
  for (const key of [used, wiped, refused, forgotten]) assert.throws(() => key!.decapsulate(cipherText), TypeError);
});

test('QZ-18: a key is in the memory from its making to its end, in a place or as a seed outside, and not after', () => {
  const { kernel, memory, raw } = freshKernel();
  // What is public anyway: the doors of the encapsulation key, the ciphertext and nothing else.
  const secrets = () => {
    const now = memory.slice();
    now.fill(0, raw.KEM_EK.value, raw.KEM_EK.value + 1184);
    now.fill(0, raw.KEM_CIPHERTEXT.value, raw.KEM_CIPHERTEXT.value + 1088);
    return now;
  };
  const never = secrets();
  const { keySeed, cipherText } = exchange();
  const untouched = () => Buffer.compare(secrets(), never) === 0;
  // Many more than there are places: each place is given again.
  for (let round = 0; round < 3 * raw.KEM_KEY_COUNT.value; round++) {
    const key = kernel.mlkemKeys.make(keySeed);
    assert.ok(!untouched(), `key ${round} stands in no place; ${seed}`);
    if (round % 2 === 0) key.decapsulate(cipherText);
    else key.wipe();
    key.wipe();
    assert.ok(untouched(), `something of key ${round} is left; ${seed}`);
  }
  const keys = Array.from({ length: 2 * raw.KEM_KEY_COUNT.value }, () => kernel.mlkemKeys.make(keySeed));
  for (const key of keys.reverse()) key.decapsulate(cipherText);
  assert.ok(untouched(), `something of a key without a place is left; ${seed}`);
});
