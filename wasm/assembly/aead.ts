/**
 * ChaCha20-Poly1305 (RFC 8439 section 2.8), in place. Cipher and authenticator work side by side (chacha20.ts), so an
 * opened text is decrypted before its tag is known; the tag is compared inside, and a text that fails it is wiped: no
 * byte of a forged record ever reaches JavaScript.
 *
 * Not for the tunnel's records directly: those go through slots.ts, which owns the counter that makes the nonce.
 */
import * as chacha20 from './chacha20';
import { AD, AEAD_SCRATCH, AEAD_SCRATCH_SIZE, CHACHA_STREAM, KEY, NONCE, OPEN_TEXT, SEAL_TEXT, TAG_RECEIVED, TAG_WANTED } from './memory';
import * as poly1305 from './poly1305';

/** A global, not memory: wipe() has no business with it. */
let sealed: u64 = 0;

/** How many texts this module has encrypted since it was instantiated. */
export function sealedCount(): f64 {
  return <f64>sealed;
}

@inline
function paddedTo16(length: usize): usize {
  return (length + 15) & ~15;
}

/**
 * Block 0 makes the Poly1305 key (section 2.6), blocks 1 to 3 of the same call the first 192 bytes of key stream:
 * they stay in CHACHA_STREAM until the head of the text has used them. Then the additional data is authenticated.
 */
function begin(key: usize, nonce: usize, adLength: usize): void {
  chacha20.setup(key, nonce);
  chacha20.stream(AD, AD);
  poly1305.setup(CHACHA_STREAM);
  padTo16(AD, adLength);
  poly1305.blocks(AD, AD + paddedTo16(adLength));
}

/** Section 2.8: AD | zeros | ciphertext | zeros | their lengths. Here the last of it, then the tag to TAG_WANTED. */
function finish(adLength: usize, length: usize): void {
  store<u64>(TAG_WANTED, <u64>adLength, 0);
  store<u64>(TAG_WANTED, <u64>length, 8);
  poly1305.block(TAG_WANTED);
  poly1305.finish(TAG_WANTED);
}

/** There is room for it behind every text. */
function padTo16(text: usize, length: usize): void {
  memory.fill(text + length, 0, paddedTo16(length) - length);
}

/** XORs `length` bytes of key stream at `stream` into the text. */
function mixTail(text: usize, stream: usize, length: usize): void {
  const vectors = length & ~15;
  for (let i: usize = 0; i < vectors; i += 16) {
    v128.store(text + i, v128.xor(v128.load(text + i), v128.load(stream + i)));
  }
  for (let i = vectors; i < length; i++) {
    store<u8>(text + i, load<u8>(text + i) ^ load<u8>(stream + i));
  }
}

@inline
function headOf(length: usize): usize {
  return min<usize>(length, chacha20.STRIDE - 64);
}

/**
 * Section 2.4 from block 1 on. Poly1305 is always one step behind, at the ciphertext of the step before.
 * The last step has fewer than 256 bytes, perhaps none.
 */
function encrypt(text: usize, length: usize): void {
  const end = text + length;
  let behind = text;
  let at = text + headOf(length);
  mixTail(text, CHACHA_STREAM + 64, at - text);
  for (; at + chacha20.STRIDE <= end; at += chacha20.STRIDE) {
    chacha20.apply(at, behind, at);
    behind = at;
  }
  if (at < end) { // public: the length of a record is on the wire
    chacha20.stream(behind, at);
    behind = at;
    mixTail(at, CHACHA_STREAM, end - at);
  }
  padTo16(text, length);
  poly1305.blocks(behind, text + paddedTo16(length));
}

/** The other way. Poly1305 takes the ciphertext of each step before it is overwritten. */
function decrypt(text: usize, length: usize): void {
  padTo16(text, length);
  const end = text + length;
  let at = text + headOf(length);
  poly1305.blocks(text, text + paddedTo16(at - text));
  mixTail(text, CHACHA_STREAM + 64, at - text);
  for (; at + chacha20.STRIDE <= end; at += chacha20.STRIDE) chacha20.apply(at, at, at + chacha20.STRIDE);
  if (at < end) { // public: the length of a record is on the wire
    chacha20.stream(at, at + paddedTo16(end - at));
    mixTail(at, CHACHA_STREAM, end - at);
  }
}

@inline
function forget(): void {
  memory.fill(AEAD_SCRATCH, 0, AEAD_SCRATCH_SIZE);
}

/** Encrypts `length` bytes at `text` under the key and nonce at these addresses and puts the tag behind them. */
export function sealWith(key: usize, nonce: usize, text: usize, adLength: usize, length: usize): void {
  begin(key, nonce, adLength);
  encrypt(text, length);
  finish(adLength, length);
  v128.store(text + length, v128.load(TAG_WANTED));
  forget();
  sealed++;
}

/** @returns 0 when the two tags are equal; every byte is looked at. */
function difference(a: usize, b: usize): u64 {
  return (load<u64>(a) ^ load<u64>(b)) | (load<u64>(a, 8) ^ load<u64>(b, 8));
}

/**
 * Decrypts OPEN_TEXT[0..length], whose tag is behind it.
 * @returns whether the tag matched; if it did not, OPEN_TEXT is zeros.
 */
export function openWith(key: usize, nonce: usize, adLength: usize, length: usize): bool {
  v128.store(TAG_RECEIVED, v128.load(OPEN_TEXT + length)); // it stands where the padding goes
  begin(key, nonce, adLength);
  decrypt(OPEN_TEXT, length);
  finish(adLength, length);
  const genuine = difference(TAG_RECEIVED, TAG_WANTED) == 0;
  if (!genuine) memory.fill(OPEN_TEXT, 0, length + 16); // public: whether a record was genuine is what the peer is told
  forget();
  return genuine;
}

/** {@link sealWith} for the key and nonce at the doors KEY and NONCE, which are wiped. WireGuard packets and vectors. */
export function aeadSeal(adLength: usize, length: usize): void {
  sealWith(KEY, NONCE, SEAL_TEXT, adLength, length);
  memory.fill(KEY, 0, 32 + 16);
}

/** {@link openWith} for the key and nonce at the doors KEY and NONCE, which are wiped. */
export function aeadOpen(adLength: usize, length: usize): bool {
  const genuine = openWith(KEY, NONCE, adLength, length);
  memory.fill(KEY, 0, 32 + 16);
  return genuine;
}
