/**
 * Where a document's shim comes from: a path on the app's own origin, or, for pages that allow inline script only, the
 * text of the same file as it was built.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Crypto } from '../../protocol/crypto.ts';
import type { ShimSource } from './exchange/response-rules.ts';

const shimPath = '/.latchkey/shim.js';

/** @param assets folder of the built browser files; without the file there, inline pages go without the shim. */
export function shimSource(assets: string, crypto: Pick<Crypto, 'random'>): ShimSource {
  return {
    path: shimPath,
    inline: textOf(join(assets, 'app', 'shim.js')),
    nonce: () => Buffer.from(crypto.random(16)).toString('base64'),
  };
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
