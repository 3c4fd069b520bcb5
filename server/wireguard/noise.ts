/**
 * The symmetric state of Noise (revision 34, section 5.2) with BLAKE2s and ChaCha20-Poly1305: the running hash of what
 * was said, and the chaining key made of what both ends know.
 * Not for transport packets (keypair.ts), and not a Noise framework: the one pattern is in handshake.ts.
 */
import { createHash, createHmac } from 'node:crypto';
import { open, sealInto } from './aead.ts';
import type { PresharedKey, SharedSecret, TransportKey } from './keys.ts';
import { TAG_BYTES } from './limits.ts';

const none = new Uint8Array(0);
/** OpenSSL's, in a third of the time of JavaScript's. */
const blake2s = 'blake2s256';

/** BLAKE2s-256 of the concatenation. */
export function hash(...parts: Uint8Array[]): Uint8Array {
  const state = createHash(blake2s);
  for (const part of parts) state.update(part);
  return bytesOf(state.digest());
}

function bytesOf(digest: Buffer): Uint8Array {
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.length);
}

/** HMAC with it (RFC 2104), not BLAKE2's own keyed mode. */
function hmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  return bytesOf(createHmac(blake2s, key).update(message).digest());
}

/** Noise section 4.3: HKDF with HMAC-BLAKE2s, `count` outputs of 32 bytes. */
function derive(chainingKey: Uint8Array, input: Uint8Array, count: 1 | 2 | 3): Uint8Array[] {
  const secret = hmac(chainingKey, input);
  const outputs: Uint8Array[] = [];
  try {
    for (let n = 1; n <= count; n++) {
      const previous = outputs.at(-1) ?? none;
      const message = new Uint8Array(previous.length + 1);
      message.set(previous);
      message[previous.length] = n;
      outputs.push(hmac(secret, message));
      message.fill(0);
    }
    return outputs;
  } finally {
    secret.fill(0);
  }
}

/** Mutable; wiped by {@link split} or {@link wipe}, and of no use after that. */
export class SymmetricState {
  #hash: Uint8Array;
  #chainingKey: Uint8Array;
  #key: Uint8Array = none;
  #counter = 0;

  /** InitializeSymmetric for a protocol name longer than a hash, as ours is, then MixHash(prologue). */
  constructor(protocolName: Uint8Array, prologue: Uint8Array) {
    this.#hash = hash(protocolName);
    this.#chainingKey = Uint8Array.from(this.#hash);
    this.mixHash(prologue);
  }

  /** What both ends must agree on; public. */
  get transcript(): Uint8Array {
    return Uint8Array.from(this.#hash);
  }

  mixHash(data: Uint8Array): void {
    this.#hash = hash(this.#hash, data);
  }

  /** MixKey of a secret or, in a psk pattern, of an ephemeral public key. */
  mixKey(input: Uint8Array): void {
    const [chainingKey, key] = derive(this.#chainingKey, input, 2);
    this.#replace(chainingKey!, key!);
  }

  /** MixKey of a Diffie-Hellman that was made for this handshake alone, so its result is wiped. */
  mixSecret(secret: SharedSecret): void {
    this.mixKey(secret);
    secret.fill(0);
  }

  mixKeyAndHash(psk: PresharedKey): void {
    const [chainingKey, added, key] = derive(this.#chainingKey, psk, 3);
    this.mixHash(added!);
    added!.fill(0);
    this.#replace(chainingKey!, key!);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    sealInto(sealed, this.#key, this.#counter++, plaintext, this.#hash);
    this.mixHash(sealed);
    return sealed;
  }

  /** @returns null when the tag is wrong; the state is then good for nothing but {@link wipe}. */
  decryptAndHash(sealed: Uint8Array): Uint8Array | null {
    const plaintext = open(this.#key, this.#counter++, sealed, this.#hash);
    if (plaintext !== null) this.mixHash(sealed);
    return plaintext;
  }

  /** The two transport keys, initiator's first; ends the state. */
  split(): { initiator: TransportKey; responder: TransportKey } {
    const [initiator, responder] = derive(this.#chainingKey, none, 2);
    this.wipe();
    // Noise section 5.2, Split(): by their order these are the two directions.
    return { initiator: initiator as TransportKey, responder: responder as TransportKey };
  }

  /** A copy, for a message that may turn out not to be the answer. */
  fork(): SymmetricState {
    const copy = new SymmetricState(none, none);
    copy.#hash = Uint8Array.from(this.#hash);
    copy.#replace(Uint8Array.from(this.#chainingKey), Uint8Array.from(this.#key));
    copy.#counter = this.#counter;
    return copy;
  }

  wipe(): void {
    this.#chainingKey.fill(0);
    this.#key.fill(0);
    this.#hash.fill(0);
  }

  #replace(chainingKey: Uint8Array, key: Uint8Array): void {
    this.#chainingKey.fill(0);
    this.#key.fill(0);
    this.#chainingKey = chainingKey;
    this.#key = key;
    this.#counter = 0;
  }
}
