/**
 * How many tunnels one source may begin while many begin (WireGuard section 5.3 has the same rule for handshakes). Handing
 * a connection over, upgrading it and looking at its INIT costs a gateway about forty times what refusing it here does,
 * so a flood from few addresses is ended before it costs that; one from very many passes, and meets the gateway's own
 * admission (server/gateway/sessions/admission.ts).
 */
import type { Clock } from '../../protocol/clock.ts';
import { RecentRate } from '../recent-rate.ts';
import { sourceOf } from '../source-address.ts';
import { TokenBuckets } from '../token-buckets.ts';

/** Above so many a second, of all sources, each has a share: a gateway takes that many handshakes on a tenth of a core. */
export const tunnelsAtEasePerSecond = 64;
/** For each IPv4 address or IPv6 /64, behind which there may be a whole office. */
export const sourceTunnels = { burst: 64, perSecond: 16, names: 65_536 } as const;

export class TunnelRate {
  readonly #arrived: RecentRate;
  readonly #sources: TokenBuckets;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#arrived = new RecentRate(clock);
    this.#sources = new TokenBuckets(sourceTunnels, clock);
  }

  /** Whether a tunnel from this address may begin now. */
  admit(address: string): boolean {
    this.#arrived.note();
    return this.#arrived.perSecond <= tunnelsAtEasePerSecond || this.#sources.allow(sourceOf({ address }));
  }
}
