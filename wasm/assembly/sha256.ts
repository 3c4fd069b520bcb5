/**
 * SHA-256 (FIPS 180-4 section 6.2), streaming: begin, update any number of times, finish. One hash at a time.
 *
 * Not for passwords, and not for two hashes interleaved: the state is one static region.
 */
import { CHUNK, DIGEST, HASH_SCRATCH, HASH_SCRATCH_SIZE, SHA_BLOCK, SHA_STATE, SHA_WORDS } from './memory';

/** Section 4.2.2. */
const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** Bytes taken in so far; the low six bits say how many wait in SHA_BLOCK. */
let taken: u64 = 0;

/** Section 5.3.3. */
export function begin(): void {
  store<u32>(SHA_STATE, 0x6a09e667, 0);
  store<u32>(SHA_STATE, 0xbb67ae85, 4);
  store<u32>(SHA_STATE, 0x3c6ef372, 8);
  store<u32>(SHA_STATE, 0xa54ff53a, 12);
  store<u32>(SHA_STATE, 0x510e527f, 16);
  store<u32>(SHA_STATE, 0x9b05688c, 20);
  store<u32>(SHA_STATE, 0x1f83d9ab, 24);
  store<u32>(SHA_STATE, 0x5be0cd19, 28);
  taken = 0;
}

/** Goes on from a state saved after one block: HMAC's two pads. */
export function resume(state: usize): void {
  memory.copy(SHA_STATE, state, 32);
  taken = 64;
}

export function update(data: usize, length: usize): void {
  const end = data + length;
  let filled = <usize>(taken & 63);
  taken += <u64>length;
  while (data < end) { // public: how much is left
    const part = min<usize>(64 - filled, end - data);
    memory.copy(SHA_BLOCK + filled, data, part);
    data += part;
    filled += part;
    if (filled < 64) return; // public: a length
    compress(SHA_BLOCK);
    filled = 0;
  }
}

/** Section 5.1.1, then the digest to `out`. */
export function finish(out: usize): void {
  const filled = <usize>(taken & 63);
  store<u8>(SHA_BLOCK + filled, 0x80);
  memory.fill(SHA_BLOCK + filled + 1, 0, 63 - filled);
  if (filled >= 56) { // public: a length
    compress(SHA_BLOCK);
    memory.fill(SHA_BLOCK, 0, 56);
  }
  store<u64>(SHA_BLOCK, bswap<u64>(taken << 3), 56);
  compress(SHA_BLOCK);
  for (let i: usize = 0; i < 32; i += 4) store<u32>(out + i, bswap<u32>(load<u32>(SHA_STATE + i)));
}

@inline
function schedule(i: usize): u32 {
  return load<u32>(SHA_WORDS + (i << 2));
}

/** Section 6.2.2, step 1. */
function expand(block: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(SHA_WORDS + i, bswap<u32>(load<u32>(block + i)));
  for (let t: usize = 16; t < 64; t++) {
    const early = schedule(t - 15);
    const late = schedule(t - 2);
    const sigma0 = rotr<u32>(early, 7) ^ rotr<u32>(early, 18) ^ (early >> 3);
    const sigma1 = rotr<u32>(late, 17) ^ rotr<u32>(late, 19) ^ (late >> 10);
    store<u32>(SHA_WORDS + (t << 2), sigma1 + schedule(t - 7) + sigma0 + schedule(t - 16));
  }
}

/** Section 6.2.2, steps 2 to 4. */
function compress(block: usize): void {
  expand(block);
  let a = load<u32>(SHA_STATE, 0);
  let b = load<u32>(SHA_STATE, 4);
  let c = load<u32>(SHA_STATE, 8);
  let d = load<u32>(SHA_STATE, 12);
  let e = load<u32>(SHA_STATE, 16);
  let f = load<u32>(SHA_STATE, 20);
  let g = load<u32>(SHA_STATE, 24);
  let h = load<u32>(SHA_STATE, 28);
  for (let i: usize = 0; i < 256; i += 4) {
    const sum1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const t1 = h + sum1 + ((e & f) ^ (~e & g)) + load<u32>(K + i) + load<u32>(SHA_WORDS + i);
    const sum0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 0) + a, 0);
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 4) + b, 4);
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 8) + c, 8);
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 12) + d, 12);
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 16) + e, 16);
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 20) + f, 20);
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 24) + g, 24);
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 28) + h, 28);
}

/** Forgets the state and what was hashed last, HMAC's and HKDF's share included. */
export function forget(): void {
  memory.fill(HASH_SCRATCH, 0, HASH_SCRATCH_SIZE);
}

export function hashBegin(): void {
  begin();
}

/** Takes CHUNK[0..length], which is wiped: it may be a secret. */
export function hashUpdate(length: usize): void {
  update(CHUNK, length);
  memory.fill(CHUNK, 0, length);
}

/** Leaves the digest at DIGEST. */
export function hashFinish(): void {
  finish(DIGEST);
  forget();
}
