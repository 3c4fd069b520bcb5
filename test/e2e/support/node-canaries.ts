/**
 * Secrets of a run, and where they must not turn up. A secret that is bytes is looked for as bytes, as hexadecimal and
 * as both forms of base64; one that is text as it is.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

interface Secret {
  readonly name: string;
  /** Beginning of the name of the file it is kept in, if it is kept at all. */
  readonly home: string | undefined;
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

  /** @param home a file of the installation that may hold it, relative to the data folder. */
  add(name: string, secret: Uint8Array | string, home?: string): void {
    const bytes = Buffer.from(secret);
    if (bytes.length < shortestBytes) throw new TypeError(`${name} is too short to be looked for`);
    const texts = ['hex', 'base64', 'base64url'] as const;
    const forms = typeof secret === 'string' ? [] : texts.map((text) => Buffer.from(bytes.toString(text)));
    this.#secrets.push({ name, home, forms: [bytes, ...forms.map(withoutPadding)] });
  }

  /** Every secret that an installation keeps in files of its own: keys of each role, of the gateway, of the connector. */
  addKept(data: string): void {
    const read = (file: string) => readFileSync(join(data, file));
    for (const file of filesOf(data).filter((name) => /^control\/keys\/.+\.key$/.test(name)))
      for (const half of [0, 32]) this.add(file, read(file).subarray(half, half + 32), file);
    const gateway = 'gateway/identity.json';
    // The stealth keys are no secret of its own: the descriptor tells them to every client.
    const { stealth: _, ...keys } = JSON.parse(read(gateway).toString()) as Record<string, string>;
    // Backups of rotations lie beside it: identity.TIME.json.
    const home = 'gateway/identity.';
    for (const key of Object.values(keys)) this.add(gateway, Buffer.from(key, 'base64url'), home);
    // PKCS #8: the key is its end.
    for (const file of ['connector/wireguard.pem', 'control/keys/ca.pem']) {
      const base64 = String(read(file)).replace(/-----[^-]+-----|\s/g, '');
      this.add(file, Buffer.from(base64, 'base64').subarray(-32), file);
    }
  }

  /** Names of the secrets that stand in `haystack`, which is the content of `file`. */
  in(haystack: Buffer | string, file?: string): string[] {
    const bytes = Buffer.from(haystack);
    const strangers = this.#secrets.filter(({ home }) => home === undefined || file?.startsWith(home) !== true);
    return strangers.filter(({ forms }) => forms.some((form) => bytes.includes(form))).map(({ name }) => name);
  }

  /** `file: secret` for each secret in a file of the installation that is not its own. */
  inFolder(data: string): string[] {
    return contentsOf(data).flatMap(({ file, bytes }) => this.in(bytes, file).map((name) => `${file}: ${name}`));
  }
}

/** Each file with its content and mode; one that a running product replaces meanwhile is left out. */
export function contentsOf(folder: string): { file: string; bytes: Buffer; mode: number }[] {
  return filesOf(folder).flatMap((file) => {
    try {
      const path = join(folder, file);
      return [{ file, bytes: readFileSync(path), mode: statSync(path).mode & 0o777 }];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

/** Files below a folder; sockets are none. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function withoutPadding(form: Buffer): Buffer {
  return Buffer.from(form.toString().replace(/=+$/, ''));
}
