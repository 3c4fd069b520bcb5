/** Whole seconds until a moment, for people to read. */
export class Countdown {
  readonly #tell: (seconds: number | undefined) => void;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param tell called with each second left, and with undefined when there is nothing to count. */
  constructor(tell: (seconds: number | undefined) => void) {
    this.#tell = tell;
  }

  /** Counts from now; undefined counts nothing. */
  from(ms: number | undefined): void {
    this.stop();
    if (ms === undefined) return;
    const end = performance.now() + ms;
    const say = (): void => {
      const left = Math.ceil((end - performance.now()) / 1_000);
      if (left > 0) this.#tell(left);
      else this.stop();
    };
    this.#timer = setInterval(say, 250);
    say();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#tell(undefined);
  }
}
