import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { canDecode, decode } from '../../../../server/gateway/exchange/content-coding.ts';

const text = 'a page that says the same thing '.repeat(500);
const coded: [codings: string[], bytes: Buffer][] = [
  [['gzip'], gzipSync(text)],
  [['x-gzip'], gzipSync(text)],
  [['br'], brotliCompressSync(text)],
  [['deflate'], deflateSync(text)],
  // Without the zlib frame, as some servers mean it and every browser puts up with it.
  [['deflate'], deflateRawSync(text)],
  [['zstd'], zstdCompressSync(text)],
  [['gzip', 'br'], brotliCompressSync(gzipSync(text))],
];

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts).toString();
}

for (const [codings, bytes] of coded)
  test(`BR-1: undoes ${codings.join(' then ')} at any chunk size`, async () => {
    assert.ok(canDecode(codings));
    for (const size of [1, 7, bytes.length]) assert.equal(await all(decode(chunks(bytes, size), codings)), text);
  });

test('BR-1: a coded body of no bytes is an empty one, as services answer that say the coding of all they answer', async () => {
  for (const [codings] of coded) {
    assert.equal(await all(decode(chunks(Buffer.alloc(0), 64), codings)), '', codings.join());
    assert.equal(await all(decode(Readable.from([Buffer.alloc(0)]), codings)), '', codings.join());
  }
});

test('BR-1: a coded body that ends too early is an error, never a short page', async () => {
  for (const [codings, bytes] of coded)
    await assert.rejects(all(decode(chunks(bytes.subarray(0, bytes.length - 9), 64), codings)), codings.join());
});

test('BR-1: an error of the body comes out of the decoder', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield gzipSync(text).subarray(0, 20);
    throw Object.assign(new Error('cut'), { code: 'ECONNRESET' });
  }
  await assert.rejects(all(decode(broken(), ['gzip'])), { code: 'ECONNRESET' });
});

test('BR-1: knows what it cannot undo', () => {
  assert.equal(canDecode(['compress']), false);
  assert.equal(canDecode(['gzip', 'gzip', 'gzip']), false);
  assert.equal(canDecode(['constructor']), false);
});
