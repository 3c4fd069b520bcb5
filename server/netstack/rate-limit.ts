/**
 * So many answers a second, for one connection. RFC 5961 section 7 wants challenge ACKs limited; a limit shared by
 * all connections would let one peer measure another's (CVE-2016-5696), so each connection has its own.
 */
export class RateLimit {
  readonly #perSecond: number;
  #second = -1;
  #used = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Whether one more is allowed at this time. */
  take(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#used = 0;
    }
    return this.#used++ < this.#perSecond;
  }
}
