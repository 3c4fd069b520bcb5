/**
 * SHA-256 as FIPS 180-4 tells it, its constants computed from the primes they come from: the slow twin of
 * wasm/assembly/sha256.ts. Not for anything but tests.
 */

const primes = (count: number): bigint[] => {
  const found: bigint[] = [];
  for (let n = 2n; found.length < count; n++) if (found.every((prime) => n % prime !== 0n)) found.push(n);
  return found;
};

/** The first 32 bits of the fraction of the `degree`-th root: the largest r with r^degree <= n * 2^(32 degree). */
function fractionOfRoot(n: bigint, degree: bigint): number {
  const target = n << (32n * degree);
  let root = 0n;
  for (let bit = 1n << 40n; bit > 0n; bit >>= 1n) if ((root + bit) ** degree <= target) root += bit;
  return Number(root & 0xffffffffn);
}

/** Section 4.2.2 and section 5.3.3. */
const K = primes(64).map((prime) => fractionOfRoot(prime, 3n));
const initial = primes(8).map((prime) => fractionOfRoot(prime, 2n));

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** Section 5.1.1. */
function pad(message: Uint8Array): DataView {
  const padded = new Uint8Array((((message.length + 8) >> 6) + 1) << 6);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
  return view;
}

/** Section 6.2.2, step 1. */
function schedule(block: DataView, at: number): Uint32Array {
  const w = new Uint32Array(64);
  for (let t = 0; t < 16; t++) w[t] = block.getUint32(at + 4 * t);
  for (let t = 16; t < 64; t++) {
    const [x, y] = [w[t - 15]!, w[t - 2]!];
    const sigma0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const sigma1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w[t] = sigma1 + w[t - 7]! + sigma0 + w[t - 16]!;
  }
  return w;
}

export function sha256(message: Uint8Array): Uint8Array {
  const view = pad(message);
  const state = Uint32Array.from(initial);
  for (let at = 0; at < view.byteLength; at += 64) {
    const w = schedule(view, at);
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let t = 0; t < 64; t++) {
      const choice = (e & f) ^ (~e & g);
      const majority = (a & b) ^ (a & c) ^ (b & c);
      const t1 = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + K[t]! + w[t]!) | 0;
      const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0;
      [a, b, c, d, e, f, g, h] = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
    }
    for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) state[i]! += word;
  }
  const out = new DataView(new ArrayBuffer(32));
  for (const [i, word] of state.entries()) out.setUint32(4 * i, word);
  return new Uint8Array(out.buffer);
}
