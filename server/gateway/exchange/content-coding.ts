/**
 * Undoes the content codings that the gateway has to see through (RFC 9110 section 8.4.1). The output is bounded by
 * backpressure, not by a limit: a small body that unpacks into a large one flows as slowly as its reader reads.
 */
import { Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { type Header, listItems, valuesOf } from './headers.ts';

type Decoder = (first: Uint8Array) => Transform;

/** By the first bytes of what is coded. */
const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['br', () => createBrotliDecompress()],
  // Some servers leave the frame of zlib away (RFC 9110 section 8.4.1.2, note); its first byte says its method, which is 8.
  ['deflate', ([first = 0]) => ((first & 0x0f) === 8 ? createInflate() : createInflateRaw())],
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
 * The plain bytes; none of none, whatever the coding. An error of the body or a broken coding rejects the iteration;
 * leaving it early frees everything.
 */
export function decode(body: AsyncIterable<Uint8Array>, codings: readonly string[]): AsyncIterable<Uint8Array> {
  return codings.reduceRight(undo, body);
}

async function* undo(coded: AsyncIterable<Uint8Array>, coding: string): AsyncGenerator<Uint8Array> {
  const make = decoders.get(coding);
  if (make === undefined) throw new TypeError('a coding that cannot be undone');
  const chunks = coded[Symbol.asyncIterator]();
  let first = await chunks.next();
  while (first.done !== true && first.value.length === 0) first = await chunks.next();
  if (first.done === true) return;
  const source = Readable.from(resumed(first.value, chunks), { objectMode: false });
  const decoder = make(first.value);
  source.once('error', (error) => decoder.destroy(error));
  try {
    // The zlib streams yield buffers as long as no encoding is set.
    for await (const chunk of source.pipe(decoder)) yield chunk as Buffer;
  } finally {
    source.destroy();
    decoder.destroy();
  }
}

async function* resumed(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* { [Symbol.asyncIterator]: () => rest };
}
