import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat, utf8, Writer } from '../../../protocol/bytes.ts';
import {
  encodeRequestHead,
  encodeResponseHead,
  type Header,
  maxHeadBytes,
  RequestHeadReader,
  ResponseHeadReader,
} from '../../../protocol/exchange/http.ts';

const request = {
  method: 'PROPFIND',
  target: '/a%20b?q=\u00e4',
  headers: [
    [':dest', 'document'],
    ['accept', '*/*'],
    ['x-twice', '1'],
    ['x-twice', ''],
    ['x-latin', 'caf\u00e9'],
  ] as Header[],
};
const response = { status: 207, headers: [['set-cookie', 'a=b; Path=/']] as Header[] };
const body = utf8('body');

/** A request with one thing that a reader must refuse, written past the encoder's own checks. */
function rawRequest(method: string, target: string, headers: readonly (readonly [string, string])[], count?: number) {
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const writer = new Writer()
    .vec16(bytes(method))
    .vec16(bytes(target))
    .u16(count ?? headers.length);
  for (const [name, value] of headers) writer.vec16(bytes(name)).vec16(bytes(value));
  return new Writer().vec32(writer.done()).done();
}

test('a request head comes back as it was, with the body behind it', () => {
  const reader = new RequestHeadReader();
  assert.deepEqual(reader.push(concat(encodeRequestHead(request), body)), body);
  assert.deepEqual(reader.head, request);
});

test('a response head comes back as it was', () => {
  const reader = new ResponseHeadReader();
  assert.equal(reader.push(encodeResponseHead(response))?.length, 0);
  assert.deepEqual(reader.head, response);
});

test('lays the bytes out as the specification says', () => {
  const head = encodeRequestHead({ method: 'GET', target: '/', headers: [['a', 'b']] });
  assert.equal(Buffer.from(head).toString('hex'), '00000010000347455400012f000100016100' + '0162');
});

test('a head is found in pieces of any size', () => {
  const bytes = concat(encodeRequestHead(request), body);
  const head = bytes.length - body.length;
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new RequestHeadReader();
    let rest: Uint8Array | undefined;
    let at = 0;
    for (; rest === undefined; at += size) rest = reader.push(bytes.subarray(at, at + size));
    assert.deepEqual(reader.head, request);
    assert.deepEqual(concat(rest, bytes.subarray(at)), body, `${size} of ${head}`);
  }
});

test('nothing is a head before its last byte', () => {
  const bytes = encodeResponseHead(response);
  for (let cut = 0; cut < bytes.length; cut++) {
    const reader = new ResponseHeadReader();
    assert.equal(reader.push(bytes.subarray(0, cut)), undefined);
    assert.throws(() => reader.head, TypeError);
  }
});

const hostile: [string, Uint8Array][] = [
  ['a line break in a value', rawRequest('GET', '/', [['a', 'b\r\nc: d']])],
  ['a zero byte in a value', rawRequest('GET', '/', [['a', 'b\0']])],
  ['a colon in a name', rawRequest('GET', '/', [['a:b', 'c']])],
  ['an empty name', rawRequest('GET', '/', [['', 'c']])],
  ['a space in the target', rawRequest('GET', '/ HTTP/1.1', [])],
  ['a target that names a host', rawRequest('GET', 'http://elsewhere/', [])],
  ['an empty method', rawRequest('', '/', [])],
  ['a line break in the method', rawRequest('GET /\r\n', '/', [])],
  ['a count above what follows', rawRequest('GET', '/', [['a', 'b']], 2)],
  ['a count below what follows', rawRequest('GET', '/', [['a', 'b']], 0)],
];
for (const [what, bytes] of hostile)
  test(`refuses ${what}`, () => assert.throws(() => new RequestHeadReader().push(bytes), { code: 'malformed' }));

test('refuses a status that is none', () => {
  for (const status of [0, 99, 600, 65_535]) {
    const bytes = new Writer().vec32(new Writer().u16(status).u16(0).done()).done();
    assert.throws(() => new ResponseHeadReader().push(bytes), { code: 'malformed' });
  }
});

test('refuses too long a head by its length alone, and too many headers', () => {
  assert.throws(() => new RequestHeadReader().push(new Writer().u32(maxHeadBytes + 1).done()), { code: 'too_large' });
  const many = Array.from({ length: 257 }, (): [string, string] => ['a', '']);
  assert.throws(() => new RequestHeadReader().push(rawRequest('GET', '/', many)), { code: 'too_large' });
  assert.throws(() => encodeRequestHead({ method: 'GET', target: '/', headers: many }), { code: 'too_large' });
  const long = [['a', 'x'.repeat(40_000)] as const, ['b', 'x'.repeat(40_000)] as const];
  assert.throws(() => encodeResponseHead({ status: 200, headers: long }), { code: 'too_large' });
});

test('what no head may hold is not encoded either', () => {
  assert.throws(() => encodeRequestHead({ method: 'GET', target: '/', headers: [['a', 'b\nc']] }), TypeError);
  assert.throws(() => encodeRequestHead({ method: 'GET', target: '/', headers: [['a', '\u20ac']] }), TypeError);
  assert.throws(() => encodeResponseHead({ status: 42, headers: [] }), TypeError);
});

test('any bytes are a head, an ExchangeError, or too few', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(60), (bytes, length) => {
      const framed = concat(new Writer().u32(length).done(), bytes);
      try {
        new RequestHeadReader().push(framed);
      } catch (error) {
        assert.equal((error as Error).name, 'ExchangeError');
      }
    }),
    { numRuns: 3_000 },
  );
});
