/** Composite signatures in a browser against @noble, half by half, and the one rule for Ed25519. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { concat, utf8 } from '../../protocol/bytes.ts';
import { compositeLabel, compositeMessage, joinComposite } from '../../protocol/composite.ts';
import { loadKernel } from '../../wasm/kernel.ts';
import { compositeVerifier, makeSessionKey } from '../../worker/tunnel/composite.ts';
import { namedSigner, nobleCrypto } from '../support/noble-crypto.ts';
import { same, thrown } from './support/expect.ts';

const wasm = new URL('../../build/wasm/latchkey.wasm', import.meta.url);
const { mldsa } = loadKernel(await WebAssembly.compileStreaming(fetch(wasm)));
const verifyComposite = compositeVerifier(mldsa);

const context = 'Latchkey/1 client';
const message = utf8('a transcript');
const mldsaBytes = 3_309;
/** Order of the base point. */
const order = 2n ** 252n + 27742317777372353535851937790883648493n;

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = copy[at]! ^ 1;
  return copy;
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

describe('composite signatures in a browser', () => {
  it('QZ-13: verifies what @noble signed, and @noble verifies what a session key signed', async () => {
    const noble = namedSigner('browser');
    same(await verifyComposite(noble.publicKey, message, context, await noble.sign(message, context)), true, 'theirs');
    const own = await makeSessionKey(mldsa);
    const signature = await own.sign(message, context);
    same([own.publicKey.length, signature.length], [1_984, 3_373], 'sizes');
    same(await nobleCrypto().verify(own.publicKey, message, context, signature), true, 'ours');
  });

  it('refuses a signature when either half, the message, the context or the key is another', async () => {
    const signer = namedSigner('browser');
    const signature = await signer.sign(message, context);
    const refused: [string, Uint8Array, Uint8Array, string, Uint8Array][] = [
      ['ML-DSA half', signer.publicKey, message, context, changed(signature, 5)],
      ['last byte of the ML-DSA half', signer.publicKey, message, context, changed(signature, mldsaBytes - 1)],
      ['R', signer.publicKey, message, context, changed(signature, mldsaBytes)],
      ['S', signer.publicKey, message, context, changed(signature, mldsaBytes + 32)],
      ['message', signer.publicKey, changed(message, 0), context, signature],
      ['context', signer.publicKey, message, 'Latchkey/1 gateway', signature],
      ['ML-DSA key', changed(signer.publicKey, 100), message, context, signature],
      ['Ed25519 key', changed(signer.publicKey, 1_953), message, context, signature],
      ['short signature', signer.publicKey, message, context, signature.subarray(1)],
      ['long signature', signer.publicKey, message, context, concat(signature, Uint8Array.of(0))],
      ['short key', signer.publicKey.subarray(1), message, context, signature],
      ['nothing', new Uint8Array(0), message, context, new Uint8Array(0)],
    ];
    for (const [what, ...given] of refused) same(await verifyComposite(...given), false, what);
  });

  it('holds Ed25519 to the strict rule whatever the browser’s own accepts', async () => {
    const noble = ml_dsa65.keygen(new Uint8Array(32));
    const inner = compositeMessage(sha512(message), context);
    const half = ml_dsa65.sign(inner, noble.secretKey, { context: compositeLabel });
    const judge = (key: Uint8Array, signature: Uint8Array) =>
      verifyComposite(
        joinComposite({ mldsa: noble.publicKey, ed25519: key }),
        message,
        context,
        joinComposite({ mldsa: half, ed25519: signature }),
      );
    const seed = new Uint8Array(32).fill(7);
    const [key, good] = [ed25519.getPublicKey(seed), ed25519.sign(inner, seed)];
    same(await judge(key, good), true, 'a plain signature');

    const shifted = concat(good.subarray(0, 32), littleEndian(fromLittleEndian(good.subarray(32)) + order));
    same(await judge(key, shifted), false, 'S not reduced');
    // The neutral element as key and as R with S = 0: the equation holds for every message.
    const neutral = littleEndian(1n);
    same(await judge(neutral, concat(neutral, new Uint8Array(32))), false, 'key and R of low order');
    // The same point written with y + p.
    const sloppy = littleEndian(2n ** 255n - 19n + 1n);
    same(await judge(sloppy, concat(sloppy, new Uint8Array(32))), false, 'key and R not canonical');
    same(await judge(key, concat(neutral, good.subarray(32))), false, 'R of low order');
  });

  it('a wiped session key signs no more', async () => {
    const key = await makeSessionKey(mldsa);
    key.wipe();
    await thrown(() => key.sign(message, context));
  });
});
