/**
 * The built files of one origin. Only names that a build produces are looked up, below one folder; there is no
 * directory listing and nothing outside. A page that is not built yet is a sentence, not an empty answer.
 */
import { readFile } from 'node:fs/promises';
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

  /** @param folder one origin's part of the build, which may not exist yet */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param path of a URL, starting with a slash. @returns undefined for anything that is not a file of the build */
  async find(path: string): Promise<StaticFile | undefined> {
    const type = types[extname(path)];
    if (type === undefined || !pathPattern.test(path)) return undefined;
    try {
      const bytes = new Uint8Array(await readFile(join(this.#folder, path)));
      return { bytes, type, caching: cachingOf(path) };
    } catch (error) {
      if (missing.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  }
}

const missing = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG']);

/** Names below assets/ carry a hash of their content; everything else is asked for again each time. */
function cachingOf(path: string): string {
  return path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
}

/** A file with the headers of its kind. */
export function fileResponse(file: StaticFile, more: Readonly<Record<string, string>> = {}): Response {
  return new Response(file.bytes, { headers: { 'content-type': file.type, 'cache-control': file.caching, ...more } });
}
