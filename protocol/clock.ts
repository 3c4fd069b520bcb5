/** Time as an argument: the protocol never reads a clock of its own. */
export interface Clock {
  /** Milliseconds since the Unix epoch, for documents. */
  now(): number;
  /** Milliseconds of a clock that never jumps, for timers and key ages. */
  monotonic(): number;
  /** Calls `run` once after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}
