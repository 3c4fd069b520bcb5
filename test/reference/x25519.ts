/** X25519 as RFC 7748 section 5 tells it, in big integers: the slow twin of wasm/assembly/x25519.ts. Tests only. */
import { fromLittleEndian, toLittleEndian } from './integers.ts';

const p = (1n << 255n) - 19n;
const mod = (value: bigint): bigint => ((value % p) + p) % p;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let bit = 254n; bit >= 0n; bit--) {
    result = mod(result * result);
    if ((exponent >> bit) & 1n) result = mod(result * base);
  }
  return result;
}

export function x25519(scalar: Uint8Array, point: Uint8Array): Uint8Array {
  const k = (fromLittleEndian(scalar) & ((1n << 255n) - 8n)) | (1n << 254n);
  const x1 = mod(fromLittleEndian(point) & ((1n << 255n) - 1n));
  // (x2 : z2) = n P and (x3 : z3) = (n + 1) P for the bits n of k read so far.
  let [x2, z2, x3, z3] = [1n, 0n, x1, 1n];
  for (let t = 254n; t >= 0n; t--) {
    const swap = ((k >> t) & 1n) === 1n;
    if (swap) [x2, z2, x3, z3] = [x3, z3, x2, z2];
    const [a, b, c, d] = [x2 + z2, x2 - z2, x3 + z3, x3 - z3];
    const [aa, bb, da, cb] = [mod(a * a), mod(b * b), mod(d * a), mod(c * b)];
    const e = mod(aa - bb);
    [x2, z2] = [mod(aa * bb), mod(e * (aa + 121665n * e))];
    [x3, z3] = [mod((da + cb) ** 2n), mod(x1 * mod((da - cb) ** 2n))];
    if (swap) [x2, z2, x3, z3] = [x3, z3, x2, z2];
  }
  return toLittleEndian(mod(x2 * power(z2, p - 2n)), 32);
}
