import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { copy, utf8 } from '../../../protocol/bytes.ts';
import { splitPublicKey, splitSignature } from '../../../protocol/composite.ts';
import {
  compositeFromSeeds,
  generateComposite,
  verifyComposite,
  verifyMldsa65,
} from '../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { namedSigner, nobleCrypto, nobleSigner } from '../../support/noble-crypto.ts';
import { needsVectors, vectorJson } from '../../support/vectors.ts';

type Draft = {
  m: string;
  ctx: string;
  tests: { tcId: string; pk: string; sk: string; s: string; sWithContext: string }[];
};
const decoded = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

test(
  "the draft's composite signatures verify on both libraries, and only with their context",
  needsVectors,
  async () => {
    const draft = vectorJson<Draft>('composite/id-MLDSA65-Ed25519-SHA512.json');
    const one = draft.tests.find(({ tcId }) => tcId === 'id-MLDSA65-Ed25519-SHA512')!;
    const [message, context] = [
      decoded(draft.m),
      decoded(draft.ctx).reduce((text, byte) => text + String.fromCharCode(byte), ''),
    ];
    const [key, bare, withContext] = [decoded(one.pk), decoded(one.s), decoded(one.sWithContext)];
    for (const crypto of [nodeCrypto, nobleCrypto()]) {
      assert.equal(await crypto.verify(key, message, '', bare), true);
      assert.equal(await crypto.verify(key, message, context, withContext), true);
      assert.equal(await crypto.verify(key, message, context, bare), false);
      assert.equal(await crypto.verify(key, message, '', withContext), false);
      assert.equal(await crypto.verify(key, utf8('another'), '', bare), false);
    }
  },
);

test("the draft's plain ML-DSA-65 signatures verify, so the halves are the standard's", needsVectors, () => {
  const draft = vectorJson<Draft>('composite/id-MLDSA65-Ed25519-SHA512.json');
  const one = draft.tests.find(({ tcId }) => tcId === 'id-ML-DSA-65')!;
  const [key, message] = [decoded(one.pk), decoded(draft.m)];
  assert.equal(verifyMldsa65(key, message, decoded(one.s), new Uint8Array(0)), true);
  assert.equal(verifyMldsa65(key, message, decoded(one.sWithContext), decoded(draft.ctx)), true);
  assert.equal(verifyMldsa65(key, message, decoded(one.s), decoded(draft.ctx)), false);
});

test("the draft's secret key is our two seeds and makes its public key", needsVectors, () => {
  const { tests } = vectorJson<Draft>('composite/id-MLDSA65-Ed25519-SHA512.json');
  const one = tests.find(({ tcId }) => tcId === 'id-MLDSA65-Ed25519-SHA512')!;
  const seeds = decoded(one.sk);
  assert.deepEqual(compositeFromSeeds(seeds.slice(0, 32), seeds.slice(32)).publicKey, decoded(one.pk));
});

test('a signature with either half damaged or taken from another message is refused', async () => {
  const [signer, message] = [namedSigner('halves'), utf8('a message')];
  const signature = await signer.sign(message, 'ctx');
  const other = await signer.sign(utf8('another'), 'ctx');
  for (const crypto of [nodeCrypto, nobleCrypto()]) {
    const verify = (bytes: Uint8Array) => crypto.verify(signer.publicKey, message, 'ctx', bytes);
    assert.equal(await verify(signature), true);
    for (const at of [0, 3_308, 3_309, 3_372]) {
      const damaged = copy(signature);
      damaged[at]! ^= 1;
      assert.equal(await verify(damaged), false, `byte ${at}`);
    }
    const [ours, theirs] = [splitSignature(signature)!, splitSignature(other)!];
    assert.equal(await verify(new Uint8Array([...ours.mldsa, ...theirs.ed25519])), false, 'Ed25519 of another message');
    assert.equal(await verify(new Uint8Array([...theirs.mldsa, ...ours.ed25519])), false, 'ML-DSA of another message');
    assert.equal(await verify(signature.subarray(1)), false);
    assert.equal(await verify(new Uint8Array(0)), false);
    assert.equal(await crypto.verify(signer.publicKey.subarray(1), message, 'ctx', signature), false);
  }
});

test('seeds make the same key on both libraries, and each verifies what the other signed', async () => {
  const { seeds, signer } = generateComposite();
  const twin = nobleSigner(seeds.mldsa, seeds.ed25519);
  assert.deepEqual(twin.publicKey, signer.publicKey);
  assert.deepEqual(compositeFromSeeds(seeds.mldsa, seeds.ed25519).publicKey, signer.publicKey);
  assert.equal(splitPublicKey(signer.publicKey)!.mldsa.length, 1_952);
  const message = utf8('both ways');
  assert.ok(await nobleCrypto().verify(signer.publicKey, message, 'x', await signer.sign(message, 'x')));
  assert.ok(verifyComposite(signer.publicKey, message, 'x', await twin.sign(message, 'x')));
  assert.ok(!verifyComposite(signer.publicKey, message, 'y', await twin.sign(message, 'x')));
});

test('signing is hedged: the same message never has the same signature twice', async () => {
  const { signer } = generateComposite();
  assert.notDeepEqual(await signer.sign(utf8('m'), 'c'), await signer.sign(utf8('m'), 'c'));
});

test('printing a signer shows no private half', () => {
  const { seeds, signer } = generateComposite();
  const printed = inspect(signer, { depth: 9, showHidden: true, maxArrayLength: null }) + JSON.stringify(signer);
  for (const seed of [seeds.mldsa, seeds.ed25519])
    assert.ok(
      !printed.includes([...seed.subarray(0, 8)].join(', ')) && !printed.includes(Buffer.from(seed).toString('hex')),
    );
});

test('seeds of a wrong length are a mistake of the caller', () => {
  assert.throws(() => compositeFromSeeds(new Uint8Array(31), new Uint8Array(32)), TypeError);
  assert.throws(() => compositeFromSeeds(new Uint8Array(32), new Uint8Array(33)), TypeError);
});
