/** Answers the control plane's wish for a probe: one at a time, and one message for each, whatever comes of it. */
import type { FromPeer, ToGateway } from '../../channel/messages.ts';
import { probeReportSchema } from '../../channel/probe-report.ts';
import type { Config } from '../../config.ts';
import type { Logger } from '../../log.ts';
import { forLog } from '../bridge/upstream-error.ts';
import type { UpstreamPoolOptions } from '../bridge/upstream-pool.ts';
import { exchangeContext } from '../sessions/services.ts';
import type { PolicyState } from '../state/policy-state.ts';
import { ProbeError, probe } from './probe.ts';

type Question = Extract<ToGateway, { t: 'probe' }>;
type Answer = Extract<FromPeer, { t: `probe.${string}` }>;

export interface ProbesOptions extends Pick<UpstreamPoolOptions, 'connect' | 'openUdp' | 'ca'> {
  readonly config: Config;
  readonly policy: Pick<PolicyState, 'current'>;
  readonly shimPath: string;
  readonly log: Logger;
}

export class Probes {
  readonly #options: ProbesOptions;
  #isBusy = false;

  constructor(options: ProbesOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async answer({ id, service }: Question): Promise<Answer> {
    if (this.#isBusy) return { t: 'probe.refused', id, code: 'busy' };
    this.#isBusy = true;
    try {
      return { t: 'probe.report', id, report: await this.#probe(service) };
    } catch (error) {
      if (!(error instanceof ProbeError)) this.#options.log.error({ service, err: error }, 'a probe failed');
      else this.#options.log.info({ service, code: error.code, cause: forLog(error.cause) }, 'no probe');
      return { t: 'probe.refused', id, code: error instanceof ProbeError ? error.code : 'internal' };
    } finally {
      this.#isBusy = false;
    }
  }

  async #probe(name: string) {
    const { config, policy, connect, openUdp, ca, shimPath } = this.#options;
    const inForce = policy.current;
    const service = inForce?.services.get(name);
    if (inForce === undefined || service === undefined) throw new ProbeError('unknown_service');
    // Nobody calls: a service that trusts the gateway's word must not take a probe for a person.
    const context = exchangeContext(config, inForce, service, undefined, config.wireguard.address4);
    const report = await probe({ service, context, shimPath, connect, openUdp, ca });
    // Evidence is a stranger's text: cut and made printable before it leaves.
    return probeReportSchema.parse(report);
  }
}
