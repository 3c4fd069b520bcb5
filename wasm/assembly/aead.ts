/**
 * ChaCha20-Poly1305 (RFC 8439 section 2.8), in place. The tag is checked before anything is decrypted, inside, and
 * a text that fails it is wiped: no byte of a forged record ever reaches JavaScript.
 *
 * Not for the tunnel's records directly: those go through slots.ts, which owns the counter that makes the nonce.
 */
import * as chacha20 from './chacha20';
import { AD, AEAD_SCRATCH, AEAD_SCRATCH_SIZE, CHACHA_STREAM, KEY, NONCE, OPEN_TEXT, SEAL_TEXT, TAG_WANTED } from './memory';
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

/** Section 2.8: AD | zeros | ciphertext | zeros | their lengths. `text` has room for its padding behind it. */
function authenticate(adLength: usize, text: usize, length: usize, tag: usize): void {
  const adPadded = paddedTo16(adLength);
  const padded = paddedTo16(length);
  memory.fill(AD + adLength, 0, adPadded - adLength);
  memory.fill(text + length, 0, padded - length);
  poly1305.blocks(AD, adPadded);
  poly1305.blocks(text, padded);
  store<u64>(tag, <u64>adLength, 0);
  store<u64>(tag, <u64>length, 8);
  poly1305.blocks(tag, 16);
  poly1305.finish(tag);
}

/**
 * Block 0 makes the Poly1305 key (section 2.6), blocks 1 to 3 of the same call the first 192 bytes of key stream:
 * they stay in CHACHA_STREAM until encrypt() has used them.
 */
function begin(key: usize, nonce: usize): void {
  chacha20.setup(key, nonce);
  chacha20.stream(0);
  poly1305.setup(CHACHA_STREAM);
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

/** Section 2.4 from block 1 on; its own inverse. */
function encrypt(text: usize, length: usize): void {
  const head = min<usize>(length, chacha20.STRIDE - 64);
  mixTail(text, CHACHA_STREAM + 64, head);
  const end = text + length;
  let at = text + head;
  let counter: u32 = 4;
  for (; at + chacha20.STRIDE <= end; at += chacha20.STRIDE) {
    chacha20.apply(at, counter);
    counter += 4;
  }
  const rest = end - at;
  if (rest == 0) return; // public: the length of a record is on the wire
  chacha20.stream(counter);
  mixTail(at, CHACHA_STREAM, rest);
}

@inline
function forget(): void {
  memory.fill(AEAD_SCRATCH, 0, AEAD_SCRATCH_SIZE);
}

/** Encrypts SEAL_TEXT[0..length] under the key and nonce at these addresses and puts the tag behind it. */
export function sealWith(key: usize, nonce: usize, adLength: usize, length: usize): void {
  begin(key, nonce);
  encrypt(SEAL_TEXT, length);
  authenticate(adLength, SEAL_TEXT, length, TAG_WANTED);
  v128.store(SEAL_TEXT + length, v128.load(TAG_WANTED));
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
  begin(key, nonce);
  // The received tag stands where the padding goes. Block 0 has done its work, so there is room for the tag in its place.
  const received = CHACHA_STREAM;
  v128.store(received, v128.load(OPEN_TEXT + length));
  authenticate(adLength, OPEN_TEXT, length, TAG_WANTED);
  const genuine = difference(received, TAG_WANTED) == 0;
  if (genuine) encrypt(OPEN_TEXT, length); // public: whether a record was genuine is what the peer is told
  else memory.fill(OPEN_TEXT, 0, length + 16);
  forget();
  return genuine;
}

/** {@link sealWith} for the key and nonce at the doors KEY and NONCE, which are wiped. WireGuard packets and vectors. */
export function aeadSeal(adLength: usize, length: usize): void {
  sealWith(KEY, NONCE, adLength, length);
  memory.fill(KEY, 0, 32 + 16);
}

/** {@link openWith} for the key and nonce at the doors KEY and NONCE, which are wiped. */
export function aeadOpen(adLength: usize, length: usize): bool {
  const genuine = openWith(KEY, NONCE, adLength, length);
  memory.fill(KEY, 0, 32 + 16);
  return genuine;
}
