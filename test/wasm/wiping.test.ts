import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wasmCrypto } from '../../wasm/crypto.ts';
import { nobleCrypto } from '../support/noble-crypto.ts';
import { seeded } from './seeded.ts';
import { freshKernel, type UnderTest } from './under-test.ts';

const random = seeded();
const seed = `LATCHKEY_SEED=${random.seed}`;
const { verify } = nobleCrypto();

/** True when some eight bytes in a row of the secret stand anywhere in the memory. */
function holds({ memory }: UnderTest, secret: Uint8Array): boolean {
  const all = Buffer.from(memory.buffer);
  for (let at = 0; at + 8 <= secret.length; at += 4) if (all.includes(secret.subarray(at, at + 8))) return true;
  return false;
}

const clean = (underTest: UnderTest, secrets: Record<string, Uint8Array>) => {
  for (const [name, secret] of Object.entries(secrets))
    assert.ok(!holds(underTest, secret), `${name} is left; ${seed}`);
};

test('QZ-18: after each operation neither what went in nor what came out secret is left in the memory', () => {
  const underTest = freshKernel();
  const { kernel } = underTest;
  const [scalar, point, prk, message, kemSeed] = [32, 32, 32, 32, 64].map((n) => random.bytes(n));
  const shared = kernel.x25519(scalar!, point!);
  clean(underTest, { scalar: scalar!, shared });
  const okm = kernel.expand(prk!, random.bytes(40), 96);
  const mac = kernel.hmac(prk!, message!);
  const digest = kernel.sha256(message!);
  clean(underTest, { prk: prk!, okm, mac, digest, message: message! });
  const ek = kernel.mlkemPublicKey(kemSeed!);
  clean(underTest, { kemSeed: kemSeed! });
  const { ciphertext, secret } = kernel.mlkemEncapsulate(ek, message!);
  clean(underTest, { message: message!, secret });
  const decapsulated = kernel.mlkemDecapsulate(kemSeed!, ciphertext);
  assert.deepEqual(decapsulated, secret);
  clean(underTest, { kemSeed: kemSeed!, secret });
  const [key, nonce] = [random.bytes(32), random.bytes(12)];
  kernel.aeadSeal(key, nonce, random.bytes(13), random.bytes(1000));
  clean(underTest, { key });
});

test('QZ-18: a released key leaves its slot', () => {
  const underTest = freshKernel();
  const key = random.bytes(32);
  const held = underTest.kernel.hold('seal', key);
  underTest.kernel.seal(held, new Uint8Array(0), random.bytes(300));
  assert.ok(holds(underTest, key), 'the search can find a key');
  underTest.kernel.release(held);
  clean(underTest, { key });
});

test('QZ-18: keys beyond the slots are in the memory only while they are used', () => {
  const underTest = freshKernel();
  for (let i = 1; i < underTest.raw.SLOT_COUNT.value; i++) underTest.kernel.hold('open', random.bytes(32));
  const key = random.bytes(32);
  const held = underTest.kernel.hold('seal', key);
  underTest.kernel.seal(held, new Uint8Array(0), random.bytes(300));
  clean(underTest, { key });
  underTest.kernel.wipe();
  assert.ok(
    held.parked!.every((byte) => byte === 0),
    'the parked copy is wiped with the rest',
  );
});

test('QZ-18: after wipe() the memory equals that of an instance that has never worked', () => {
  const underTest = freshKernel();
  const before = underTest.memory.slice();
  const crypto = wasmCrypto(underTest.kernel, { random: random.bytes, verify });
  const offer = crypto.offer();
  const answer = crypto.answer(offer.share);
  const secret = offer.finish(answer.share);
  const prk = crypto.extract(secret, random.bytes(50));
  const sealer = crypto.sealer(crypto.expand(prk, random.bytes(20), 32));
  const opener = crypto.opener(random.bytes(32));
  const sealed = sealer.seal(random.bytes(13), random.bytes(16_384));
  opener.open(random.bytes(13), sealed);
  assert.notDeepEqual(underTest.memory, before);
  underTest.kernel.wipe();
  assert.ok(Buffer.compare(underTest.memory, before) === 0, seed);
});

test('QZ-18: an offer forgets its private halves when it is used, wiped or answered wrongly', () => {
  const { kernel } = freshKernel();
  const drawn: Uint8Array[] = [];
  const remember = (length: number): Uint8Array => {
    drawn.push(random.bytes(length));
    return drawn.at(-1)!;
  };
  const crypto = wasmCrypto(kernel, { random: remember, verify });
  const [used, wiped, refused] = [crypto.offer(), crypto.offer(), crypto.offer()];
  const answer = crypto.answer(used.share);
  used.finish(answer.share);
  wiped.wipe();
  assert.throws(() => refused.finish(new Uint8Array(1119)), RangeError);
  for (const offer of [used, wiped, refused]) assert.throws(() => offer.finish(answer.share), TypeError);
  for (const bytes of drawn)
    assert.ok(
      bytes.every((byte) => byte === 0),
      'randomness is wiped once it was used',
    );
});
