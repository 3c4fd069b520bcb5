import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { Crypto } from '../../protocol/crypto.ts';
import { maxRecordsPerKey } from '../../protocol/limits.ts';
import { wasmCrypto } from '../../wasm/crypto.ts';
import { nobleCrypto } from '../support/noble-crypto.ts';
import { toHex } from './cases.ts';
import { freshKernel, type UnderTest } from './under-test.ts';

const ad = Uint8Array.of(1, 2, 3);
const text = new TextEncoder().encode('a record');
const { random, verify } = nobleCrypto();

function freshCrypto(): UnderTest & { crypto: Crypto } {
  const underTest = freshKernel();
  return { ...underTest, crypto: wasmCrypto(underTest.kernel, { random, verify }) };
}

const keyOf = (n: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => (n >> (8 * (i & 3))) & 255);

/** RFC 8439 with the nonce that the protocol gives to record `n`. */
function expected(key: Uint8Array, n: number): string {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(n), true);
  return toHex(chacha20poly1305(key, nonce, ad).encrypt(text));
}

test('QZ-16: the n-th record of a key has nonce n, whatever other keys do in between', () => {
  const { crypto, kernel } = freshCrypto();
  const [a, b] = [crypto.sealer(keyOf(1)), crypto.sealer(keyOf(2))];
  const opener = crypto.opener(keyOf(1));
  for (let n = 0; n < 300; n++) {
    const sealed = a.seal(ad, text);
    assert.equal(toHex(sealed), expected(keyOf(1), n));
    assert.deepEqual(opener.open(ad, sealed)!.slice(), text);
    if (n % 3 === 0) assert.equal(toHex(b.seal(ad, text)), expected(keyOf(2), n / 3));
  }
  assert.deepEqual([a.count, b.count, opener.count], [300, 100, 300]);
  assert.equal(kernel.sealed(), 400);
});

test('QZ-16: an opened record and a sealed one do not overwrite each other', () => {
  const { crypto } = freshCrypto();
  const [sealer, opener] = [crypto.sealer(keyOf(1)), crypto.opener(keyOf(2))];
  const theirs = crypto.sealer(keyOf(2)).seal(ad, new Uint8Array(100).fill(9)).slice();
  const sealed = sealer.seal(ad, text);
  const before = toHex(sealed);
  const opened = opener.open(ad, theirs)!;
  assert.equal(toHex(sealed), before);
  crypto.sealer(keyOf(3)).seal(ad, text);
  crypto.expand(crypto.hmac(keyOf(4), text), ad, 96);
  assert.deepEqual(opened.slice(), new Uint8Array(100).fill(9));
});

test('QZ-16: a forged, replayed or reordered record is refused and does not advance the counter', () => {
  const { crypto } = freshCrypto();
  const [sealer, opener] = [crypto.sealer(keyOf(1)), crypto.opener(keyOf(1))];
  const [first, second] = [sealer.seal(ad, text).slice(), sealer.seal(ad, text).slice()];
  const forged = first.slice();
  forged[0]! ^= 1;
  for (const bad of [forged, second, new Uint8Array(0), first.subarray(1)]) assert.equal(opener.open(ad, bad), null);
  assert.equal(opener.count, 0);
  assert.ok(opener.open(ad, first));
  assert.equal(opener.open(ad, first), null);
  assert.ok(opener.open(ad, second));
  assert.equal(opener.count, 2);
});

test('QZ-16: a used-up counter refuses to seal and to open, and never wraps', () => {
  for (const purpose of ['sealer', 'opener'] as const) {
    const { crypto, raw, memory } = freshCrypto();
    const handle = crypto[purpose](keyOf(1));
    const slot = findSlot(memory, raw.SLOTS.value, keyOf(1));
    const counter = new DataView(memory.buffer, slot + 32, 8);
    counter.setBigUint64(0, BigInt(maxRecordsPerKey) - 1n, true);
    const last = chacha20poly1305(keyOf(1), lastNonce(), ad).encrypt(text);
    const use = (): string => ('seal' in handle ? toHex(handle.seal(ad, text)) : toHex(handle.open(ad, last)!));
    assert.equal(use(), 'seal' in handle ? toHex(last) : toHex(text));
    assert.throws(use, RangeError);
    assert.throws(use, RangeError);
    assert.equal(counter.getBigUint64(0, true), BigInt(maxRecordsPerKey));
  }
});

function lastNonce(): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(4, maxRecordsPerKey - 1, true);
  return nonce;
}

function findSlot(memory: Uint8Array, from: number, key: Uint8Array): number {
  const at = Buffer.from(memory.buffer).indexOf(key, from);
  assert.ok(at >= from, 'the key is in its slot');
  return at;
}

test('QZ-16: a wiped key refuses; wiping it again leaves the next owner of its slot alone', () => {
  const { crypto, kernel } = freshCrypto();
  const old = crypto.sealer(keyOf(1));
  old.seal(ad, text);
  old.wipe();
  const next = crypto.sealer(keyOf(2));
  old.wipe();
  assert.throws(() => old.seal(ad, text), RangeError);
  assert.equal(old.count, 1);
  assert.equal(toHex(next.seal(ad, text)), expected(keyOf(2), 0));
  kernel.wipe();
  const after = crypto.sealer(keyOf(3));
  assert.throws(() => next.seal(ad, text), RangeError);
  next.wipe();
  assert.equal(toHex(after.seal(ad, text)), expected(keyOf(3), 0));
});

test('QZ-16: a key held for opening seals nothing, and the other way round', () => {
  const { kernel } = freshCrypto();
  const [seals, opens] = [kernel.hold('seal', keyOf(1)), kernel.hold('open', keyOf(1))];
  const sealed = kernel.seal(seals, ad, text).slice();
  assert.throws(() => kernel.seal(opens, ad, text), RangeError);
  assert.throws(() => kernel.open(seals, ad, sealed), RangeError);
  assert.ok(kernel.open(opens, ad, sealed));
});

test('QZ-16: more keys than slots go on with counters of their own', () => {
  const { crypto, kernel, raw } = freshCrypto();
  const many = raw.SLOT_COUNT.value + 20;
  const sealers = Array.from({ length: many }, (_, i) => crypto.sealer(keyOf(i)));
  for (let n = 0; n < 3; n++) {
    for (let i = 0; i < many; i += n === 0 ? 1 : 5) {
      const count = sealers[i]!.count;
      const sealed = toHex(sealers[i]!.seal(ad, text));
      if (i % 50 === 0 || i > many - 25) assert.equal(sealed, expected(keyOf(i), count), `key ${i}`);
    }
  }
  const spilled = sealers[many - 1]!;
  spilled.wipe();
  assert.throws(() => spilled.seal(ad, text), RangeError);
  const before = kernel.sealed();
  kernel.wipe();
  for (const sealer of sealers) assert.throws(() => sealer.seal(ad, text), RangeError);
  assert.equal(kernel.sealed(), before);
});

test('QZ-16: a sealer cannot be cloned into another tab or Worker, and two instances share no key', () => {
  const { crypto, kernel } = freshCrypto();
  const clone: object = structuredClone(crypto.sealer(keyOf(1)));
  assert.deepEqual([Object.keys(clone), 'seal' in clone], [[], false]);
  const other = freshKernel();
  assert.throws(() => other.kernel.seal(kernel.hold('seal', keyOf(1)), ad, text), RangeError);
});

test('QZ-16: no pair of key and nonce comes twice in a long random life of many keys', () => {
  const { crypto, kernel } = freshCrypto();
  const seen = new Set<string>();
  const live: { sealer: ReturnType<Crypto['sealer']>; name: number }[] = [];
  let [state, keys] = [12345, 0];
  const below = (bound: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % bound;
  };
  const zeros = new Uint8Array(16);
  for (let step = 0; step < 50_000; step++) {
    const choice = below(100);
    if (live.length === 0 || choice < 2) live.push({ sealer: crypto.sealer(keyOf(keys)), name: keys++ });
    else if (choice < 3) live.splice(below(live.length), 1)[0]!.sealer.wipe();
    else {
      // Zeros show the key stream: two equal ones would be a nonce used twice.
      const stream = toHex(live[below(live.length)]!.sealer.seal(ad, zeros).subarray(0, 16));
      assert.ok(!seen.has(stream), `step ${step}`);
      seen.add(stream);
    }
  }
  assert.equal(kernel.sealed(), seen.size);
});

test('refuses keys of another length', () => {
  const { crypto } = freshCrypto();
  for (const length of [0, 31, 33]) {
    assert.throws(() => crypto.sealer(new Uint8Array(length)), TypeError);
    assert.throws(() => crypto.opener(new Uint8Array(length)), TypeError);
  }
});
