/**
 * The ephemeral keys of a rekey or a handshake, made ahead while the tunnel is quiet (docs/protocol.md, "Rekey"): making
 * them is half of what an exchange costs the client. Only for an exchange that is announced, since whoever reads the
 * memory while an offer waits there can follow the exchange by listening: an offer lies ready for less than
 * {@link readyMs} and is wiped then. A Worker that is frozen wipes it when it wakes.
 *
 * One offer at a time is ready; it is handed out once, to whoever asks first, and is that one's to wipe from then on.
 * Not a pool, and not for keys that live.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto, KeyOffer } from '../../protocol/crypto.ts';

/** Quiet is when no record was sealed for so long; a busy tunnel is looked at again after as long. */
export const quietMs = 250;
/** What was announced begins within this time, or its offer is wiped. More than rekeySoonMs of protocol/limits.ts. */
export const readyMs = 5_000;

export class PreparedOffers {
  /** The one that was given, but for `offer()`, which takes what is ready. */
  readonly crypto: Crypto;
  readonly #make: () => KeyOffer;
  readonly #clock: Clock;
  readonly #sealed: () => number;
  #ready: KeyOffer | undefined;
  /** When the announcement is over; undefined without one. */
  #until: number | undefined;
  #isOver = false;
  #cancelPlan: () => void = () => {};
  #cancelEnd: () => void = () => {};

  /** @param sealed how many records were sealed until now */
  constructor(crypto: Crypto, clock: Clock, sealed: () => number) {
    this.#make = () => crypto.offer();
    this.#clock = clock;
    this.#sealed = sealed;
    this.crypto = Object.freeze<Crypto>({ ...crypto, offer: () => this.#take() });
  }

  /** An exchange is about to begin. While one is announced already, this changes nothing. */
  prepare(): void {
    if (this.#isOver || this.#until !== undefined) return;
    this.#until = this.#clock.monotonic() + readyMs;
    this.#cancelEnd = this.#clock.after(readyMs, () => this.#forget());
    this.#plan();
  }

  /** Forgets the offer nobody took and makes none ahead any more; asked all the same, it hands out fresh ones. */
  wipe(): void {
    this.#isOver = true;
    this.#forget();
  }

  #take(): KeyOffer {
    // The timer of a Worker that was frozen may come after this.
    if (this.#until !== undefined && this.#clock.monotonic() >= this.#until) this.#forget();
    const ready = this.#ready;
    this.#ready = undefined;
    this.#forget();
    return ready ?? this.#make();
  }

  #forget(): void {
    this.#cancelPlan();
    this.#cancelEnd();
    this.#ready?.wipe();
    this.#ready = undefined;
    this.#until = undefined;
  }

  #plan(): void {
    const before = this.#sealed();
    this.#cancelPlan = this.#clock.after(quietMs, () => {
      if (this.#sealed() === before) this.#ready = this.#make();
      else this.#plan();
    });
  }
}
