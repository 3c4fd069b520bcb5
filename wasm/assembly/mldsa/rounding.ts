/**
 * High and low bits of coefficients (FIPS 204 section 7.4, algorithms 35 to 40), for gamma2 = (q - 1) / 32 and d = 13.
 * Arguments are in [0, q). Without division and without branches: the low bits of a signer are secret.
 *
 * Not for parameter sets with another gamma2.
 */
import { Q } from './arithmetic';

export const GAMMA2: i32 = 261888;
/** alpha of algorithm 36, which is 2^9 * 1023. */
const ALPHA: i32 = 2 * GAMMA2;

/** Algorithm 35: r1, in [0, 2^10); the low bits are r - r1 * 2^13. */
@inline
export function power2High(r: i32): i32 {
  return (r + 4095) >> 13;
}

/**
 * Algorithm 37: r1, in [0, 16). It is the floor of (r + gamma2 - 1) / alpha, and 0 instead of 16. Of x = 1023 k + m with
 * k <= 16 and m < 1023, (1025 (x + 1) - 1) / 2^20 = k + (1025 m + 1024 - k) / 2^20, whose second term is below 1.
 */
@inline
export function highBits(r: i32): i32 {
  const x = (r + GAMMA2 - 1) >> 9;
  return ((1025 * (x + 1) - 1) >> 20) & 15;
}

/** Algorithm 38: r0, within gamma2, where `high` is highBits(r). */
@inline
export function lowBits(r: i32, high: i32): i32 {
  const r0 = r - high * ALPHA;
  // Where 0 stands for 16, r0 is near q.
  return r0 - ((((Q - 1) >> 1) - r0) >> 31 & Q);
}

/** Algorithm 40: the high bits that `hint`, 0 or 1, corrects. */
@inline
export function useHint(hint: i32, r: i32): i32 {
  const high = highBits(r);
  // 1 when r0 > 0, otherwise -1.
  const direction = ((-lowBits(r, high) >> 31) & 2) - 1;
  return (high + direction * hint) & 15;
}
