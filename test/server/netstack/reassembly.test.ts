import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_REASSEMBLY_PIECES } from '../../../server/netstack/limits.ts';
import { Reassembly } from '../../../server/netstack/reassembly.ts';
import { pattern } from './support/random.ts';

test('gives back the stream whatever the order, overlap and repetition of its pieces, across the wrap too', () => {
  const size = 400;
  const stream = pattern(size, 9);
  const piece = fc.tuple(fc.nat(size - 1), fc.integer({ min: 1, max: 60 }));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 80 }), fc.constantFrom(0, 0xffffff00, 0x7fffffff), (pieces, base) => {
      const reassembly = new Reassembly();
      const known = new Uint8Array(size);
      for (const [start, length] of pieces) {
        const end = Math.min(size, start + length);
        assert.ok(reassembly.insert((base + start) >>> 0, stream, start, end));
        known.fill(1, start, end);
      }
      assert.equal(reassembly.size, known.filter((byte) => byte === 1).length);
      let at = 0;
      for (let part = reassembly.take(base); part !== null; part = reassembly.take((base + at) >>> 0)) {
        assert.deepEqual(part, stream.slice(at, at + part.length));
        at += part.length;
      }
      const gap = known.indexOf(0);
      assert.equal(at, gap < 0 ? size : gap);
    }),
  );
});

test('keeps the bytes that came first when a later segment says otherwise', () => {
  const reassembly = new Reassembly();
  reassembly.insert(10, Uint8Array.of(1, 1, 1), 0, 3);
  reassembly.insert(8, Uint8Array.of(2, 2, 2, 2, 2, 2, 2), 0, 7);
  const parts: number[] = [];
  for (let part = reassembly.take(8); part !== null; part = reassembly.take(8 + parts.length)) parts.push(...part);
  assert.deepEqual(parts, [2, 2, 1, 1, 1, 2, 2]);
});

test('copies, so that the owner of a packet may reuse it, a Buffer included', () => {
  const reassembly = new Reassembly();
  const packet = Buffer.from('abc');
  reassembly.insert(5, packet, 0, 3);
  packet.fill(0);
  assert.deepEqual(Buffer.from(reassembly.take(5)!).toString(), 'abc');
});

test('refuses more pieces than it may keep', () => {
  const reassembly = new Reassembly();
  const byte = Uint8Array.of(1);
  for (let i = 0; i < MAX_REASSEMBLY_PIECES; i++) assert.ok(reassembly.insert(2 * i, byte, 0, 1));
  assert.equal(reassembly.insert(2 * MAX_REASSEMBLY_PIECES, byte, 0, 1), false);
  assert.equal(reassembly.size, MAX_REASSEMBLY_PIECES);
});
