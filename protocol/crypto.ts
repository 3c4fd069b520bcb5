/**
 * What the protocol asks of a cryptographic library, so that the two ends can bring different ones:
 * the browser its Wasm kernels, the gateway node:crypto, the tests @noble with fixed randomness.
 * Every handshake is then an interoperability test of two independent implementations.
 *
 * No method takes a nonce: a {@link Sealer} owns its counter (docs/protocol.md, "Records").
 */

/** One half-finished hybrid key exchange, the side that speaks first. Good for one {@link KeyOffer.finish}. */
export interface KeyOffer {
  /** `share_c`: ML-KEM-768 encapsulation key (1184) | X25519 public key (32). */
  readonly share: Uint8Array;
  /**
   * @param answer `share_g`: ML-KEM ciphertext (1088) | X25519 public key (32).
   * @returns `ss_mlkem (32) | ss_x25519 (32)`; the caller checks the X25519 half for zero and wipes the whole.
   */
  finish(answer: Uint8Array): Uint8Array;
  /** Forgets the private halves; called in every outcome. */
  wipe(): void;
}

/** The other side of a {@link KeyOffer}, complete at once. */
export interface KeyAnswer {
  /** `share_g`, 1120 bytes. */
  readonly share: Uint8Array;
  /** `ss_mlkem (32) | ss_x25519 (32)`; the caller wipes it. */
  readonly secret: Uint8Array;
}

/** One direction of one key. The n-th call uses nonce 0^4 | n as u64 little-endian (RFC 8439 section 2.8). */
export interface Sealer {
  /**
   * @returns ciphertext | 16-byte tag. The view may be reused by the next `seal` of any sealer of the same
   * Crypto: copy it or hand it to the transport before sealing again.
   * @throws RangeError when the counter is used up or the key was wiped.
   */
  seal(ad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /**
   * As {@link seal}, for a transport that takes its time. @returns head | ciphertext | tag in memory that nothing
   * else uses until {@link release}. `head` is in clear; what must not be altered of it stands in `ad` too.
   */
  frame(head: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array<ArrayBuffer>;
  /** The transport has taken the frame; its memory may be used again. A second time does nothing. */
  release(frame: Uint8Array<ArrayBuffer>): void;
  /** Calls made so far, which is the counter of the next one. */
  readonly count: number;
  wipe(): void;
}

/** The receiving side of a {@link Sealer}. A failed tag does not advance the counter. */
export interface Opener {
  /** @returns the plaintext, or null when the tag does not match. The view follows the rule of {@link Sealer.seal}. */
  open(ad: Uint8Array, sealed: Uint8Array): Uint8Array | null;
  readonly count: number;
  wipe(): void;
}

/**
 * The receiving side of a {@link Sealer} whose output may be lost, repeated or reordered: the counter comes with each
 * message. Only opening takes one. Which counters are still good is the caller's to know (replay-window.ts).
 */
export interface DatagramOpener {
  /** As {@link Opener.open}. @param counter below 2^32. */
  open(counter: number, ad: Uint8Array, sealed: Uint8Array): Uint8Array | null;
  wipe(): void;
}

/** A composite id-MLDSA65-Ed25519-SHA512 key that can sign (draft-ietf-lamps-pq-composite-sigs). */
export interface Signer {
  /** ML-DSA-65 (1952) | Ed25519 (32). */
  readonly publicKey: Uint8Array;
  /** @returns ML-DSA (3309) | Ed25519 (64) over M' of the draft with `context` as ctx. */
  sign(message: Uint8Array, context: string): Promise<Uint8Array>;
}

export interface Crypto {
  random(length: number): Uint8Array;
  /** SHA-256 of the concatenation. */
  sha256(...parts: Uint8Array[]): Uint8Array;
  /** HMAC-SHA-256 of the concatenation of `parts`. */
  hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array;
  /** RFC 5869 section 2.2. */
  extract(salt: Uint8Array, ikm: Uint8Array): Uint8Array;
  /** RFC 5869 section 2.3. */
  expand(key: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** Fresh X25519 and ML-KEM-768 keys. */
  offer(): KeyOffer;
  /** @throws RangeError when the encapsulation key fails FIPS 203's modulus check or a length is wrong. */
  answer(share: Uint8Array): KeyAnswer;
  /** Copies the 32-byte key; the caller wipes its own. */
  sealer(key: Uint8Array): Sealer;
  opener(key: Uint8Array): Opener;
  datagramOpener(key: Uint8Array): DatagramOpener;
  /** Composite verification: both halves, Ed25519 under the one strict rule (protocol/ed25519-strict.ts). */
  verify(publicKey: Uint8Array, message: Uint8Array, context: string, signature: Uint8Array): Promise<boolean>;
}
