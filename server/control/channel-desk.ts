/**
 * The control plane's side of the control channel: lets gateways and connectors join, gives a gateway everything it
 * decides by, and chains the events it sends. Events are acknowledged once they are on the disk.
 */
import { base64url } from '../../protocol/bytes.ts';
import type { AuditEventType } from '../channel/audit-event.ts';
import type { ConnectorWelcome, FromPeer, GatewayWelcome, Hello, RefusalCode } from '../channel/messages.ts';
import { type Caller, ChannelServer, type PeerConnection } from '../channel/server.ts';
import { TlsDoor } from '../channel/tls-door.ts';
import { dataPaths } from '../config.ts';
import type { Topic } from '../store/feed.ts';
import { AuditDesk } from './audit-desk.ts';
import type { JoinTokens } from './channel-credentials.ts';
import { ConnectorDesk } from './connectors.ts';
import type { Context } from './context.ts';
import { GatewayDesk } from './gateways.ts';
import { controlSpiffeId } from './identifiers.ts';
import { newTlsIdentity, svidLifeMs } from './internal-ca.ts';
import { KnockDesk } from './knocks.ts';
import { LiveDesk } from './live-desk.ts';
import { ControlMetrics } from './metrics.ts';
import { PolicyDesk } from './policy-desk.ts';
import { ProbeDesk } from './probe-desk.ts';
import { issueReceipts } from './receipts.ts';
import { RevocationDesk } from './revocations.ts';
import { StepUpDesk } from './step-up-desk.ts';
import { WireGuardDesk } from './wireguard-desk.ts';

/** What only the control plane may say happened. A gateway that claims it is faulty or taken over. */
const ownTypes: ReadonlySet<AuditEventType> = new Set<AuditEventType>([
  'enrol',
  'login',
  'logout',
  'posture',
  'launch',
  'renew',
  'stepup',
  'link.change',
  'link.knock',
  'link.redeem',
  'admin',
  'policy.change',
  'service.change',
  'peer.change',
  'gateway.join',
  'gateway.leave',
  'connector.join',
  'connector.leave',
  'control.start',
  'control.stop',
]);

export class ChannelDesk {
  readonly gateways: GatewayDesk;
  readonly connectors: ConnectorDesk;
  readonly policy: PolicyDesk;
  readonly revocations: RevocationDesk;
  readonly probes: ProbeDesk;
  readonly wireguard: WireGuardDesk;
  readonly knocks: KnockDesk;
  readonly live: LiveDesk;
  readonly metrics: ControlMetrics;
  readonly audit: AuditDesk;
  readonly #context: Context;
  readonly #server: ChannelServer;
  readonly #stepUps: StepUpDesk;
  #door: TlsDoor | undefined;
  readonly #underWay = new Set<Promise<void>>();

  constructor(context: Context, tokens: JoinTokens) {
    this.#context = context;
    this.gateways = new GatewayDesk(context, tokens);
    this.connectors = new ConnectorDesk(context, tokens, this.gateways);
    this.policy = new PolicyDesk(
      context,
      (snapshot) => this.gateways.send({ t: 'snapshot', object: base64url(snapshot) }),
      () => this.#catchUp(),
    );
    this.revocations = new RevocationDesk(context, (object) =>
      this.gateways.send({ t: 'revocation', object: base64url(object) }),
    );
    this.knocks = new KnockDesk(context);
    this.live = new LiveDesk(context.clock, (question) => this.gateways.sendToOne(question));
    this.metrics = new ControlMetrics(context, this.live);
    this.audit = new AuditDesk(context);
    this.#stepUps = new StepUpDesk(context);
    this.probes = new ProbeDesk(context, (question) => this.gateways.sendToOne(question));
    this.wireguard = new WireGuardDesk(context, (question) => this.gateways.sendToOne(question));
    this.#server = new ChannelServer({
      path: dataPaths.controlSocket(context.config),
      clock: context.clock,
      onHello: (hello, caller) => this.#hello(hello, caller),
      onJoin: (peer, hello, caller) => this.#attend(this.#joined(peer, hello, caller)),
      onMessage: (peer, message) => this.#message(peer, message),
      onLeave: (peer) => this.#attend(peer.role === 'gateway' ? this.#gatewayLeft(peer) : this.connectors.left(peer)),
      onFault: (error) => context.log.warn({ err: error }, 'a control channel peer was dropped'),
    });
  }

  async start(): Promise<void> {
    await this.policy.start();
    this.gateways.start();
    await this.#server.listen();
    this.#door = await this.#openDoor();
  }

  /** Puts into force what another control plane on the same store changed. */
  async lookAgain(topic: Topic): Promise<void> {
    switch (topic) {
      case 'revocation':
        return this.revocations.tell();
      case 'policy':
        await this.policy.reload();
        return this.gateways.tellPresharedKeys();
      case 'knocks':
        return this.knocks.tell();
      case 'connectors':
        return this.connectors.dropRevoked();
      default:
        topic satisfies never;
    }
  }

  /** Before a gateway is told that what it knows is fresh: where others write, it has to be read. */
  async #catchUp(): Promise<void> {
    if (!this.#context.isShared) return;
    await this.revocations.tell();
    await this.policy.reload();
  }

  /** Of the TLS door; undefined when it is closed. */
  get port(): number | undefined {
    return this.#door?.port;
  }

  async stop(): Promise<void> {
    this.policy.stop();
    this.gateways.stop();
    this.#door?.close();
    await this.#server.close();
    await Promise.all(this.#underWay);
    await this.audit.stop();
  }

  /** Gateways are on this machine: they hold what the control plane knows of everybody. */
  async #hello(hello: Hello, caller: Caller): Promise<GatewayWelcome | ConnectorWelcome | { refused: RefusalCode }> {
    if (hello.role === 'connector') return this.connectors.hello(hello, caller);
    return caller.kind === 'local' ? this.gateways.hello(hello) : { refused: 'token_unknown' };
  }

  async #openDoor(): Promise<TlsDoor | undefined> {
    const { config, ca, clock, log } = this.#context;
    const { port, bind } = config.channel;
    if (port === undefined) return undefined;
    return TlsDoor.open({
      ...{ host: bind, port, clock, renewMs: svidLifeMs / 2 },
      identity: () => newTlsIdentity(ca, controlSpiffeId(config.trustDomain), clock.now()),
      accept: (socket, caller) => this.#server.accept(socket, caller),
      onFault: (error) => log.error({ err: error }, 'the certificate of the control channel was not renewed'),
    });
  }

  async #joined(peer: PeerConnection, hello: Hello, caller: Caller): Promise<void> {
    if (hello.role === 'connector') {
      this.connectors.joined(peer, caller);
      await this.gateways.tellPresharedKeys();
      // Its peer, its endpoint and perhaps the demo service are new.
      await this.policy.reload();
      return;
    }
    this.gateways.joined(peer);
    peer.send({ t: 'revocation', object: base64url(await this.revocations.current()) });
    peer.send({ t: 'snapshot', object: base64url(await this.policy.snapshot()) });
    await this.connectors.tellGateway();
  }

  async #gatewayLeft(peer: PeerConnection): Promise<void> {
    this.probes.abandon();
    this.wireguard.abandon();
    this.live.abandon();
    await this.gateways.left(peer);
  }

  async #message(peer: PeerConnection, message: FromPeer): Promise<void> {
    if (peer.role !== 'gateway' || message.t === 'ping') return;
    if (message.t === 'endpoints') {
      await this.gateways.endpointsChanged(peer, message.endpoints);
      return;
    }
    if (message.t === 'probe.report' || message.t === 'probe.refused') {
      this.probes.answered(message);
      return;
    }
    if (message.t === 'wireguard.rotated' && message.to !== undefined) {
      await this.gateways.wireguardKeyChanged(peer, message.to);
      await this.connectors.tellGateway();
    }
    if (message.t === 'wireguard.shown' || message.t === 'wireguard.rotated' || message.t === 'wireguard.refused') {
      this.wireguard.answered(message);
      return;
    }
    if (message.t === 'live.sessions' || message.t === 'live.metrics') {
      this.live.answered(message);
      return;
    }
    if (message.t === 'assertion-keys') {
      await this.gateways.assertionKeysChanged(peer, message.keys);
      return;
    }
    if (message.t !== 'events') {
      peer.send(await this.#stepUps.answer(message));
      return;
    }
    const events = message.events.filter((event) => !ownTypes.has(event.type));
    const foreign = message.events.length - events.length;
    if (foreign > 0)
      this.#context.log.error({ gateway: peer.id, foreign }, 'a gateway claimed events that are not its');
    await this.#context.audit.append(events);
    await issueReceipts(this.#context, peer.id, events);
    // Those we refuse are acknowledged as well, or the gateway would send them for ever.
    peer.send({ t: 'ack', ids: message.events.map(({ id }) => id) });
  }

  /** Work that nobody waits for, until the stop does. */
  #attend(work: Promise<void>): void {
    const attended = work
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'the control channel failed'))
      .finally(() => this.#underWay.delete(attended));
    this.#underWay.add(attended);
  }
}
