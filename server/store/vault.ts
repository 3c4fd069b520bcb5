/**
 * Secrets that the store has to give back, sealed before they are written: whoever has the database alone, a copy or a
 * backup of it, has none of them. AES-256-GCM (NIST SP 800-38D) under a key in a file of its own beside the role keys.
 *
 *     sealed = "v1." base64url( nonce 12 | ciphertext | tag 16 ),  AAD = UTF-8 of what it belongs to
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { base64url, unbase64url } from '../../protocol/bytes.ts';
import { readIfPresent, replaceFile } from './files.ts';

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const mark = 'v1.';

/** The file cannot be used, or a secret was sealed under another one. */
export class VaultError extends Error {
  readonly code = 'vault_unusable';
}

export class Vault {
  readonly #key: Uint8Array;

  private constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** @param folder of the role keys; makes the key at the first start. @throws VaultError */
  static open(folder: string): Vault {
    const file = join(folder, 'vault.aes');
    const kept = readIfPresent(file);
    const key = kept ?? randomBytes(32);
    if (key.length !== 32) throw new VaultError(`The key in ${file} is not 32 bytes; restore it from a backup.`);
    if (kept === undefined) replaceFile(file, key);
    return new Vault(key);
  }

  /** @param owner what it belongs to: sealed for one, it opens for no other. */
  seal(secret: string, owner: string): string {
    const nonce = randomBytes(nonceBytes);
    const sealing = createCipheriv(cipher, this.#key, nonce).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([nonce, sealing.update(secret, 'utf8'), sealing.final(), sealing.getAuthTag()]);
    return mark + base64url(sealed);
  }

  /** @throws VaultError for what was not sealed under this key for this owner. */
  open(sealed: string, owner: string): string {
    try {
      if (!sealed.startsWith(mark)) throw new VaultError('not sealed');
      const bytes = unbase64url(sealed.slice(mark.length));
      const opening = createDecipheriv(cipher, this.#key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
        .setAAD(Buffer.from(owner))
        .setAuthTag(bytes.subarray(-tagBytes));
      const body = opening.update(bytes.subarray(nonceBytes, -tagBytes));
      return Buffer.concat([body, opening.final()]).toString('utf8');
    } catch (cause) {
      throw new VaultError('A secret of the store does not open; restore the key that sealed it.', { cause });
    }
  }
}
