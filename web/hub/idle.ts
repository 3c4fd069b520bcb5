/**
 * Notices that nobody is there. Seen are clicks, taps and keys (user activation, which a frame shares with the pages round
 * it, whatever their origins: HTML, section 6.4); pointers that move and wheels that turn are not.
 */
const everyMs = 1_000;

export class IdleWatch {
  #seenAt = Date.now();
  #isCalling = false;
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param onIdle never rejects; where it leaves this page as it is, it is called again after as long */
  constructor(limitMs: number, onIdle: () => Promise<void>) {
    this.#timer = setInterval(() => {
      if (navigator.userActivation?.isActive) this.seen();
      if (this.#isCalling || Date.now() - this.#seenAt < limitMs) return;
      this.#isCalling = true;
      void onIdle().finally(() => {
        this.#isCalling = false;
        this.seen();
      });
    }, everyMs);
  }

  /** Somebody is there, in another window. */
  seen(): void {
    this.#seenAt = Date.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
