/**
 * The gateway, put together: keys, data plane, policy, sessions, endpoints and the channel to the control plane. It
 * carries; it writes no policy and holds no signing key but its own (docs: "What each part may never").
 */
import { join } from 'node:path';
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import type { OnCarrier } from '../transport/session.ts';
import { Audit } from './audit.ts';
import { ControlLink } from './control/control-link.ts';
import { GatewayDataPlane } from './data-plane.ts';
import { Endpoints } from './endpoints.ts';
import { JarStore } from './exchange/jar-store.ts';
import { GatewayMetrics } from './metrics.ts';
import { Probes } from './probe/probes.ts';
import { Sessions } from './sessions/sessions.ts';
import { UdpFlows } from './sessions/udp-flows.ts';
import { shimSource } from './shim-source.ts';
import { AssertionKeys } from './state/assertion-keys.ts';
import { GatewayIdentity } from './state/identity.ts';
import { PolicyState } from './state/policy-state.ts';
import { Spool } from './state/spool.ts';
import { StepUpRequests } from './state/step-up-requests.ts';
import { Trust } from './state/trust.ts';
import { WireGuardAnswers } from './wireguard-answers.ts';

export interface GatewayOptions {
  readonly config: Config;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Logger;
  /** The supervisor's one-time token for the control channel. */
  readonly token: string;
  /** Why the process before this one ended, if it was started again: recorded. */
  readonly after?: 'memory' | 'stalled' | 'died' | undefined;
  /** The control plane refused this gateway for good. */
  readonly onRefused: (code: string) => void;
}

interface Parts {
  readonly dataPlane: GatewayDataPlane;
  readonly control: ControlLink;
  readonly spool: Spool;
  readonly policy: PolicyState;
  readonly assertionKeys: AssertionKeys;
}

/** What can be said of a gateway at a moment. */
export interface GatewayStatus {
  readonly sessions: number;
  readonly halfOpen: number;
  readonly policyEpoch: bigint;
  readonly isFresh: boolean;
}

export class Gateway {
  readonly endpoints: Endpoints;
  readonly wireguard: { readonly port: number; readonly publicKey: string };
  readonly sessions: Sessions;
  readonly #parts: Parts;
  #closed: Promise<void> | undefined;

  private constructor(
    endpoints: Endpoints,
    wireguard: { port: number; publicKey: string },
    sessions: Sessions,
    parts: Parts,
  ) {
    this.endpoints = endpoints;
    this.wireguard = wireguard;
    this.sessions = sessions;
    this.#parts = parts;
  }

  /** Opens everything and joins the control plane; resolves when policy is in force. */
  static async open(options: GatewayOptions): Promise<Gateway> {
    const { config, crypto, clock, log } = options;
    const folder = join(config.data, 'gateway');
    const identity = GatewayIdentity.open(folder, clock.now());
    const dataPlane = new GatewayDataPlane({
      ...{ config, privateKey: identity.wireguardKey(), clock, log },
      oldKey: identity.oldWireguardKey(clock.now()),
      onRetired: () => identity.dropOldWireguardKey(),
    });
    const { port } = await dataPlane.listen({ host: config.wireguard.bind, port: config.wireguard.port });
    const spool = new Spool(join(folder, 'spool.sqlite'));
    const audit = new Audit(spool, clock, (error) => log.error({ err: error }, 'an audit event could not be kept'));
    if (options.after !== undefined) audit.note({ type: 'gateway.restart', actor: 'system', reason: options.after });
    const trust = new Trust({ crypto, clock, rootFile: join(folder, 'root') });
    const policy = new PolicyState(clock, config.timers.freshnessS * 1_000);
    const jars = new JarStore({ crypto, directory: join(folder, 'jars') });
    const shim = shimSource(config.assets, crypto);
    const assertionKeys = await AssertionKeys.open(folder, clock, () => control.announceAssertionKeys());
    const { connect, openUdp } = dataPlane;
    const stepUps = new StepUpRequests((question) => control.ask(question));
    const sessions = new Sessions({
      assertionKeys,
      stepUps,
      config,
      crypto,
      clock,
      log,
      audit,
      trust,
      policy,
      jars,
      connect,
      udpFlows: new UdpFlows(openUdp),
      shim,
      identity,
    });
    const onCarrier: OnCarrier = (carrier, peer) => sessions.take(carrier, peer);
    const endpoints = await Endpoints.open({
      ...{ config, clock, log, onCarrier, resetKey: identity.resetKey },
      onChanged: () => control.announceEndpoints(),
    });
    const control = new ControlLink({
      ...{
        config,
        clock,
        log,
        token: options.token,
        identity,
        trust,
        policy,
        spool,
        audit,
        dataPlane,
        stepUps,
        assertionKeys,
      },
      live: {
        sessions: (serials) => sessions.report(serials),
        metrics: new GatewayMetrics({ sessions, audit, dataPlane, policy }),
      },
      probes: new Probes({ config, policy, connect, openUdp, log, shimPath: shim.path }),
      wireguard: new WireGuardAnswers({
        ...{ identity, dataPlane, log, now: () => clock.now() },
        overlapMs: config.wireguard.keyOverlapS * 1_000,
      }),
      wireguardPort: port,
      endpoints: () => endpoints.list(),
      ticketKey: endpoints.ticketKey,
      onPolicy: () => {
        dataPlane.setPeers(policy.current?.content.peers ?? []);
        dataPlane.innerTls.trust(policy.current?.content);
        sessions.reconsider('policy');
      },
      onRevoked: (owners) => {
        for (const owner of [...owners, ...sessions.reconsider('revocations')])
          jars.destroy(owner).catch((error: unknown) => log.error({ err: error }, 'a cookie jar could not be removed'));
      },
      onRefused: options.onRefused,
    });
    control.start();
    await control.ready;
    return new Gateway(endpoints, { port, publicKey: dataPlane.publicKey }, sessions, {
      ...{ dataPlane, control, spool, policy, assertionKeys },
    });
  }

  status(): GatewayStatus {
    const { policy } = this.#parts;
    const { live, halfOpen } = this.sessions.counts;
    return { sessions: live, halfOpen, policyEpoch: policy.current?.epoch ?? 0n, isFresh: policy.isFresh };
  }

  /** Sessions are told, then everything closes; events that were not sent stay on disk for the next start. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    const { dataPlane, control, spool, assertionKeys } = this.#parts;
    await this.sessions.close();
    await this.endpoints.close();
    control.close();
    assertionKeys.close();
    await dataPlane.close();
    spool.close();
  }
}
