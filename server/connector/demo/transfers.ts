/** The demo service's large bodies: a download whose bytes anyone can compute, and an upload that answers with its digest. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const chunkBytes = 64 * 1024;
const maxBytes = 8 * 2 ** 30;
const defaultBytes = 64 * 2 ** 20;

/**
 * The body of a download: chunk n is its number as u64 and then the bytes `(i * 31 + n) mod 256`.
 * @param bytes the length of the whole. @param first where to begin.
 */
export function* downloadBytes(bytes: number, first = 0): Generator<Buffer> {
  for (let n = Math.floor(first / chunkBytes); n * chunkBytes < bytes; n += 1) {
    const chunk = Buffer.from(pattern.subarray(n % 256, (n % 256) + chunkBytes));
    chunk.writeBigUInt64BE(BigInt(n));
    yield chunk.subarray(Math.max(0, first - n * chunkBytes), Math.min(chunkBytes, bytes - n * chunkBytes));
  }
}

const pattern = Uint8Array.from({ length: chunkBytes + 256 }, (_, i) => (i * 31) & 0xff);

/**
 * `?bytes=N` chooses the length; `?stop=M` breaks the connection after M bytes, to see what a visitor is shown;
 * `?ranges=none` hands it out in one piece only, without a validator.
 */
export async function answerDownload(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const bytes = clamp(url.searchParams.get('bytes'), defaultBytes);
  const stop = url.searchParams.has('stop') ? clamp(url.searchParams.get('stop'), 0) : undefined;
  const etag = url.searchParams.get('ranges') === 'none' ? undefined : `"demo-${bytes}"`;
  const range = etag === undefined ? undefined : askedRange(request, etag, bytes);
  const [first, last] = range ?? [0, bytes - 1];
  response.writeHead(range === undefined ? 200 : 206, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': last - first + 1,
    'Content-Disposition': 'attachment; filename="demo.bin"',
    'Cache-Control': 'no-store',
    ...(etag !== undefined && { ETag: etag, 'Accept-Ranges': 'bytes' }),
    ...(range !== undefined && { 'Content-Range': `bytes ${first}-${last}/${bytes}` }),
  });
  if (request.method === 'HEAD') response.end();
  else if (stop === undefined) await pipeline(Readable.from(downloadBytes(last + 1, first)), response);
  else breakAfter(response, stop);
}

/** One range with both ends, of what the visitor began with; anything else is answered with the whole (RFC 9110 section 14.2). */
function askedRange(request: IncomingMessage, etag: string, bytes: number): [first: number, last: number] | undefined {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(request.headers.range ?? '') ?? [];
  const condition = request.headers['if-range'];
  if (first === undefined || (condition !== undefined && condition !== etag)) return undefined;
  const range: [number, number] = [Number(first), Math.min(Number(last), bytes - 1)];
  return range[0] <= range[1] ? range : undefined;
}

function breakAfter(response: ServerResponse, bytes: number): void {
  const source = Readable.from(downloadBytes(bytes));
  source.on('end', () => response.write('', () => response.destroy()));
  source.pipe(response, { end: false });
}

/** Answers `{"bytes","sha256"}` of the body. */
export async function answerUpload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify({ bytes, sha256: hash.digest('hex') }));
}

function clamp(text: string | null, otherwise: number): number {
  const value = text === null || !/^\d{1,12}$/.test(text) ? otherwise : Number(text);
  return Math.min(value, maxBytes);
}
