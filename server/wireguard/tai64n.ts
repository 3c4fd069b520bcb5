/**
 * TAI64N, the timestamp in an initiation (paper section 5.1, cr.yp.to/libtai/tai64.html): u64 seconds, u32 nanoseconds,
 * big-endian, so that later is greater byte by byte. A responder answers only what is newer than all it has answered.
 * Not a source of time for anything else: the other end's clock is never believed, only compared with itself.
 */
import type { Clock } from '../../protocol/clock.ts';
import { TIMESTAMP_BYTES } from './limits.ts';

/** 2^62, and the 10 s by which TAI was ahead of UTC in 1970. */
const epoch = 2n ** 62n + 10n;
/** The low 24 bits of the nanoseconds are cleared, as other implementations do: a clock's fine ticks identify it. */
const whitening = ~0xff_ffff;

/** @param ms milliseconds since the Unix epoch. */
export function encodeTai64n(ms: number): Uint8Array {
  const bytes = new Uint8Array(TIMESTAMP_BYTES);
  const view = new DataView(bytes.buffer);
  const seconds = Math.floor(ms / 1000);
  view.setBigUint64(0, BigInt(seconds) + epoch);
  view.setUint32(8, ((ms - seconds * 1000) * 1_000_000) & whitening);
  return bytes;
}

/** True when `a` is later than `b`. */
export function isLater(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) > 0;
}

/** Timestamps that only rise, also when the clock is set back or two are asked for in one tick. One for a device. */
export class StampIssuer {
  readonly #clock: Clock;
  #latestMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): Uint8Array {
    // 17 ms is the least step that survives the whitening.
    this.#latestMs = Math.max(this.#clock.now(), this.#latestMs + 17);
    return encodeTai64n(this.#latestMs);
  }
}
