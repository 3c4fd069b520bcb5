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
 * @param bytes the length of the whole.
 */
export function* downloadBytes(bytes: number): Generator<Buffer> {
  for (let n = 0; n * chunkBytes < bytes; n += 1) {
    const chunk = Buffer.from(pattern.subarray(n % 256, (n % 256) + chunkBytes));
    chunk.writeBigUInt64BE(BigInt(n));
    yield chunk.subarray(0, Math.min(chunkBytes, bytes - n * chunkBytes));
  }
}

const pattern = Uint8Array.from({ length: chunkBytes + 256 }, (_, i) => (i * 31) & 0xff);

/** `?bytes=N` chooses the length; `?stop=M` breaks the connection after M bytes, to see what a visitor is shown. */
export async function answerDownload(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const bytes = clamp(url.searchParams.get('bytes'), defaultBytes);
  const stop = url.searchParams.has('stop') ? clamp(url.searchParams.get('stop'), 0) : undefined;
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': bytes,
    'Content-Disposition': 'attachment; filename="demo.bin"',
    'Cache-Control': 'no-store',
  });
  if (request.method === 'HEAD') response.end();
  else if (stop === undefined) await pipeline(Readable.from(downloadBytes(bytes)), response);
  else breakAfter(response, stop);
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
