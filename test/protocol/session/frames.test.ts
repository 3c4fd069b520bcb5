import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat, hex } from '../../../protocol/bytes.ts';
import { encodeMessage, encodePreamble, FrameReader, parseMessage } from '../../../protocol/frames.ts';

const record = (length: number): Uint8Array =>
  concat(Uint8Array.of(0x17, 9, length >> 8, length & 255), new Uint8Array(length).fill(7));
const handshake = (type: number, length: number): Uint8Array =>
  concat(Uint8Array.of(type, 0, length >> 8, length & 255), new Uint8Array(length).fill(type));

function framesOf(reader: FrameReader): string[] {
  const frames: string[] = [];
  for (let frame = reader.next(); frame; frame = reader.next()) frames.push(hex(frame));
  return frames;
}

test('splits a byte stream into the same frames whatever its pieces', () => {
  const frames = [handshake(1, 1334), record(80), record(16_400), handshake(6, 1), record(32)];
  const bytes = concat(...frames);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 30 }), (sizes) => {
      const reader = new FrameReader();
      const found: string[] = [];
      let at = 0;
      for (let i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length]!;
        reader.push(bytes.subarray(at, at + size));
        at += size;
        if (i % 2 === 0) found.push(...framesOf(reader));
      }
      found.push(...framesOf(reader));
      assert.deepEqual(found, frames.map(hex));
      reader.end();
    }),
    { numRuns: 200 },
  );
});

test('a frame inside one chunk is not copied', () => {
  const chunk = concat(record(32), record(48));
  const reader = new FrameReader();
  reader.push(chunk);
  assert.equal(reader.next()!.buffer, chunk.buffer);
  assert.equal(reader.next()!.buffer, chunk.buffer);
});

test('a long backlog of tiny pieces is taken in linear time', () => {
  const reader = new FrameReader();
  for (let i = 0; i < 3_000; i++) for (const byte of record(32)) reader.push(Uint8Array.of(byte));
  assert.equal(framesOf(reader).length, 3_000);
});

for (const [what, bytes] of [
  ['an unknown first byte', [0x18, 0, 0, 32]],
  ['type 0', [0, 0, 0, 1]],
  ['type 7', [7, 0, 0, 1]],
  ['a datagram', [0x44, 0, 0, 0]],
  ['a record above the limit', [0x17, 0, 0x40, 0x11]],
  ['a handshake frame above the limit', [0x04, 0, 0x40, 0x01]],
] as const)
  test(`refuses ${what}`, () => {
    const reader = new FrameReader();
    reader.push(Uint8Array.from(bytes));
    assert.throws(() => reader.next(), { code: 'malformed' });
    assert.throws(() => parseMessage(concat(new Uint8Array(8), Uint8Array.from(bytes))), { code: 'malformed' });
  });

test('a byte stream that ends inside a frame was cut', () => {
  const bytes = record(32);
  for (let cut = 1; cut < bytes.length; cut++) {
    const reader = new FrameReader();
    reader.push(bytes.subarray(0, cut));
    assert.equal(reader.next(), null);
    assert.throws(() => reader.end(), { code: 'cut' });
  }
});

test('a preamble of another version is refused, and half of one is waited for', () => {
  const bytes = encodePreamble(0x0102_0304_0506_0708n);
  const reader = new FrameReader();
  reader.push(bytes.subarray(0, 9));
  assert.equal(reader.preamble(), null);
  reader.push(bytes.subarray(9));
  assert.equal(reader.preamble(), 0x0102_0304_0506_0708n);
  const other = new FrameReader();
  other.push(Uint8Array.of(0x53, 2, 0, 0, 0, 0, 0, 0, 0, 2));
  assert.throws(() => other.preamble(), { code: 'malformed' });
});

test('a WebSocket message holds exactly one frame, or none at the end of a stream', () => {
  assert.equal(parseMessage(encodeMessage(6n, new Uint8Array(0))).frame.length, 0);
  for (const bytes of [
    encodeMessage(6n, concat(record(32), record(32))),
    encodeMessage(6n, record(32).subarray(0, 30)),
    encodeMessage(6n, Uint8Array.of(0x17, 0, 0)),
    new Uint8Array(7),
  ])
    assert.throws(() => parseMessage(bytes), { code: 'malformed' });
});
