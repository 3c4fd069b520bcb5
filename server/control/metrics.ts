/**
 * What an installation counts, in Prometheus' text format: the control plane's own and, behind it, the gateway's. Labels
 * are codes of ours, never what a caller sent.
 */
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import type { Context } from './context.ts';
import type { LiveDesk } from './live-desk.ts';

/** Of the text (Prometheus, "Exposition formats"). */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

const prefix = 'latchkey_control_';

export class ControlMetrics {
  readonly #context: Pick<Context, 'refusals' | 'audit'>;
  readonly #live: Pick<LiveDesk, 'metrics'>;
  #registry: Registry | undefined;

  constructor(context: Pick<Context, 'refusals' | 'audit'>, live: Pick<LiveDesk, 'metrics'>) {
    this.#context = context;
    this.#live = live;
  }

  /** All of them now. The process itself is watched from the first call on. */
  async text(): Promise<string> {
    this.#registry ??= this.#register();
    const ofGateway = await this.#live.metrics();
    const answers = [
      `# HELP ${prefix}gateway_answers 1 when the gateway answered this scrape`,
      `# TYPE ${prefix}gateway_answers gauge`,
      `${prefix}gateway_answers ${ofGateway === undefined ? 0 : 1}`,
    ];
    return [await this.#registry.metrics(), ...answers, ofGateway ?? ''].join('\n');
  }

  #register(): Registry {
    const { refusals, audit } = this.#context;
    const registry = new Registry();
    collectDefaultMetrics({ register: registry, prefix });
    new Counter({
      ...{ name: `${prefix}refusals_total`, help: 'Refused requests by code' },
      ...{ labelNames: ['code'], registers: [registry] },
      collect() {
        this.reset();
        for (const { labels, count } of refusals.all()) this.inc(labels, count);
      },
    });
    new Counter({
      ...{ name: `${prefix}audit_events_total`, help: 'Chained events by type and decision' },
      ...{ labelNames: ['type', 'decision'], registers: [registry] },
      collect() {
        this.reset();
        for (const { labels, count } of audit.chained.all()) this.inc(labels, count);
      },
    });
    return registry;
  }
}
