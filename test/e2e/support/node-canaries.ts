/**
 * Secrets of a run, and where they must not turn up. A secret that is bytes is looked for as bytes, as hexadecimal and
 * as both forms of base64; one that is text as it is.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Secret {
  readonly name: string;
  readonly forms: readonly Buffer[];
}

/** Below this a secret could turn up by chance. */
const shortestBytes = 12;

export class Canaries {
  readonly #secrets: Secret[] = [];

  /** How many are known. */
  get count(): number {
    return this.#secrets.length;
  }

  add(name: string, secret: Uint8Array | string): void {
    const bytes = Buffer.from(secret);
    if (bytes.length < shortestBytes) throw new TypeError(`${name} is too short to be looked for`);
    const texts = ['hex', 'base64', 'base64url'] as const;
    const forms = typeof secret === 'string' ? [] : texts.map((text) => Buffer.from(bytes.toString(text)));
    this.#secrets.push({ name, forms: [bytes, ...forms.map(withoutPadding)] });
  }

  /** Names of the secrets that stand in `haystack`. */
  in(haystack: Buffer | string): string[] {
    const bytes = Buffer.from(haystack);
    return this.#secrets.filter(({ forms }) => forms.some((form) => bytes.includes(form))).map(({ name }) => name);
  }

  /** `file: secret` for each secret in any file of a folder. */
  inFolder(folder: string): string[] {
    return filesOf(folder).flatMap((file) =>
      this.in(readFileSync(join(folder, file))).map((name) => `${file}: ${name}`),
    );
  }
}

/** Files below a folder; sockets are none. */
export function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function withoutPadding(form: Buffer): Buffer {
  return Buffer.from(form.toString().replace(/=+$/, ''));
}
