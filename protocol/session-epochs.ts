/**
 * The epochs a session has keys for: which one we seal under, which ones records may still come from, and when each
 * is forgotten (docs/protocol.md, "Rekey": who switches when). An epoch is installed once, promoted once, wiped once.
 * How the next one is agreed is in rekey.ts.
 */
import { wipe } from './bytes.ts';
import type { Clock } from './clock.ts';
import { oldKeyMs } from './limits.ts';
import { type EpochSecrets, wipeEpoch } from './schedule.ts';
import { SessionError } from './session-error.ts';
import { maxLiveEpochs, oldKeyGraceMs } from './session-limits.ts';

type LiveEpoch = {
  readonly secrets: EpochSecrets;
  readonly beganAt: number;
  /** When we began to seal under a later one. */
  supersededAt: number | undefined;
};

/** What the epochs ask of the session around them. */
export type EpochsHost = {
  /** Our sealing epoch reached the age at which both ends refuse it. */
  readonly onExpired: () => void;
  /** True while a stream has yet to receive its first record of a later epoch. */
  readonly inUse: (epoch: number) => boolean;
  /** Nothing of this epoch may be opened any more. */
  readonly onRetired: (epoch: number) => void;
  /** Old epochs were looked through; there may be room for new ones. */
  readonly onSwept: () => void;
};

export class SessionEpochs {
  readonly #clock: Clock;
  readonly #rejectAfterMs: number;
  readonly #host: EpochsHost;
  readonly #live = new Map<number, LiveEpoch>();
  #sending: number;
  #newest: number;
  #cancelExpiry: () => void = () => {};
  #cancelSweep: (() => void) | undefined;

  constructor(first: EpochSecrets, clock: Clock, rejectAfterMs: number, host: EpochsHost) {
    this.#clock = clock;
    this.#rejectAfterMs = rejectAfterMs;
    this.#host = host;
    this.#sending = first.number;
    this.#newest = first.number;
    this.#live.set(first.number, { secrets: first, beganAt: clock.monotonic(), supersededAt: undefined });
    this.#watchExpiry();
  }

  /** The epoch we seal under; its exporter is the session's. @throws SessionError once it is too old */
  get sending(): EpochSecrets {
    return this.opening(this.#sending);
  }

  get sendingNumber(): number {
    return this.#sending;
  }

  /** The last epoch we can open. */
  get newestNumber(): number {
    return this.#newest;
  }

  /** When the epoch we seal under began, on the monotonic clock. */
  get beganAt(): number {
    return this.#live.get(this.#sending)?.beganAt ?? this.#clock.monotonic();
  }

  /** Too many old epochs are still in use to begin another. */
  get isFull(): boolean {
    if (this.#live.size >= maxLiveEpochs) this.#retire((epoch) => !this.#host.inUse(epoch));
    return this.#live.size >= maxLiveEpochs;
  }

  /** The latest epoch a record's low byte can mean. */
  resolve(lowByte: number): number {
    return this.#newest - ((this.#newest - lowByte) & 0xff);
  }

  /** Whether {@link SessionEpochs.opening} has keys for it. */
  canOpen(epoch: number): boolean {
    const live = this.#live.get(epoch);
    return live !== undefined && this.#clock.monotonic() - live.beganAt < this.#rejectAfterMs;
  }

  /** How long ago we began to seal under a later one; 0 for the one we seal under and those to come. */
  supersededForMs(epoch: number): number {
    const at = this.#live.get(epoch)?.supersededAt;
    return at === undefined ? 0 : this.#clock.monotonic() - at;
  }

  /** @throws SessionError 'decrypt' for an epoch without keys, 'rekey_timeout' for one too old to use */
  opening(epoch: number): EpochSecrets {
    const live = this.#live.get(epoch);
    if (!live) throw new SessionError('decrypt', 'no keys for this epoch');
    if (this.#clock.monotonic() - live.beganAt >= this.#rejectAfterMs)
      throw new SessionError('rekey_timeout', 'epoch too old');
    return live.secrets;
  }

  /** From now on records of `next` can be opened. @throws SessionError when it is not the successor of the newest */
  install(next: EpochSecrets): void {
    if (next.number !== this.#newest + 1 || this.#sending !== this.#newest)
      throw new SessionError('internal', 'epoch installed out of turn');
    this.#newest = next.number;
    this.#live.set(next.number, { secrets: next, beganAt: this.#clock.monotonic(), supersededAt: undefined });
  }

  /** From now on we seal under the newest epoch. The last one can only be opened, and not for long. */
  promote(): void {
    if (this.#sending === this.#newest) throw new SessionError('internal', 'epoch promoted twice');
    const old = this.#live.get(this.#sending)!;
    old.supersededAt = this.#clock.monotonic();
    // The exporter stays as long as the keys: a question that the peer sealed before it heard of this is still to come.
    wipe(old.secrets.chain);
    this.#sending = this.#newest;
    this.#watchExpiry();
    this.#cancelSweep ??= this.#clock.after(oldKeyGraceMs, () => this.#sweep());
  }

  #watchExpiry(): void {
    this.#cancelExpiry();
    this.#cancelExpiry = this.#clock.after(this.beganAt + this.#rejectAfterMs - this.#clock.monotonic(), () =>
      this.#host.onExpired(),
    );
  }

  /** Runs every ten seconds while there are old epochs: the rest of one is forgotten after 30 s at the latest. */
  #sweep(): void {
    this.#cancelSweep = undefined;
    const now = this.#clock.monotonic();
    this.#retire((epoch, superseded) => {
      const age = now - superseded;
      return age >= oldKeyMs || (age >= oldKeyGraceMs && !this.#host.inUse(epoch));
    });
    if (this.#oldest() < this.#sending)
      this.#cancelSweep = this.#clock.after(this.#nextSweepMs(now), () => this.#sweep());
    this.#host.onSwept();
  }

  #oldest(): number {
    return Math.min(...this.#live.keys());
  }

  /** The next grace period, or the end of the oldest epoch's time if that is nearer. */
  #nextSweepMs(now: number): number {
    const oldest = this.#live.get(this.#oldest())?.supersededAt ?? now;
    return Math.max(1, Math.min(oldKeyGraceMs, oldest + oldKeyMs - now));
  }

  #retire(isOver: (epoch: number, supersededAt: number) => boolean): void {
    for (const [epoch, live] of this.#live) {
      if (live.supersededAt === undefined || !isOver(epoch, live.supersededAt)) continue;
      this.#live.delete(epoch);
      wipeEpoch(live.secrets);
      this.#host.onRetired(epoch);
    }
  }

  /** The end of the session: every key, and every timer. */
  wipe(): void {
    this.#cancelExpiry();
    this.#cancelSweep?.();
    for (const live of this.#live.values()) wipeEpoch(live.secrets);
    this.#live.clear();
  }
}
