/**
 * The ephemeral keys of the next rekey or reconnect, made ahead while the tunnel is quiet (docs/protocol.md, "Rekey"):
 * making them is half of what an exchange costs the client. One offer at a time is ready; it is handed out once, to
 * whoever asks first, and is that one's to wipe from then on.
 *
 * Not a pool, and not for keys that live: what was not handed out is wiped with the tunnel.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto, KeyOffer } from '../../protocol/crypto.ts';

/** Quiet is when no record was sealed for so long; a busy tunnel is looked at again after as long. */
export const quietMs = 250;

export class PreparedOffers {
  /** The one that was given, but for `offer()`, which takes what is ready. */
  readonly crypto: Crypto;
  readonly #make: () => KeyOffer;
  readonly #clock: Clock;
  readonly #sealed: () => number;
  #ready: KeyOffer | undefined;
  #isOver = false;
  #cancel: () => void = () => {};

  /** @param sealed how many records were sealed until now */
  constructor(crypto: Crypto, clock: Clock, sealed: () => number) {
    this.#make = () => crypto.offer();
    this.#clock = clock;
    this.#sealed = sealed;
    this.crypto = Object.freeze<Crypto>({ ...crypto, offer: () => this.#take() });
    this.#plan();
  }

  /** Forgets the offer nobody took and makes none any more; asked all the same, it hands out fresh ones. */
  wipe(): void {
    this.#isOver = true;
    this.#cancel();
    this.#ready?.wipe();
    this.#ready = undefined;
  }

  #take(): KeyOffer {
    const ready = this.#ready;
    this.#ready = undefined;
    this.#plan();
    return ready ?? this.#make();
  }

  #plan(): void {
    this.#cancel();
    if (this.#isOver) return;
    const before = this.#sealed();
    this.#cancel = this.#clock.after(quietMs, () => {
      if (this.#sealed() === before) this.#ready = this.#make();
      else this.#plan();
    });
  }
}
