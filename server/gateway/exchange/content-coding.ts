/**
 * Undoes the content codings that the gateway has to see through (RFC 9110 section 8.4.1). The output is bounded by
 * backpressure, not by a limit: a small body that unpacks into a large one flows as slowly as its reader reads.
 */
import { Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { type Header, listItems, valuesOf } from './headers.ts';

const decoders: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['br', () => createBrotliDecompress()],
  ['deflate', () => createInflate()],
  ['zstd', () => createZstdDecompress()],
]);

/** The codings of a message, outermost last; `identity` counts as none. */
export function codingsOf(headers: readonly Header[]): string[] {
  return valuesOf(headers, 'content-encoding')
    .flatMap(listItems)
    .filter((coding) => coding !== 'identity');
}

/** Whether every one of them can be undone. */
export function canDecode(codings: readonly string[]): boolean {
  return codings.length <= 2 && codings.every((coding) => decoders.has(coding));
}

/**
 * The plain bytes. An error of the body or a broken coding rejects the iteration; leaving it early frees everything.
 */
export async function* decode(body: AsyncIterable<Uint8Array>, codings: readonly string[]): AsyncGenerator<Uint8Array> {
  let stream: Readable = Readable.from(body, { objectMode: false });
  const chain: Readable[] = [stream];
  for (const coding of codings.toReversed()) {
    const make = decoders.get(coding);
    if (make === undefined) throw new TypeError('a coding that cannot be undone');
    const decoder = make();
    stream.once('error', (error) => decoder.destroy(error));
    stream = stream.pipe(decoder);
    chain.push(stream);
  }
  try {
    // The zlib streams yield buffers as long as no encoding is set.
    for await (const chunk of stream) yield chunk as Buffer;
  } finally {
    for (const link of chain) link.destroy();
  }
}
