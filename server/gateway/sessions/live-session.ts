/**
 * One session at the gateway, from the credential in its AUTH to its end: who it belongs to, what it may open, what
 * is open. Its connections are service-pools.ts's. What runs inside a stream is the bridge's; what is allowed is decide-open.ts's.
 */
import { base64url, equal, hex, utf8 } from '../../../protocol/bytes.ts';
import type { CloseCode, StreamKind } from '../../../protocol/codes.ts';
import { HandshakeError } from '../../../protocol/established.ts';
import { maxRecordBytes, maxStreams, sessionIdBytes } from '../../../protocol/limits.ts';
import { ObjectError } from '../../../protocol/lks1.ts';
import type { SessionParams } from '../../../protocol/params.ts';
import type { Session } from '../../../protocol/session.ts';
import type { SessionHooks } from '../../../protocol/session-options.ts';
import type { Stream } from '../../../protocol/stream.ts';
import type { VerifiedSvid } from '../../../protocol/svid.ts';
import type { LiveSessionReport } from '../../channel/messages.ts';
import type { ServiceRecord } from '../../channel/snapshot-content.ts';
import { origins } from '../../config.ts';
import type { PrincipalView } from '../../policy/question.ts';
import type { CarrierPeer } from '../../transport/session.ts';
import { BridgeError } from '../bridge/tunnel-stream.ts';
import type { UpstreamPool } from '../bridge/upstream-pool.ts';
import type { Caller } from '../exchange/context.ts';
import type { PolicyInForce } from '../state/policy-state.ts';
import { Assertions, callerOf } from './caller.ts';
import { CredentialGate } from './credential-gate.ts';
import type { SessionDependencies } from './dependencies.ts';
import { type Person, personOf, postureTime, principalOf } from './person.ts';
import { ServicePools } from './service-pools.ts';
import { StepUp } from './step-up.ts';

interface Holder {
  readonly person: Person;
  readonly postureAtMs: number;
  svid: VerifiedSvid;
}

/** May a session be, and which policies say so. */
export type Judgement = { readonly policies: string[] } & (
  | { readonly decision: 'allow'; readonly reason?: 'stepup_pending' }
  | { readonly decision: 'deny'; readonly code: Extract<CloseCode, 'denied' | 'revoked' | 'stepup_required'> }
);
export type Objection = Extract<Judgement, { readonly decision: 'deny' }>;

/** A stream while it is carried. */
export interface OpenStream {
  readonly stream: Stream;
  readonly kind: StreamKind;
  readonly correlation: string;
}

export class LiveSession {
  readonly id: string;
  readonly peer: CarrierPeer;
  readonly #deps: SessionDependencies;
  readonly #sessionId: Uint8Array;
  #holder: Holder | undefined;
  /** The credential of AUTH, once the control plane's signature on it was found good; its key is not proved yet. */
  shown: VerifiedSvid | undefined;
  #session: Session | undefined;
  /** Shut from the end of one credential to the beginning of the next. */
  readonly gate: CredentialGate;
  #stepUp: StepUp | undefined;
  #endedFor: Objection | undefined;
  /** When the handshake was through, ms. */
  #since = 0;
  readonly #open = new Set<OpenStream>();
  /** SHA-256 of it: the key itself is the jar's alone to hold. */
  #jarKeyHash: Uint8Array | undefined;
  readonly #assertions: Assertions;
  readonly #pools: ServicePools;

  constructor(deps: SessionDependencies, peer: CarrierPeer) {
    this.#deps = deps;
    this.peer = peer;
    this.gate = new CredentialGate(deps.clock);
    this.#sessionId = deps.crypto.random(sessionIdBytes);
    this.id = hex(this.#sessionId);
    this.#pools = new ServicePools(deps);
    this.#assertions = new Assertions(deps.assertionKeys, deps.clock);
  }

  /** Whoever the credential named, once its key was proved; for the audit of a refusal too. */
  get person(): Person | undefined {
    return this.#holder?.person;
  }

  /** SHA-256 of the session key, base64url. @throws TypeError before AUTH. */
  get keyDigest(): string {
    return base64url(this.#deps.crypto.sha256(this.svid.sessionPublicKey));
  }

  /** @throws TypeError before AUTH. */
  get svid(): VerifiedSvid {
    return this.#known().svid;
  }

  // ── handshake ──

  /** Judges the holder of a credential whose key is proved. @param posture of AUTH @throws HandshakeError */
  identify(svid: VerifiedSvid, posture: Uint8Array): void {
    const person = personOf(svid, this.#deps.config.trustDomain);
    // The time beside the digest is the client's word; what was judged is no younger than the credential.
    this.#holder = { person, svid, postureAtMs: Math.min(postureTime(posture), svid.notBefore) };
    this.#mayCome(svid);
  }

  /** The terms of the session. */
  params(svid: VerifiedSvid): SessionParams {
    const { timers } = this.#deps.config;
    return {
      sessionId: this.#sessionId,
      policyEpoch: this.#deps.policy.current?.epoch ?? 0n,
      rekeyAfterS: timers.rekeyAfterS,
      rejectAfterS: timers.rejectAfterS,
      rekeyAfterBytes: BigInt(timers.rekeyAfterBytes),
      maxStreams,
      maxRecord: maxRecordBytes,
      reauthBy: BigInt(svid.notAfter),
    };
  }

  /** @param onOpen serves a stream of this session */
  hooks(onOpen: SessionHooks['onOpen']): SessionHooks {
    return {
      onOpen,
      onFault: (error) => this.#deps.log.debug({ session: this.id, err: error }, 'session ended by an error'),
      verifyReauth: (bytes) => this.#reidentify(bytes),
      onReauth: (svid) => this.#renewed(svid),
      graceMs: this.#deps.config.timers.reauthGraceS * 1_000,
      onStepupAnswer: (question, assertion) => this.#stepUp?.answered(question, assertion),
    };
  }

  /** The handshake is through. */
  begin(session: Session): void {
    this.#session = session;
    this.#since = this.#deps.clock.now();
    this.gate.renew(this.svid.notAfter);
    this.#stepUp = new StepUp({
      clock: this.#deps.clock,
      requests: this.#deps.stepUps,
      session,
      serial: () => this.svid.serial,
      onRefused: (error) => this.#deps.log.info({ session: this.id, err: error }, 'no step-up'),
    });
  }

  // ── while it lives ──

  /**
   * Asked at its beginning and whenever policy or revocations changed. A step-up happens inside the session that lacks
   * it, before each open; what was opened under another policy never waited for the one that this policy wants.
   * @param isNewPolicy whether something may be open that another policy let pass
   */
  judge(isNewPolicy: boolean): Judgement {
    const { policy } = this.#deps;
    const { svid } = this.#known();
    if (policy.isRevoked(svid)) return { decision: 'deny', code: 'revoked', policies: ['revocation'] };
    const inForce = policy.current;
    const service = inForce?.services.get(svid.service);
    if (inForce === undefined || service === undefined) {
      return { decision: 'deny', code: 'denied', policies: ['default-deny'] };
    }
    this.#pools.keepOnly(inForce, svid.service);
    const question = { principal: this.principal(), action: 'open', service: svid.service } as const;
    const { decision, policies, lacks } = inForce.engine.decide(question);
    if (decision === 'allow') return { decision, policies };
    if (lacks === undefined) return { decision, code: 'denied', policies };
    if (isNewPolicy) return { decision, code: 'stepup_required', policies };
    const permitting = inForce.engine.decideSteppedUp(question).policies;
    return { decision: 'allow', policies: permitting, reason: 'stepup_pending' };
  }

  principal(): PrincipalView {
    const { person, svid, postureAtMs } = this.#known();
    return principalOf(person, svid, postureAtMs, this.#deps.clock.now(), this.#stepUp?.ageS);
  }

  /** Who a service is told is calling, signed for it alone. */
  async caller(policy: PolicyInForce, service: ServiceRecord): Promise<Caller> {
    const { config } = this.#deps;
    const { person } = this.#known();
    const known = callerOf(policy, person);
    const assertion = await this.#assertions.for({
      iss: origins.hub(config),
      aud: origins.app(config, service.name),
      sub: known.user,
      name: known.name,
      groups: known.groups,
      device: known.device,
      amr: this.principal().amr,
      sid: this.id,
    });
    return { ...known, assertion };
  }

  /** Waits for a touch of the passkey. @throws BridgeError `stepup_required` when there was none */
  async requireStepUp(): Promise<void> {
    await this.#stepUp?.require();
  }

  /** The connections to a service. @throws BridgeError `cancelled` after the end. */
  poolFor(service: ServiceRecord): UpstreamPool {
    return this.#pools.for(service, this.svid.spiffeId);
  }

  /**
   * A session is of one person, device and service, and so of one jar: each further key would open another.
   * @throws BridgeError `protocol` for a key that is not the first one it brought.
   */
  pinJarKey(jarKey: string | undefined): void {
    if (jarKey === undefined) return;
    const hash = this.#deps.crypto.sha256(utf8(jarKey));
    this.#jarKeyHash ??= hash;
    if (!equal(this.#jarKeyHash, hash)) throw new BridgeError('protocol');
  }

  close(code: CloseCode): void {
    this.#session?.close(code);
  }

  /**
   * Ends it because of an objection, which the audit will name; so it does of each open stream, with the byte at which
   * it was cut. @returns how many were
   */
  endFor(objection: Objection): number {
    this.#endedFor = objection;
    this.close(objection.code);
    // Nothing is sealed after the close: the offsets are final.
    for (const open of this.#open) this.#noteCut(open, objection);
    const cut = this.#open.size;
    this.#open.clear();
    return cut;
  }

  /** A stream that was let in. @returns to be called when it is over */
  opened(open: OpenStream): () => void {
    this.#open.add(open);
    return () => this.#open.delete(open);
  }

  #noteCut({ stream, kind, correlation }: OpenStream, { code, policies }: Objection): void {
    const { received, sent } = stream.offsets;
    this.#deps.audit.note({
      type: 'stream.cut',
      actor: this.svid.spiffeId,
      service: this.svid.service,
      decision: 'deny',
      policies: [...policies],
      reason: code,
      correlation,
      detail: { session: this.id, stream: String(stream.id), kind, received, sent },
    });
  }

  /** Why the gateway ended it, if it did. */
  get endedFor(): Objection | undefined {
    return this.#endedFor;
  }

  /** After the session has closed: nothing of it stays open. */
  ended(): void {
    this.gate.end();
    this.#stepUp?.end();
    this.#pools.close();
  }

  stats(): { bytesIn: number; bytesOut: number; streams: number } {
    return this.#session?.stats() ?? { bytesIn: 0, bytesOut: 0, streams: 0 };
  }

  /** As administrators see it. @throws TypeError before AUTH. */
  report(): LiveSessionReport {
    const { bytesIn, bytesOut, streams } = this.stats();
    return {
      session: this.id,
      serial: base64url(this.svid.serial),
      transport: this.peer.transport,
      address: this.peer.address,
      since: this.#since,
      ...{ streams, bytesIn, bytesOut },
    };
  }

  #mayCome(svid: VerifiedSvid): void {
    const { policy } = this.#deps;
    if (!policy.isFresh) throw new HandshakeError('going_away');
    if (policy.isRevoked(svid)) throw new HandshakeError('revoked');
    if (policy.current?.services.has(svid.service) !== true) throw new HandshakeError('denied');
  }

  /** A later credential of the same person, device and service, and no other. */
  async #reidentify(bytes: Uint8Array): Promise<VerifiedSvid> {
    const { svid: before, person } = this.#known();
    const svid = await this.#deps.trust.svid(bytes);
    const isSame =
      svid.spiffeId === person.spiffeId &&
      svid.service === before.service &&
      equal(svid.deviceKeyHash, before.deviceKeyHash) &&
      equal(svid.sessionPublicKey, before.sessionPublicKey);
    if (!isSame) throw new ObjectError('wrong_subject');
    if (this.#deps.policy.isRevoked(svid)) throw new HandshakeError('revoked');
    return svid;
  }

  #renewed(svid: VerifiedSvid): void {
    this.#known().svid = svid;
    this.gate.renew(svid.notAfter);
    this.#deps.audit.note({
      type: 'session.reauth',
      actor: svid.spiffeId,
      service: svid.service,
      detail: { session: this.id, serial: hex(svid.serial), notAfter: svid.notAfter },
    });
  }

  #known(): Holder {
    if (this.#holder === undefined) throw new TypeError('nobody has been identified yet');
    return this.#holder;
  }
}
