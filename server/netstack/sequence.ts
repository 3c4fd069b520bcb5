/**
 * Sequence number arithmetic modulo 2^32 (RFC 9293 section 3.4). Numbers are unsigned 32-bit integers held as
 * JavaScript numbers; comparisons are only meaningful between numbers less than 2^31 apart.
 */

/** a + n */
export function add(a: number, n: number): number {
  return (a + n) >>> 0;
}

/** a - b as a signed distance: negative when a is before b. */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}

/** a < b */
export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** a > b */
export function after(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}
