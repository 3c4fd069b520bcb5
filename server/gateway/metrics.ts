/**
 * What this gateway counts, in Prometheus' text format. Everything is read from what the parts count anyway when somebody
 * asks, so that a gateway nobody asks does nothing for it. Labels are names and codes of ours, never what a caller sent.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Audit } from './audit.ts';
import type { GatewayDataPlane } from './data-plane.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { PolicyState } from './state/policy-state.ts';

export interface Counted {
  readonly sessions: Pick<Sessions, 'counts' | 'handshakes' | 'traffic'>;
  readonly audit: Pick<Audit, 'decisions'>;
  readonly dataPlane: Pick<GatewayDataPlane, 'counters' | 'status'>;
  readonly policy: Pick<PolicyState, 'current' | 'isFresh'>;
}

const prefix = 'latchkey_gateway_';

export class GatewayMetrics {
  readonly #counted: Counted;
  #registry: Registry | undefined;

  constructor(counted: Counted) {
    this.#counted = counted;
  }

  /** All of them now. The process itself is watched from the first call on. */
  text(): Promise<string> {
    this.#registry ??= this.#register();
    return this.#registry.metrics();
  }

  #register(): Registry {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry, prefix });
    this.#addSessions(registry);
    this.#addDecisions(registry);
    this.#addWireGuard(registry);
    return registry;
  }

  #addSessions(registry: Registry): void {
    const { sessions } = this.#counted;
    gauge(registry, 'sessions', 'Sessions that are open', () => sessions.counts.live);
    gauge(registry, 'handshakes_half_open', 'Handshakes under way', () => sessions.counts.halfOpen);
    gauge(registry, 'streams', 'Streams that are open', () => sessions.traffic.streams);
    counter(registry, 'handshakes_total', 'Handshakes by what became of them', ['result'], (add) => {
      for (const { labels, count } of sessions.handshakes.all()) add(labels, count);
    });
    counter(registry, 'session_bytes_total', 'Bytes of records, in: from browsers', ['direction'], (add) => {
      const { bytesIn, bytesOut } = sessions.traffic;
      add({ direction: 'in' }, bytesIn);
      add({ direction: 'out' }, bytesOut);
    });
  }

  #addDecisions(registry: Registry): void {
    const { audit, policy } = this.#counted;
    const labels = ['event', 'decision', 'reason'] as const;
    counter(registry, 'decisions_total', 'Decisions by event, outcome and code of the reason', labels, (add) => {
      for (const { labels, count } of audit.decisions.all()) add(labels, count);
    });
    gauge(registry, 'policy_epoch', 'Epoch of the policy in force', () => Number(policy.current?.epoch ?? 0n));
    gauge(registry, 'policy_fresh', '1 while new sessions are taken', () => (policy.isFresh ? 1 : 0));
  }

  #addWireGuard(registry: Registry): void {
    const { dataPlane } = this.#counted;
    counter(registry, 'wireguard_events_total', 'What happened to packets and handshakes', ['what'], (add) => {
      for (const [what, count] of Object.entries(dataPlane.counters)) add({ what }, count);
    });
    const labels = ['peer', 'direction'] as const;
    counter(registry, 'wireguard_peer_bytes_total', 'Outer bytes by peer', labels, (add) => {
      for (const { peer, bytesIn, bytesOut } of this.#peers()) {
        add({ peer, direction: 'in' }, bytesIn);
        add({ peer, direction: 'out' }, bytesOut);
      }
    });
    gauge(registry, 'wireguard_peers', 'WireGuard peers', () => dataPlane.status().length);
    const peers = () => this.#peers();
    new Gauge({
      name: `${prefix}wireguard_peer_last_handshake_seconds`,
      help: 'Unix time of the last handshake; a peer without one is missing',
      labelNames: ['peer'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { peer, lastHandshake } of peers())
          if (lastHandshake !== undefined) this.set({ peer }, lastHandshake / 1_000);
      },
    });
  }

  /** Under the names that operators gave them. */
  #peers() {
    const { dataPlane, policy } = this.#counted;
    const named = new Map(policy.current?.content.peers.map(({ publicKey, name }) => [publicKey, name]));
    return dataPlane.status().map((status) => ({ ...status, peer: named.get(status.publicKey) ?? '' }));
  }
}

function gauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    ...{ name: prefix + name, help, registers: [registry] },
    collect() {
      this.set(value());
    },
  });
}

/** @param tell says every count as it is now; counts that are kept elsewhere only ever grow. */
function counter<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[],
  tell: (add: (labels: Readonly<Record<L, string>>, count: number) => void) => void,
): void {
  new Counter<L>({
    ...{ name: prefix + name, help, labelNames: [...labelNames], registers: [registry] },
    collect() {
      this.reset();
      tell((labels, count) => this.inc(labels, count));
    },
  });
}
