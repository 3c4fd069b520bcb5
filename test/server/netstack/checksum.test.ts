import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addWords, finish } from '../../../server/netstack/checksum.ts';
import { slowChecksum } from './support/packets.ts';

test('sums the example of RFC 1071 section 3', () => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  assert.equal(finish(addWords(bytes, 0, 8, 0)), ~0xddf2 & 0xffff);
});

test('agrees with the checksum by the book for every length and start', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (bytes, offset) => {
      const start = Math.min(offset, bytes.length);
      assert.equal(finish(addWords(bytes, start, bytes.length, 0)), slowChecksum(bytes.slice(start)));
    }),
  );
});

test('does not overflow on the largest packet of ones', () => {
  const bytes = new Uint8Array(65_535).fill(0xff);
  assert.equal(
    finish(addWords(bytes, 0, bytes.length, 2 * 65_535)),
    slowChecksum(Uint8Array.from([0xff, 0xff, ...bytes])),
  );
});
