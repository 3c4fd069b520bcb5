import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as bytes from '../../protocol/bytes.ts';

const { DecodeError, Reader, Writer } = bytes;

test('texts round trip and agree with the platform, for random bytes and strings', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
      assert.equal(bytes.hex(data), Buffer.from(data).toString('hex'));
      assert.deepEqual(bytes.unhex(bytes.hex(data)), data);
      assert.equal(bytes.base64url(data), Buffer.from(data).toString('base64url'));
      assert.deepEqual(bytes.unbase64url(bytes.base64url(data)), data);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
      assert.deepEqual(bytes.utf8(text), new TextEncoder().encode(text));
      assert.equal(bytes.utf8Decode(bytes.utf8(text)), text);
    }),
  );
});

test('UTF-8 is decoded exactly where the platform decodes it strictly', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), (data) => {
      const attempt = (decode: () => string): string | null => {
        try {
          return decode();
        } catch {
          return null;
        }
      };
      assert.equal(
        attempt(() => bytes.utf8Decode(data)),
        attempt(() => strict.decode(data)),
      );
    }),
    { numRuns: 20_000 },
  );
});

test('UTF-8 has one spelling: overlong forms, surrogates and cut sequences are refused', () => {
  for (const bad of [
    'c080',
    'c1bf',
    'e08080',
    'eda080',
    'f08080 80',
    'f4908080',
    'f5808080',
    'c3',
    'e282',
    '80',
    'ff',
    'c328',
  ])
    assert.throws(() => bytes.utf8Decode(bytes.unhex(bad.replace(' ', ''))), DecodeError, bad);
  assert.throws(() => bytes.utf8('\ud800'), TypeError);
});

test('hex and base64url have one spelling each', () => {
  for (const bad of ['0', 'zz', 'AB', '0x00']) assert.throws(() => bytes.unhex(bad), DecodeError, bad);
  for (const bad of ['A', 'AB', 'AAAAA', 'AA==', 'A+', 'A/', 'AAB', 'A A'])
    assert.throws(() => bytes.unbase64url(bad), DecodeError, bad);
});

test('a reader gives back what a writer took, in order', () => {
  const written = new Writer()
    .u8(1)
    .u16(0x0203)
    .u24(0x040506)
    .u32(0xfffefdfc)
    .u64(2n ** 64n - 1n)
    .u64(1_790_000_000_000)
    .vec8(Uint8Array.of(9))
    .vec16(Uint8Array.of(8, 8))
    .vec32(Uint8Array.of(7))
    .zeros(3)
    .done();
  assert.equal(
    bytes.hex(written),
    '01' +
      '0203' +
      '040506' +
      'fffefdfc' +
      'ffffffffffffffff' +
      '000001a0c4506c00' +
      '0109' +
      '00020808' +
      '0000000107' +
      '000000',
  );
  const reader = new Reader(written);
  assert.equal(reader.u8(), 1);
  assert.equal(reader.u16(), 0x0203);
  assert.equal(reader.u24(), 0x040506);
  assert.equal(reader.u32(), 0xfffefdfc);
  assert.equal(reader.u64(), 2n ** 64n - 1n);
  assert.equal(reader.time(), 1_790_000_000_000);
  assert.deepEqual(reader.vec8(), Uint8Array.of(9));
  assert.deepEqual(reader.vec16(), Uint8Array.of(8, 8));
  assert.deepEqual(reader.vec32(), Uint8Array.of(7));
  reader.zeros();
  reader.end();
});

test('a reader never reads past the end, and refuses trailing bytes, padding that is not zero, and endless time', () => {
  const three = () => new Reader(Uint8Array.of(0, 9, 1));
  const faults: ((reader: InstanceType<typeof Reader>) => unknown)[] = [
    (reader) => reader.u32(),
    (reader) => reader.u64(),
    (reader) => reader.vec16(),
    (reader) => reader.bytes(4),
    (reader) => reader.end(),
    (reader) => reader.zeros(),
  ];
  for (const fault of faults) assert.throws(() => fault(three()), DecodeError);
  assert.throws(() => new Reader(new Uint8Array(8).fill(255)).time(), DecodeError);
});

test('a writer refuses numbers that do not fit', () => {
  for (const fault of [
    () => new Writer().u8(256),
    () => new Writer().u8(-1),
    () => new Writer().u16(65_536),
    () => new Writer().u32(1.5),
    () => new Writer().u64(2n ** 64n),
    () => new Writer().u64(-1n),
    () => new Writer().u64(2 ** 53),
    () => new Writer().vec8(new Uint8Array(256)),
  ])
    assert.throws(fault, RangeError);
});

test('a writer grows, empties itself when done, and leaves its callers separate bytes', () => {
  const writer = new Writer();
  for (let i = 0; i < 1_000; i++) writer.u8(i & 0xff);
  const first = writer.done();
  assert.equal(first.length, 1_000);
  assert.ok(first.every((byte, i) => byte === (i & 0xff)));
  assert.equal(writer.done().length, 0);
});

test('comparison looks at content and length', () => {
  assert.ok(bytes.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  assert.ok(!bytes.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  assert.ok(!bytes.equal(Uint8Array.of(1, 2), Uint8Array.of(1)));
  assert.ok(bytes.isZero(new Uint8Array(4)));
  assert.ok(!bytes.isZero(Uint8Array.of(0, 0, 1)));
});

test('a copy of a Buffer has memory of its own', () => {
  const buffer = Buffer.from([1, 2, 3]);
  const copied = bytes.copy(buffer);
  buffer[0] = 9;
  assert.deepEqual(copied, Uint8Array.of(1, 2, 3));
});
