/**
 * Repeatable randomness for differential runs: SHAKE256 of a seed and a counter. LATCHKEY_SEED repeats a run; the seed
 * stands in the message of every failure. Not for keys of anything real.
 */
import { createHash, randomBytes } from 'node:crypto';

export interface Seeded {
  readonly seed: string;
  bytes(length: number): Uint8Array;
  /** 0 … below - 1 */
  below(bound: number): number;
}

export function seeded(seed: string = process.env['LATCHKEY_SEED'] ?? randomBytes(8).toString('hex')): Seeded {
  let drawn = 0;
  const bytes = (length: number): Uint8Array => {
    if (length === 0) return new Uint8Array(0);
    const hash = createHash('shake256', { outputLength: length }).update(`${seed}|${drawn++}`);
    return new Uint8Array(hash.digest());
  };
  const below = (bound: number): number => Number(new DataView(bytes(8).buffer).getBigUint64(0) % BigInt(bound));
  return { seed, bytes, below };
}
