/**
 * The inverse in the field of 2^255 - 19, z^(p - 2) as RFC 7748 section 5 has it, two at a time; shapes and bounds in
 * field25519.ts. Not for other fields.
 */
import { pair } from './field25519';
import { multiply, square } from './field25519-products';

/** out = f^(2^times). */
function squareTimes(out: usize, f: usize, times: i32): void {
  square(out, f);
  for (let i = 1; i < times; i++) square(out, out);
}

/** out = f^(p-2), the inverse, and 0 for 0, in both lanes. The usual chain of 254 squarings; uses pairs 12 to 15. */
export function invert(out: usize, f: usize): void {
  const t0 = pair(12);
  const t1 = pair(13);
  const t2 = pair(14);
  const t3 = pair(15);
  square(t0, f); // 2
  squareTimes(t1, t0, 2); // 8
  multiply(t1, f, t1); // 9
  multiply(t0, t0, t1); // 11
  square(t2, t0); // 22
  multiply(t1, t1, t2); // 2^5 - 1
  squareTimes(t2, t1, 5);
  multiply(t1, t2, t1); // 2^10 - 1
  squareTimes(t2, t1, 10);
  multiply(t2, t2, t1); // 2^20 - 1
  squareTimes(t3, t2, 20);
  multiply(t2, t3, t2); // 2^40 - 1
  squareTimes(t2, t2, 10);
  multiply(t1, t2, t1); // 2^50 - 1
  squareTimes(t2, t1, 50);
  multiply(t2, t2, t1); // 2^100 - 1
  squareTimes(t3, t2, 100);
  multiply(t2, t3, t2); // 2^200 - 1
  squareTimes(t2, t2, 50);
  multiply(t1, t2, t1); // 2^250 - 1
  squareTimes(t1, t1, 5);
  multiply(out, t1, t0); // 2^255 - 21
}
