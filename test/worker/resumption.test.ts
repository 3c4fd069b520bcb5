import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Header } from '../../protocol/exchange/http.ts';
import { headersForRest, isRest, type Part, resumablePart } from '../../worker/tunnel/resumption.ts';
import { request } from './app-side.ts';

const tag: Header = ['etag', '"v1"'];
const ranges: Header = ['accept-ranges', 'bytes'];
const length: Header = ['content-length', '100'];

test('a whole file with a strong validator that comes in parts can be gone on with', () => {
  const part = resumablePart(request(), { status: 200, headers: [tag, ranges, length] });
  assert.deepEqual(part, { etag: '"v1"', coding: '', first: 0, last: 99, total: '100' });
});

test('a part that the page asked for can be gone on with, within its own bounds', () => {
  const headers: Header[] = [tag, ['content-range', 'bytes 200-299/1000'], length];
  const part = resumablePart(request(), { status: 206, headers });
  assert.deepEqual(part, { etag: '"v1"', coding: '', first: 200, last: 299, total: '1000' });
  assert.deepEqual(headersForRest([['Range', 'bytes=200-299']], part as Part, 50), [
    ['range', 'bytes=250-299'],
    ['if-range', '"v1"'],
  ]);
});

for (const [what, status, headers, fields] of [
  ['a weak validator', 200, [['etag', 'W/"v1"'], ranges, length], {}],
  ['no validator', 200, [ranges, length], {}],
  ['two validators', 200, [tag, ['etag', '"v2"'], ranges, length], {}],
  ['a validator that is none', 200, [['etag', 'v1'], ranges, length], {}],
  ['only a date', 200, [['last-modified', 'Thu, 01 Jan 2026 00:00:00 GMT'], ranges, length], {}],
  ['no ranges', 200, [tag, length], {}],
  ['ranges refused', 200, [tag, ['accept-ranges', 'none'], length], {}],
  ['no length', 200, [tag, ranges], {}],
  ['two lengths', 200, [tag, ranges, length, ['content-length', '200']], {}],
  ['a length that is none', 200, [tag, ranges, ['content-length', '1e2']], {}],
  ['several parts at once', 206, [tag, ['content-type', 'multipart/byteranges; boundary=x'], length], {}],
  ['a part that is not as long as it says', 206, [tag, ['content-range', 'bytes 0-9/100'], length], {}],
  ['an answer that is no file', 404, [tag, ranges, length], {}],
  ['a POST', 200, [tag, ranges, length], { method: 'POST' }],
  ['a HEAD', 200, [tag, ranges, length], { method: 'HEAD' }],
  ['a GET with a body', 200, [tag, ranges, length], { hasBody: true }],
] as const)
  test(`the rest of ${what} is not asked for`, () => {
    assert.equal(resumablePart(request(fields), { status, headers }), undefined);
  });

const part: Part = { etag: '"v1"', coding: 'gzip', first: 200, last: 299, total: '1000' };
const range: Header = ['content-range', 'bytes 250-299/1000'];

for (const [what, status, headers, isIt] of [
  ['the same validator and range', 206, [tag, range, ['content-encoding', 'gzip']], true],
  ['the coding left out, as If-Range allows', 206, [tag, range], true],
  ['another coding', 206, [tag, range, ['content-encoding', 'br']], false],
  ['another validator', 206, [['etag', '"v2"'], range], false],
  ['a weak validator', 206, [['etag', 'W/"v1"'], range], false],
  ['no validator', 206, [range], false],
  ['no range', 206, [tag], false],
  ['two ranges', 206, [tag, range, ['content-range', 'bytes 0-9/1000']], false],
  ['an earlier beginning', 206, [tag, ['content-range', 'bytes 249-299/1000']], false],
  ['an earlier end', 206, [tag, ['content-range', 'bytes 250-298/1000']], false],
  ['another length of the whole', 206, [tag, ['content-range', 'bytes 250-299/1001']], false],
  ['a range that is none', 206, [tag, ['content-range', 'bytes 299-250/1000']], false],
  ['another status', 200, [tag, range], false],
] as const)
  test(`an answer with ${what} ${isIt ? 'is' : 'is not'} the rest`, () => {
    assert.equal(isRest({ status, headers }, part, 50), isIt);
  });
