/**
 * Cross-protocol and cross-role reuse (ALPACA, Selfie): each signature of this product offered in every other place. The
 * key and even the message may be the same; the context says where a signature belongs, and it is in what is signed.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { concat, utf8 } from '../../protocol/bytes.ts';
import { deviceMessage, postureMessage, requestMessage } from '../../protocol/challenges.ts';
import { compositeMessage, splitPublicKey, splitSignature } from '../../protocol/composite.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { objectContext, signatureContext } from '../../protocol/labels.ts';
import { objectType, parseObject, signObject } from '../../protocol/lks1.ts';
import { verifyMldsa65 } from '../../server/crypto/composite-key.ts';
import { verifyEd25519 } from '../../server/crypto/ed25519.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { compositeVerifier } from '../../worker/tunnel/composite.ts';
import { nobleCrypto } from '../support/noble-crypto.ts';
import { freshKernel } from '../wasm/under-test.ts';
import { rememberingSigner } from './fixed-handshake.ts';

const verifiers: Record<string, Crypto['verify']> = {
  'node:crypto': nodeCrypto.verify,
  'the browser’s WebCrypto and the Wasm': compositeVerifier(freshKernel().kernel.mldsa),
  '@noble': nobleCrypto().verify,
};

const signer = rememberingSigner('one key in every place');
const sha512 = (message: Uint8Array): Uint8Array => createHash('sha512').update(message).digest();
const hash = (text: string): Uint8Array => nodeCrypto.sha256(utf8(text));

/** What is signed where: a hash or challenge of 32 bytes, or a whole LKS1 object up to its signature. */
async function messageOf(context: string): Promise<Uint8Array> {
  const type = Object.values(objectType).find((value) => objectContext(value) === context);
  if (type === undefined) return hash(context);
  return parseObject(await signObject(nodeCrypto, signer, type, utf8('a body'))).signed;
}

const contexts = [...Object.values(signatureContext), ...Object.values(objectType).map(objectContext)];
const places = await Promise.all(
  contexts.map(async (context) => {
    const message = await messageOf(context);
    return { context, message, signature: await signer.sign(message, context) };
  }),
);

for (const [name, verify] of Object.entries(verifiers))
  test(`QHX-11: each signature is good in its own place and in none of the other ${contexts.length - 1}, on ${name}`, async (t) => {
    let [good, refused] = [0, 0];
    for (const made of places)
      for (const offered of places) {
        const isOwn = made === offered;
        for (const message of new Set([made.message, offered.message])) {
          const what = `signed for ${made.context}, offered for ${offered.context}`;
          assert.equal(await verify(signer.publicKey, message, offered.context, made.signature), isOwn, what);
          if (isOwn) good++;
          else refused++;
        }
      }
    assert.deepEqual([contexts.length, good, refused], [18, 18, 18 * 17 * 2]);
    t.diagnostic(`${good} good, ${refused} refused`);
  });

test('QHX-11: neither half of a composite signature is worth anything by itself, and no device signature is a half', async () => {
  const key = splitPublicKey(signer.publicKey)!;
  for (const { context, message, signature } of places) {
    const half = splitSignature(signature)!;
    const inner = compositeMessage(sha512(message), `${context} of another place`);
    const asDevice = [
      deviceMessage(hash('x')),
      postureMessage(message),
      requestMessage('GET', '/', hash('b'), hash('s').slice(0, 16), 0),
    ];
    for (const other of [message, inner, ...asDevice]) {
      assert.equal(verifyEd25519(key.ed25519, other, half.ed25519), false, context);
      for (const mldsaContext of ['', context, 'COMPSIG-MLDSA65-Ed25519-SHA512'])
        assert.equal(verifyMldsa65(key.mldsa, other, half.mldsa, utf8(mldsaContext)), false, context);
    }
    const swapped = places.find((place) => place.context !== context)!;
    const mixed = concat(half.mldsa, splitSignature(swapped.signature)!.ed25519);
    assert.equal(await nodeCrypto.verify(signer.publicKey, message, context, mixed), false, context);
    assert.equal(await nodeCrypto.verify(signer.publicKey, swapped.message, swapped.context, mixed), false, context);
  }
});
