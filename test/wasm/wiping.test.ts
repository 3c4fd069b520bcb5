import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wasmCrypto } from '../../wasm/crypto.ts';
import { nobleCrypto } from '../support/noble-crypto.ts';
import { seeded } from './seeded.ts';
import { decapsulateFrom, freshKernel, publicKeyOf, type UnderTest } from './under-test.ts';

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

/** The names of the regions that hold what is public anyway and may stay until it is overwritten. */
type Door =
  | 'DSA_PUBLIC'
  | 'DSA_SIGNATURE'
  | 'POINT'
  | 'KEM_EK'
  | 'KEM_CIPHERTEXT'
  | 'AD'
  | 'NONCE'
  | 'SEAL_TEXT'
  | 'OPEN_TEXT'
  | 'SLOTS';

/** Whether the memory outside these doors is that of an instance which has never worked: no secret in any form. */
function untouchedOutside({ raw, memory }: UnderTest, doors: Partial<Record<Door, number>>): void {
  const now = memory.slice();
  const never = freshKernel().memory;
  for (const [door, length] of Object.entries(doors) as [Door, number][]) {
    const from = raw[door].value;
    now.set(never.subarray(from, from + length), from);
  }
  const at = now.findIndex((byte, i) => byte !== never[i]);
  assert.equal(at, -1, `something is left at ${at}; ${seed}`);
}

test('QZ-18: each operation leaves nothing in the memory but what is public', () => {
  const underTest = freshKernel();
  const { kernel } = underTest;
  const [ad, text] = [random.bytes(13), random.bytes(1000)];
  const [sealedText, kem] = [
    { AD: 16, SEAL_TEXT: 1016 },
    { KEM_EK: 1184, KEM_CIPHERTEXT: 1088 },
  ];

  kernel.sha256(random.bytes(20_000));
  untouchedOutside(underTest, {});
  kernel.hmac(random.bytes(100), random.bytes(70));
  untouchedOutside(underTest, {});
  kernel.hmac(random.bytes(32));
  untouchedOutside(underTest, {});
  kernel.expand(random.bytes(32), random.bytes(40), 100);
  untouchedOutside(underTest, {});
  kernel.x25519(random.bytes(32), random.bytes(32));
  untouchedOutside(underTest, { POINT: 32 });
  kernel.x25519(random.bytes(32), new Uint8Array(32));

  const kemSeed = random.bytes(64);
  const ek = publicKeyOf(kernel, kemSeed);
  untouchedOutside(underTest, { KEM_EK: 1184 });
  const { ciphertext } = kernel.mlkemEncapsulate(ek, random.bytes(32));
  untouchedOutside(underTest, kem);
  decapsulateFrom(kernel, kemSeed, ciphertext);
  untouchedOutside(underTest, kem);
  assert.throws(() => kernel.mlkemEncapsulate(new Uint8Array(1184).fill(255), random.bytes(32)), RangeError);
  untouchedOutside(underTest, kem);

  const dsaSeed = random.bytes(32);
  const dsaKey = kernel.mldsa.publicKey(dsaSeed);
  untouchedOutside(underTest, { ...kem, DSA_PUBLIC: 1952 });
  const dsa = { DSA_PUBLIC: 1952, DSA_SIGNATURE: 3309 };
  const signature = kernel.mldsa.sign(dsaSeed, random.bytes(300), random.bytes(20), random.bytes(32));
  untouchedOutside(underTest, { ...kem, ...dsa });
  kernel.mldsa.verify(dsaKey, random.bytes(300), random.bytes(20), signature);
  untouchedOutside(underTest, { ...kem, ...dsa });
  Object.assign(kem, dsa);

  const [key, nonce] = [random.bytes(32), random.bytes(12)];
  const sealed = kernel.aeadSeal(key, nonce, ad, text).slice();
  untouchedOutside(underTest, { ...kem, ...sealedText });
  sealed[0]! ^= 1;
  kernel.aeadOpen(key, nonce, ad, sealed);
  untouchedOutside(underTest, { ...kem, ...sealedText });
  sealed[0]! ^= 1;
  kernel.aeadOpen(key, nonce, ad, sealed);
  untouchedOutside(underTest, { ...kem, ...sealedText, OPEN_TEXT: 1016 });
});

test('QZ-18: a record leaves nothing in the memory but its key in its slot and its ciphertext', () => {
  const underTest = freshKernel();
  const held = underTest.kernel.hold('seal', random.bytes(32));
  const slots = underTest.raw.SLOT_COUNT.value * underTest.raw.SLOT_SIZE.value;
  for (const length of [0, 5, 192, 448, 449]) {
    underTest.kernel.seal(held, random.bytes(13), random.bytes(length));
    untouchedOutside(underTest, { SLOTS: slots, AD: 16, NONCE: 16, SEAL_TEXT: 500 });
  }
  underTest.kernel.release(held);
  untouchedOutside(underTest, { AD: 16, NONCE: 16, SEAL_TEXT: 500 });
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
  underTest.kernel.mldsa.sign(random.bytes(32), random.bytes(300), random.bytes(20), random.bytes(32));
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
