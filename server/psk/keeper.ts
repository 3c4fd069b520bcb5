/**
 * The gateway's side of one connector's pre-shared key, over time: runs the exchange (exchange.ts) inside the tunnel,
 * gives each new key to WireGuard, and says whether service traffic may flow. It may from the first session that was
 * made under an exchanged key on, and no longer when keys could not be renewed.
 * Knows neither WireGuard nor the network: both are arguments.
 */
import type { Duplex } from 'node:stream';
import { wipe } from '../../protocol/bytes.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { type Epoch, type Identities, messageBytes, PskError, PskInitiator } from './exchange.ts';
import { exchangeLimitMs, outOfStepMs, rejectAfterRenewals, retryFirstMs, retryLongestMs } from './limits.ts';
import { receive } from './messages.ts';

export interface PskKeeperOptions {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly identities: Identities;
  /** The control plane's key, 32 bytes; copied. */
  readonly first: Uint8Array;
  /** Connects to the connector's {@link pskPort} through the tunnel. */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>;
  /** The key that WireGuard's handshakes mix in from now on; to be copied. */
  readonly use: (key: Uint8Array) => void;
  /** Asks WireGuard for a new session at once. */
  readonly newSession: () => void;
  /** An exchange failed; it is tried again. */
  readonly onFailure: (error: unknown) => void;
  readonly renewMs: number;
}

/** What an operator may know of it. */
export interface PskStatus {
  /** Exchanges since the control plane's key; 0 for none yet. */
  readonly epoch: bigint;
  /** When the present key was made, milliseconds since the epoch of time; undefined for none yet. */
  readonly since: number | undefined;
}

export class PskKeeper {
  readonly #options: PskKeeperOptions;
  #first: Uint8Array;
  #epoch: Epoch;
  #since: number | undefined;
  #madeAt = 0;
  /** Under the present key or one before it, not under the first. */
  #hasSession = false;
  #heardAt: number;
  #pauseMs = retryFirstMs;
  #cancelTimer = () => {};
  #attempt: AbortController | undefined;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(options: PskKeeperOptions) {
    this.#options = options;
    this.#first = Uint8Array.from(options.first);
    this.#heardAt = options.clock.monotonic();
    this.#epoch = this.#begin();
  }

  get status(): PskStatus {
    return { epoch: this.#epoch.number, since: this.#since };
  }

  /** The key that was last given to {@link PskKeeperOptions.use}; a view. */
  get present(): Uint8Array {
    return this.#epoch.key;
  }

  /** Service traffic may flow. */
  get isReady(): boolean {
    return this.#hasSession && this.#now() - this.#madeAt < this.#options.renewMs * rejectAfterRenewals;
  }

  /** Resolves when service traffic may flow. @throws the signal's reason; PskError `closed` when the peer is gone */
  async ready(signal: AbortSignal): Promise<void> {
    while (!this.isReady) {
      signal.throwIfAborted();
      if (this.#closed) throw new PskError('closed');
      await new Promise<void>((resolve) => {
        const settle = () => {
          this.#waiting.delete(settle);
          signal.removeEventListener('abort', settle);
          resolve();
        };
        this.#waiting.add(settle);
        signal.addEventListener('abort', settle);
      });
    }
  }

  /** WireGuard has made a session with this peer, under the key it was last given. */
  sessionMade(): void {
    this.#heardAt = this.#now();
    if (this.#epoch.number === 0n || this.#hasSession) return;
    this.#hasSession = true;
    for (const settle of [...this.#waiting]) settle();
  }

  /** Another key of the control plane's: one of the two ends is new. The same again changes nothing. */
  restart(first: Uint8Array): void {
    if (Buffer.from(first).equals(this.#first)) return;
    wipe(this.#first);
    this.#first = Uint8Array.from(first);
    this.#fallBack();
  }

  close(): void {
    this.#closed = true;
    this.#hasSession = false;
    this.#abandon();
    wipe(this.#first, this.#epoch.key);
    for (const settle of [...this.#waiting]) settle();
  }

  /** What the attempt under way brings is of no use any more. */
  #abandon(): void {
    this.#cancelTimer();
    this.#attempt?.abort();
    this.#attempt = undefined;
  }

  #fallBack(): void {
    this.#abandon();
    wipe(this.#epoch.key);
    this.#hasSession = false;
    this.#since = undefined;
    this.#heardAt = this.#now();
    this.#epoch = this.#begin();
  }

  #begin(): Epoch {
    const epoch = { number: 0n, key: Uint8Array.from(this.#first) };
    this.#options.use(epoch.key);
    this.#pauseMs = retryFirstMs;
    this.#after(0);
    return epoch;
  }

  #after(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(ms, () => void this.#run());
  }

  async #run(): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const cancelLimit = this.#options.clock.after(exchangeLimitMs, () => attempt.abort());
    try {
      const epoch = await this.#exchange(attempt.signal);
      if (this.#attempt === attempt) this.#adopt(epoch);
      else wipe(epoch.key);
    } catch (error) {
      if (this.#attempt === attempt) this.#failed(error);
    } finally {
      cancelLimit();
    }
  }

  async #exchange(signal: AbortSignal): Promise<Epoch> {
    const { crypto, identities, connect } = this.#options;
    const half = new PskInitiator(crypto, identities, this.#epoch);
    let stream: Duplex | undefined;
    const cut = () => stream?.destroy();
    signal.addEventListener('abort', cut);
    try {
      stream = await connect(signal);
      stream.on('error', () => {}); // the read that waits learns of it
      signal.throwIfAborted();
      stream.write(half.offer);
      stream.write(half.confirm(await receive(stream, messageBytes.answer)));
      const epoch = half.done(await receive(stream, messageBytes.done));
      stream.end();
      return epoch;
    } catch (error) {
      stream?.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', cut);
      half.wipe();
    }
  }

  #adopt(epoch: Epoch): void {
    wipe(this.#epoch.key);
    this.#epoch = epoch;
    this.#madeAt = this.#now();
    this.#heardAt = this.#madeAt;
    this.#since = this.#options.clock.now();
    this.#pauseMs = retryFirstMs;
    this.#options.use(epoch.key);
    // The session in use was made under the control plane's key. No connection to a service begins in that one; those
    // that were open when the gateway's own key was rotated go on in it until this exchange is done.
    if (!this.#hasSession) this.#options.newSession();
    for (const settle of [...this.#waiting]) settle();
    this.#after(this.#options.renewMs);
  }

  #failed(error: unknown): void {
    this.#options.onFailure(error);
    if (this.#epoch.number > 0n && this.#now() - this.#heardAt > outOfStepMs) {
      this.#fallBack();
      return;
    }
    this.#after(this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, retryLongestMs);
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}
