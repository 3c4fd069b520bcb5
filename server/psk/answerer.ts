/**
 * The connector's side of its pre-shared key: answers the gateway's exchanges (exchange.ts) and gives each new key to
 * WireGuard. The key before the present one may still be built on, since the gateway may not have heard of the present.
 */
import type { Duplex } from 'node:stream';
import { wipe } from '../../protocol/bytes.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { type Epoch, type Identities, messageBytes, PskError, PskResponder } from './exchange.ts';
import { exchangeLimitMs, outOfStepMs } from './limits.ts';
import { receive } from './messages.ts';

export interface PskAnswererOptions {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly identities: Identities;
  /** The control plane's key, 32 bytes; copied. */
  readonly first: Uint8Array;
  /** The key that WireGuard's handshakes mix in from now on; to be copied. */
  readonly use: (key: Uint8Array) => void;
  /** An exchange failed; the gateway will try again. */
  readonly onFailure: (error: unknown) => void;
}

export class PskAnswerer {
  readonly #options: PskAnswererOptions;
  #first: Uint8Array;
  #present: Epoch;
  #before: Epoch | undefined;
  #heardAt: number;
  /** Counts what began again: an exchange from before has nothing to build on. */
  #beginnings = 0;
  #cancelWatch = () => {};

  constructor(options: PskAnswererOptions) {
    this.#options = options;
    this.#first = Uint8Array.from(options.first);
    this.#heardAt = options.clock.monotonic();
    this.#present = this.#begin();
    this.#watch();
  }

  /** The key that was last given to {@link PskAnswererOptions.use}; a view. */
  get present(): Uint8Array {
    return this.#present.key;
  }

  /** Exchanges since the control plane's key. */
  get epoch(): bigint {
    return this.#present.number;
  }

  /** WireGuard has made a session with the gateway. */
  sessionMade(): void {
    this.#heardAt = this.#options.clock.monotonic();
  }

  /** Another key of the control plane's: one of the two ends is new. The same again changes nothing. */
  restart(first: Uint8Array): void {
    if (Buffer.from(first).equals(this.#first)) return;
    wipe(this.#first);
    this.#first = Uint8Array.from(first);
    this.#fallBack();
  }

  /** One connection of the gateway's, one exchange. */
  async serve(stream: Duplex): Promise<void> {
    const { crypto, identities, clock } = this.#options;
    const half = new PskResponder(crypto, identities, (number) => this.#known(number));
    const beginning = this.#beginnings;
    const cancelLimit = clock.after(exchangeLimitMs, () => stream.destroy());
    stream.on('error', () => {}); // the read that waits learns of it
    try {
      stream.write(half.answer(await receive(stream, messageBytes.offer)));
      const { epoch, done } = half.finish(await receive(stream, messageBytes.confirm));
      if (beginning !== this.#beginnings) throw new PskError('base_unknown');
      this.#adopt(epoch);
      stream.end(done);
    } catch (error) {
      stream.destroy();
      this.#options.onFailure(error);
    } finally {
      cancelLimit();
      half.wipe();
    }
  }

  close(): void {
    this.#cancelWatch();
    wipe(this.#first, this.#present.key, this.#before?.key);
  }

  #known(number: bigint): Epoch | undefined {
    return [this.#present, this.#before].find((epoch) => epoch?.number === number);
  }

  /** The epoch it was built on stays: DONE may be lost. */
  #adopt(epoch: Epoch): void {
    const base = this.#known(epoch.number - 1n);
    for (const old of [this.#present, this.#before]) if (old !== base) wipe(old?.key);
    this.#before = base;
    this.#present = epoch;
    this.#heardAt = this.#options.clock.monotonic();
    this.#options.use(epoch.key);
  }

  #begin(): Epoch {
    this.#beginnings += 1;
    const epoch = { number: 0n, key: Uint8Array.from(this.#first) };
    this.#options.use(epoch.key);
    return epoch;
  }

  #fallBack(): void {
    wipe(this.#present.key, this.#before?.key);
    this.#before = undefined;
    this.#heardAt = this.#options.clock.monotonic();
    this.#present = this.#begin();
  }

  #watch(): void {
    const { clock } = this.#options;
    this.#cancelWatch = clock.after(outOfStepMs / 13, () => {
      if (this.#present.number > 0n && clock.monotonic() - this.#heardAt > outOfStepMs) this.#fallBack();
      this.#watch();
    });
  }
}
