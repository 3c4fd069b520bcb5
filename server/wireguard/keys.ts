/**
 * Keys, so typed that none can stand where another belongs, and X25519 on node:crypto (RFC 7748).
 *
 * Public halves and symmetric keys are branded bytes; private halves are objects that cannot be printed or exported.
 * Not for signatures, and not for the keys of Latchkey/1, which are other kinds (docs/protocol.md).
 */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { WireGuardError } from './errors.ts';
import { KEY_BYTES } from './limits.ts';

declare const kind: unique symbol;
type Bytes<K extends string> = Uint8Array & { readonly [kind]: K };

/** A peer's lasting X25519 public key: its name. */
export type StaticPublic = Bytes<'static public'>;
/** The X25519 public key of one handshake. */
export type EphemeralPublic = Bytes<'ephemeral public'>;
/** What a Diffie-Hellman gave; goes into the chaining key and is wiped. */
export type SharedSecret = Bytes<'shared secret'>;
/** The optional symmetric key of a pair of peers; all zero where there is none. */
export type PresharedKey = Bytes<'preshared key'>;
/** The ChaCha20-Poly1305 key of one direction of one session. */
export type TransportKey = Bytes<'transport key'>;

// DER around the 32 bytes (RFC 8410): the raw formats of node:crypto do not exist in Node 24.
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex');

/** The private half of a key; `P` is the kind of its public half, so a static key cannot serve as an ephemeral one. */
export class PrivateKey<P extends StaticPublic | EphemeralPublic> {
  readonly publicKey: P;
  readonly #key: KeyObject;

  /** Copies nothing and keeps no raw bytes: the caller wipes its own; OpenSSL clears its copy when this is collected. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== KEY_BYTES) throw new WireGuardError('key_malformed', 'A private key has 32 bytes.');
    const der = Buffer.concat([pkcs8Prefix, bytes]);
    try {
      this.#key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    } finally {
      der.fill(0);
    }
    const spki = createPublicKey(this.#key).export({ format: 'der', type: 'spki' });
    // The brand says whose public half this is; P is chosen by the one who makes the key.
    this.publicKey = Uint8Array.from(spki.subarray(spkiPrefix.length)) as Uint8Array as P;
  }

  /** @returns null where the result would be all zero, that is for a point of low order (RFC 7748 section 6.1). */
  exchange(remote: StaticPublic | EphemeralPublic): SharedSecret | null {
    try {
      const key = Buffer.concat([spkiPrefix, remote]);
      const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
      return diffieHellman({ privateKey: this.#key, publicKey }) as Uint8Array as SharedSecret;
    } catch {
      return null; // OpenSSL refuses to give an all-zero result; there is no other way to fail for 32 bytes
    }
  }
}

export type StaticPrivate = PrivateKey<StaticPublic>;
export type EphemeralPrivate = PrivateKey<EphemeralPublic>;

/** Makes a handshake's key from 32 random bytes, which it wipes. */
export function ephemeralKey(random: (length: number) => Uint8Array): EphemeralPrivate {
  const bytes = random(KEY_BYTES);
  try {
    return new PrivateKey<EphemeralPublic>(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** Reads a public key as people write it: base64 of 32 bytes, exactly. */
export function decodePublicKey(text: string): StaticPublic {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== text) {
    throw new WireGuardError('key_malformed', 'A WireGuard key is 44 characters of base64 for 32 bytes.');
  }
  return Uint8Array.from(bytes) as Uint8Array as StaticPublic;
}

export function encodePublicKey(key: StaticPublic): string {
  return Buffer.from(key).toString('base64');
}

/** A copy of `bytes`, or the all-zero key that stands for none (paper section 5.2). */
export function presharedKey(bytes: Uint8Array | undefined): PresharedKey {
  if (bytes !== undefined && bytes.length !== KEY_BYTES) {
    throw new WireGuardError('key_malformed', 'A preshared key has 32 bytes.');
  }
  return Uint8Array.from(bytes ?? new Uint8Array(KEY_BYTES)) as Uint8Array as PresharedKey;
}
