/** The connections to services that were made for one session: its own service's, and those of services its pages may call. */
import type { ServiceRecord } from '../../channel/snapshot-content.ts';
import { BridgeError } from '../bridge/tunnel-stream.ts';
import { UpstreamPool, type UpstreamTarget } from '../bridge/upstream-pool.ts';
import type { PolicyInForce } from '../state/policy-state.ts';
import type { SessionDependencies } from './dependencies.ts';
import { samePlace } from './services.ts';

export class ServicePools {
  readonly #deps: Pick<SessionDependencies, 'connect' | 'udpFlows' | 'ca'>;
  readonly #pools = new Map<string, { readonly service: ServiceRecord; readonly pool: UpstreamPool }>();
  #isClosed = false;

  constructor(deps: Pick<SessionDependencies, 'connect' | 'udpFlows' | 'ca'>) {
    this.#deps = deps;
  }

  /**
   * Made when first needed, replaced when the service moved.
   * @param spiffeId whose flows of datagrams are counted
   * @throws BridgeError `cancelled` after {@link close}: nobody would close them.
   */
  for(service: ServiceRecord, spiffeId: string): UpstreamPool {
    if (this.#isClosed) throw new BridgeError('cancelled');
    const open = this.#pools.get(service.name);
    if (open !== undefined && samePlace(open.service, service)) return open.pool;
    open?.pool.close();
    const { connect, udpFlows, ca } = this.#deps;
    const openUdp = (target: UpstreamTarget) => udpFlows.open(spiffeId, target);
    const pool = new UpstreamPool({ service, connect, openUdp, ca });
    this.#pools.set(service.name, { service, pool });
    return pool;
  }

  /** Closes those to services that are elsewhere now, or that the pages of `own` may call no more. */
  keepOnly(policy: PolicyInForce, own: string): void {
    for (const [name, { service, pool }] of this.#pools) {
      const now = policy.services.get(name);
      const stays = now !== undefined && samePlace(service, now);
      if (stays && (name === own || now.corsFrom?.includes(own) === true)) continue;
      pool.close();
      this.#pools.delete(name);
    }
  }

  /** For good. */
  close(): void {
    this.#isClosed = true;
    for (const { pool } of this.#pools.values()) pool.close();
    this.#pools.clear();
  }
}
