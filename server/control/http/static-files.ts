/**
 * The built files of one origin. Only names that a build produces are looked up, below one folder; there is no
 * directory listing and nothing outside. Each file is held once, however many are reading it. A page that is not built yet is a sentence, not an empty answer.
 */
import { readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** A file as it is answered. */
export interface StaticFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly caching: string;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** Names of a build: no dot at the start of a part, so neither `..` nor hidden files. */
const pathPattern = /^(\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}){1,6}$/;

export class StaticFiles {
  readonly #folder: string;
  /** What was read, by path; no more than the files of the build, and read again when a new build changed one. */
  readonly #held = new Map<string, Held>();

  /** @param folder one origin's part of the build, which may not exist yet */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param path of a URL, starting with a slash. @returns undefined for anything that is not a file of the build */
  async find(path: string): Promise<StaticFile | undefined> {
    const type = types[extname(path)];
    if (type === undefined || !pathPattern.test(path)) return undefined;
    try {
      return { bytes: await this.#read(path), type, caching: cachingOf(path) };
    } catch (error) {
      this.#held.delete(path);
      if (missing.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  }

  async #read(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const name = join(this.#folder, path);
    const { mtimeMs, size } = await stat(name);
    const held = this.#held.get(path);
    if (held?.mtimeMs === mtimeMs && held.size === size) return held.bytes;
    const bytes = readFile(name).then((read) => new Uint8Array(read));
    this.#held.set(path, { mtimeMs, size, bytes });
    return bytes;
  }
}

interface Held {
  readonly mtimeMs: number;
  readonly size: number;
  /** A promise, so that those who come while it is being read share it too. */
  readonly bytes: Promise<Uint8Array<ArrayBuffer>>;
}

const missing = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG']);

/** Names below assets/ carry a hash of their content; everything else is asked for again each time. */
function cachingOf(path: string): string {
  return path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
}

/** A file with the headers of its kind. */
export function fileResponse(file: StaticFile, more: Readonly<Record<string, string>> = {}): Response {
  const { bytes, type, caching } = file;
  const headers = { 'content-type': type, 'cache-control': caching, 'content-length': String(bytes.length), ...more };
  return new Response(piecesOf(bytes), { headers });
}

const pieceLength = 64 * 1024;

/** Views of the held bytes, each made when the one before is on its way: a Response given the bytes would copy them. */
function piecesOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream(
    {
      pull(controller) {
        if (at < bytes.length) controller.enqueue(bytes.subarray(at, at + pieceLength));
        at += pieceLength;
        if (at >= bytes.length) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
