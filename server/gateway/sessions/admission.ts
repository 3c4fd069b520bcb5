/**
 * What a handshake costs its sender while many come (docs/protocol.md, "RETRY"). At ease nothing; above that a cookie,
 * which proves a round trip and makes the sender keep its state for us; above that a puzzle, harder by 4 bits each time
 * twice as many handshakes get through, until the gateway keeps most of its core for the sessions it has. While any of
 * that is asked, each address has a share too (WireGuard section 5.3, RFC 8019 section 3).
 */
import type { Clock } from '../../../protocol/clock.ts';
import type { Crypto } from '../../../protocol/crypto.ts';
import { CookieKeys } from '../../../protocol/retry.ts';
import { RecentRate } from '../../recent-rate.ts';
import { TokenBuckets } from '../../token-buckets.ts';
import {
  addressHandshakes,
  credentialHandshakes,
  halfOpenAtEase,
  handshakesAtEasePerSecond,
  hardestPuzzleBits,
  lightestPuzzleBits,
  puzzleBitsPerDoubling,
} from '../limits.ts';

export interface AdmissionOptions {
  readonly crypto: Pick<Crypto, 'random' | 'sha256' | 'hmac'>;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  /** Handshakes that have had their key operations and wait for the client. */
  readonly halfOpen: () => number;
}

export class Admission {
  readonly keys: CookieKeys;
  readonly #halfOpen: () => number;
  /** First INITs whose mac1 was right. */
  readonly #arrived: RecentRate;
  /** Those among them, and those with a cookie, that went on to the key operations. */
  readonly #admitted: RecentRate;
  readonly #addresses: TokenBuckets;
  readonly #credentials: TokenBuckets;

  constructor({ crypto, clock, halfOpen }: AdmissionOptions) {
    this.keys = new CookieKeys(crypto, clock);
    this.#halfOpen = halfOpen;
    this.#arrived = new RecentRate(clock);
    this.#admitted = new RecentRate(clock);
    this.#addresses = new TokenBuckets(addressHandshakes, clock);
    this.#credentials = new TokenBuckets(credentialHandshakes, clock);
  }

  /** What an INIT without a cookie has to bring: bits of a puzzle, 0 for a cookie alone, undefined for nothing. */
  demand(): number | undefined {
    this.#arrived.note();
    return this.#isBusy ? this.difficulty : undefined;
  }

  /** Whether the key operations are due for this source now: asked when the cookie, if one was wanted, is right. */
  admit(source: string): boolean {
    if (this.#isBusy && !this.#addresses.allow(source)) return false;
    this.#admitted.note();
    return true;
  }

  /** Whether this holder of a credential may come once more; a device that comes in a loop is told to wait. */
  admitCredential(spiffeId: string): boolean {
    return this.#credentials.allow(spiffeId);
  }

  /** Bits of the puzzle at the present pressure. */
  get difficulty(): number {
    const pressure = Math.max(this.#admitted.perSecond / handshakesAtEasePerSecond, this.#halfOpen() / halfOpenAtEase);
    if (pressure <= 1) return 0;
    return Math.min(lightestPuzzleBits + Math.floor(puzzleBitsPerDoubling * Math.log2(pressure)), hardestPuzzleBits);
  }

  get #isBusy(): boolean {
    return this.#arrived.perSecond > handshakesAtEasePerSecond || this.#halfOpen() > halfOpenAtEase;
  }
}
