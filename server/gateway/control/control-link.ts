/**
 * The gateway's end of the control channel: says who it is, believes nothing that is not signed by a key the root
 * certified, and turns what it learns into policy, peers and revocations. Messages are taken one after the other,
 * because each is verified before the next may build on it.
 */
import { connect } from 'node:net';
import { base64url, equal, unbase64url } from '../../../protocol/bytes.ts';
import type { Clock } from '../../../protocol/clock.ts';
import { ChannelClient } from '../../channel/client.ts';
import {
  type GatewayWelcome,
  type LiveSessionReport,
  type ToGateway,
  type TunnelEndpoint,
  toGatewaySchema,
} from '../../channel/messages.ts';
import { type Config, dataPaths } from '../../config.ts';
import type { Logger } from '../../log.ts';
import type { Audit } from '../audit.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Probes } from '../probe/probes.ts';
import type { AssertionKeys } from '../state/assertion-keys.ts';
import type { GatewayIdentity } from '../state/identity.ts';
import { type PolicyState, revokedOwners } from '../state/policy-state.ts';
import type { Spool } from '../state/spool.ts';
import { SpoolSender } from '../state/spool-sender.ts';
import type { StepUpRequests } from '../state/step-up-requests.ts';
import type { Trust } from '../state/trust.ts';
import type { WireGuardAnswers } from '../wireguard-answers.ts';

export interface ControlLinkOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  /** The supervisor's one-time token. */
  readonly token: string;
  readonly identity: GatewayIdentity;
  readonly assertionKeys: Pick<AssertionKeys, 'published'>;
  readonly trust: Trust;
  readonly policy: PolicyState;
  readonly spool: Spool;
  /** Told of what claims to be signed state and is not, and of what else of the control plane could not be taken. */
  readonly audit: Pick<Audit, 'note'>;
  readonly dataPlane: {
    readonly publicKey: string;
    setPresharedKeys(psks: Readonly<Record<string, string>>): void;
    readonly innerTls: { readonly certificateKey: string; certify(certificate: string): void };
  };
  readonly wireguardPort: number;
  readonly endpoints: () => TunnelEndpoint[];
  /** See Endpoints. */
  readonly ticketKey: Uint8Array | undefined;
  /** The content of the snapshot in force is another one now. */
  readonly onPolicy: () => void;
  /** More is revoked; `owners` are those whose cookies must go. */
  readonly onRevoked: (owners: ({ user: string } | { device: string })[]) => void;
  /** The control plane's answers to our questions about step-ups go there, and that no more will come. */
  readonly stepUps: Pick<StepUpRequests, 'answered' | 'abandon'>;
  readonly probes: Pick<Probes, 'answer'>;
  readonly wireguard: Pick<WireGuardAnswers, 'answer'>;
  /** What is open and what was counted, for whoever administrates. */
  readonly live: {
    sessions(serials?: readonly string[]): LiveSessionReport[];
    readonly metrics: Pick<GatewayMetrics, 'text'>;
  };
  /** The control plane will not have us. */
  readonly onRefused: (code: string) => void;
}

/** What the control plane tells of its own accord. */
type Told = Exclude<
  ToGateway,
  { t: 'ack' | 'probe' | 'sessions' | 'metrics' | `stepup.${string}` | `wireguard.${string}` }
>;

export class ControlLink {
  readonly #options: ControlLinkOptions;
  readonly #channel: ChannelClient<ToGateway>;
  readonly #sender: SpoolSender;
  readonly #ready = Promise.withResolvers<void>();
  #turn: Promise<void> = Promise.resolve();

  constructor(options: ControlLinkOptions) {
    this.#options = options;
    const { config, clock, token, log } = options;
    this.#channel = new ChannelClient<ToGateway>({
      dial: () => connect(dataPaths.controlSocket(config)),
      token,
      clock,
      incoming: toGatewaySchema,
      hello: () => this.#hello(),
      onMessage: (message) => this.#enqueue(message),
      onState: (connected) => this.#stateChanged(connected),
      onRefused: (code) => options.onRefused(code),
    });
    this.#sender = new SpoolSender(options.spool, (message) => this.#channel.send(message), clock);
    this.#ready.promise.then(() => log.info('policy is in force')).catch(() => undefined);
  }

  start(): void {
    this.#channel.start();
  }

  /** Resolves at the first snapshot: from then on sessions can be judged. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** The transport's certificates were renewed. */
  announceEndpoints(): void {
    this.#channel.send({ t: 'endpoints', endpoints: this.#options.endpoints() });
  }

  /** There is a key more, or one less; a control plane that is away hears it in the next hello. */
  announceAssertionKeys(): void {
    this.#channel.send({ t: 'assertion-keys', keys: this.#options.assertionKeys.published });
  }

  /** @returns false when the control plane is away. */
  ask(question: Parameters<ChannelClient<ToGateway>['send']>[0]): boolean {
    return this.#channel.send(question);
  }

  close(): void {
    this.#sender.close();
    this.#channel.close();
  }

  #hello() {
    const { identity, clock, dataPlane, wireguardPort, endpoints, ticketKey, assertionKeys } = this.#options;
    identity.rotateStealth(clock.now());
    const [stealthKey] = identity.stealthKeys;
    return {
      role: 'gateway' as const,
      publicKey: base64url(identity.signer.publicKey),
      wireguardKey: dataPlane.publicKey,
      wireguardPort,
      stealthKey: base64url(stealthKey!),
      endpoints: endpoints(),
      assertionKeys: assertionKeys.published,
      certificateKey: dataPlane.innerTls.certificateKey,
      ...(ticketKey === undefined ? {} : { ticketKey: base64url(ticketKey) }),
    };
  }

  #stateChanged(connected: boolean): void {
    this.#options.log.info({ connected }, 'control channel');
    this.#sender.connectionChanged(connected);
    if (!connected) this.#options.stepUps.abandon();
  }

  #enqueue(message: ToGateway): void {
    // What answers ourselves waits for nothing: it is about our own events and questions.
    switch (message.t) {
      case 'probe':
        void this.#options.probes.answer(message).then((answer) => this.#channel.send(answer));
        return;
      case 'wireguard.show':
      case 'wireguard.rotate':
        void this.#options.wireguard.answer(message).then((answer) => this.#channel.send(answer));
        return;
      case 'sessions':
        this.#channel.send({
          t: 'live.sessions',
          id: message.id,
          sessions: this.#options.live.sessions(message.serials),
        });
        return;
      case 'metrics':
        this.#tellMetrics(message.id);
        return;
      case 'ack':
        this.#sender.acknowledged(message.ids);
        return;
      case 'stepup.begun':
      case 'stepup.done':
      case 'stepup.refused':
        this.#options.stepUps.answered(message);
        return;
      default:
        this.#inTurn(message);
    }
  }

  #tellMetrics(id: string): void {
    const { live, log } = this.#options;
    live.metrics.text().then(
      (text) => this.#channel.send({ t: 'live.metrics', id, text }),
      (error: unknown) => log.error({ err: error }, 'metrics could not be read'),
    );
  }

  #inTurn(message: Told): void {
    this.#turn = this.#turn
      .then(() => this.#take(message))
      .catch((error: unknown) => {
        // What cannot be believed changes nothing; without a good snapshot in time, nobody new comes in.
        const { log, audit } = this.#options;
        log.error({ message: message.t, err: error }, 'a message of the control plane was not accepted');
        const reason = error instanceof Error && 'code' in error ? String(error.code) : 'internal';
        const detail = { message: message.t };
        audit.note({ type: 'gateway.alarm', actor: 'system', decision: 'deny', reason, detail });
      });
  }

  async #take(message: Told): Promise<void> {
    switch (message.t) {
      case 'welcome':
        return this.#welcome(message);
      case 'snapshot':
        return this.#snapshot(message.object);
      case 'revocation':
        return this.#revocation(message.object);
      case 'descriptor':
        return this.#descriptor(message.object);
      case 'psks':
        return this.#options.dataPlane.setPresharedKeys(message.psks);
      case 'pong':
      case 'refused':
        return;
      default:
        message satisfies never;
    }
  }

  async #welcome(welcome: GatewayWelcome): Promise<void> {
    const { trust, dataPlane } = this.#options;
    await trust.adopt(unbase64url(welcome.root), welcome.certificates.map(unbase64url));
    await this.#descriptor(welcome.descriptor);
    dataPlane.setPresharedKeys(welcome.psks);
    if (welcome.svid !== undefined) dataPlane.innerTls.certify(welcome.svid);
  }

  async #snapshot(object: string): Promise<void> {
    const { trust, policy, onPolicy } = this.#options;
    const changed = policy.adopt(await trust.snapshot(unbase64url(object)));
    if (changed) onPolicy();
    this.#ready.resolve();
  }

  async #revocation(object: string): Promise<void> {
    const { trust, policy, onRevoked } = this.#options;
    const revocation = await trust.revocation(unbase64url(object));
    if (policy.revoke(revocation)) onRevoked(revokedOwners(revocation));
  }

  /** What clients are told of us must be us: a descriptor of somebody else's keys would lead them astray. */
  async #descriptor(object: string): Promise<void> {
    const { trust, identity, log } = this.#options;
    const descriptor = await trust.descriptor(unbase64url(object));
    const isOurs =
      equal(descriptor.publicKey, identity.signer.publicKey) &&
      identity.stealthKeys.some((key) => equal(key, descriptor.stealthKey));
    if (!isOurs) log.error('the control plane announces keys that are not ours; clients will not reach this gateway');
  }
}
