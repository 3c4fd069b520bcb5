/** The packets' AEAD in Wasm held against node:crypto's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, sealInto } from '../../../server/wireguard/aead.ts';
import { openPacket, sealPacket } from '../../../server/wireguard/packet-aead.ts';
import { newSeed, Seeded } from './seeded.ts';

const seeded = new Seeded(newSeed());
const random = (length: number) => seeded.bytes(length);
const lengths = [0, 1, 15, 16, 17, 63, 64, 255, 256, 257, 1_420, 1_424, 9_000];
const counters = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1];

test('BR-7: seals and opens as node:crypto does, at every length and counter', () => {
  for (const length of lengths) {
    for (const counter of counters) {
      const key = random(32);
      const text = random(length);
      const expected = new Uint8Array(length + 16);
      sealInto(expected, key, counter, text);
      const body = new Uint8Array(length + 16);
      body.set(text);
      sealPacket(body, key, counter);
      assert.deepEqual(body, expected, `${length} bytes, counter ${counter}, seed ${seeded.seed}`);
      assert.deepEqual(open(key, counter, body), text);
      assert.deepEqual(openPacket(key, counter, body), text);
    }
  }
});

test('a forgery is null, and its bytes stay as they came', () => {
  const key = random(32);
  const genuine = new Uint8Array(100 + 16);
  sealPacket(genuine, key, 7);
  for (let bit = 0; bit < genuine.length * 8; bit++) {
    const forged = Uint8Array.from(genuine);
    forged[bit >> 3]! ^= 1 << (bit & 7);
    const before = Uint8Array.from(forged);
    assert.equal(openPacket(key, 7, forged), null);
    assert.deepEqual(forged, before);
  }
  assert.equal(openPacket(key, 8, Uint8Array.from(genuine)), null);
  for (const length of [0, 1, 15]) assert.equal(openPacket(key, 7, new Uint8Array(length)), null);
});
