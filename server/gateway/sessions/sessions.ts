/**
 * All sessions of this gateway: carriers come in, handshakes are bounded in number and time, sessions are counted, asked
 * again when policy changes, and cleaned up after. Who may come is live-session.ts's question.
 */
import { acceptGateway } from '../../../protocol/accept-gateway.ts';
import { base64url } from '../../../protocol/bytes.ts';
import type { Carrier } from '../../../protocol/carrier.ts';
import type { CloseCode } from '../../../protocol/codes.ts';
import { HandshakeError } from '../../../protocol/established.ts';
import type { Session } from '../../../protocol/session.ts';
import type { IncomingStream } from '../../../protocol/stream.ts';
import { correlationBytes } from '../../../protocol/stream-messages.ts';
import type { LiveSessionReport } from '../../channel/messages.ts';
import { Counts } from '../../counts.ts';
import { HalfOpen } from '../../half-open.ts';
import { sourceOf } from '../../source-address.ts';
import type { CarrierPeer } from '../../transport/session.ts';
import { forLog } from '../bridge/upstream-error.ts';
import { maxHalfOpenHandshakes, maxSessions, maxSessionsPerDevice } from '../limits.ts';
import { Admission } from './admission.ts';
import type { SessionDependencies } from './dependencies.ts';
import { LiveSession } from './live-session.ts';
import type { Person } from './person.ts';
import { serveStream } from './serve-stream.ts';

export class Sessions {
  readonly #deps: SessionDependencies;
  readonly #live = new Set<LiveSession>();
  /** When each has been cleaned up. */
  readonly #gone = new WeakMap<LiveSession, Promise<void>>();
  /** Half-open ones whose sender has proved nothing yet. */
  readonly #silent = new HalfOpen<Carrier>(maxHalfOpenHandshakes);
  /** Those who knew the stealth key and have a cookie to bring back. */
  readonly #asked = new HalfOpen<Carrier>(maxHalfOpenHandshakes);
  /** Those who have cost us key operations. */
  readonly #answered = new HalfOpen<Carrier>(maxHalfOpenHandshakes);
  readonly #admission: Admission;
  #isClosing = false;
  /** What became of each handshake since the start: `open`, or the code it was refused by. */
  readonly handshakes = new Counts<'result'>();
  /** Of sessions that are over. */
  readonly #past = { bytesIn: 0, bytesOut: 0 };

  constructor(deps: SessionDependencies) {
    this.#deps = deps;
    this.#admission = new Admission({ ...deps, halfOpen: () => this.#answered.size });
  }

  /** For status and tests. */
  get counts(): { halfOpen: number; live: number } {
    const halfOpen = this.#silent.size + this.#asked.size + this.#answered.size;
    return { halfOpen, live: this.#live.size };
  }

  /** What is open now, for whoever administrates. @param serials of the credentials that are asked about; all without it */
  report(serials?: readonly string[]): LiveSessionReport[] {
    const asked = serials && new Set(serials);
    const shown = [...this.#live].filter(({ svid }) => asked === undefined || asked.has(base64url(svid.serial)));
    return shown.map((live) => live.report());
  }

  /** Bytes of records since the start, and the streams that are open. */
  get traffic(): { bytesIn: number; bytesOut: number; streams: number } {
    const sum = { ...this.#past, streams: 0 };
    for (const { bytesIn, bytesOut, streams } of this.report()) {
      sum.bytesIn += bytesIn;
      sum.bytesOut += bytesOut;
      sum.streams += streams;
    }
    return sum;
  }

  /** Takes a carrier of any transport. Never throws: what comes to nothing is closed. */
  take(carrier: Carrier, peer: CarrierPeer): void {
    if (this.#isClosing) {
      carrier.close();
      return;
    }
    const source = sourceOf(peer);
    this.#silent.add(carrier, source);
    const live = new LiveSession(this.#deps, peer);
    this.#handshake(carrier, live, source)
      .finally(() => {
        for (const waiting of [this.#silent, this.#asked, this.#answered]) waiting.delete(carrier, source);
      })
      .then(
        (session) => this.#run(live, session),
        (error: unknown) => this.#refused(live, error),
      )
      .catch((error: unknown) => this.#deps.log.error({ err: error }, 'a session could not be kept'));
  }

  /**
   * Asks every session whether it may go on; ends those that may not, at once.
   * @param changed a new policy ends also those that lack a step-up it wants: they come again and are asked
   * @returns whose sessions were revoked.
   */
  reconsider(changed: 'policy' | 'revocations'): Person[] {
    const revoked: Person[] = [];
    for (const live of this.#live) {
      const judgement = live.judge(changed === 'policy');
      if (judgement.decision === 'allow') continue;
      live.endFor(judgement);
      if (judgement.code === 'revoked' && live.person !== undefined) revoked.push(live.person);
    }
    return revoked;
  }

  /** Tells everybody and resolves when all have gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const ends = [...this.#live].map((live) => {
      live.close('going_away');
      return this.#gone.get(live);
    });
    await Promise.all(ends);
  }

  /** A right mac1 without a cookie. */
  #demandOf(carrier: Carrier, source: string): number | undefined {
    const demand = this.#admission.demand();
    if (demand === undefined) return undefined;
    this.#silent.delete(carrier, source);
    this.#asked.add(carrier, source);
    return demand;
  }

  /** Before the key operations. */
  #admit(carrier: Carrier, source: string): boolean {
    for (const waiting of [this.#silent, this.#asked]) waiting.delete(carrier, source);
    if (!this.#admission.admit(source)) return false;
    this.#answered.add(carrier, source);
    return true;
  }

  #handshake(carrier: Carrier, live: LiveSession, source: string): Promise<Session> {
    const { crypto, clock, identity } = this.#deps;
    const { keys } = this.#admission;
    return acceptGateway({
      carrier,
      crypto,
      clock,
      identities: [identity],
      verifySvid: async (bytes) => {
        live.shown = await this.#deps.trust.svid(bytes);
        return live.shown;
      },
      onIdentified: (svid, posture) => {
        live.identify(svid, posture);
        this.#assertRoom(live);
      },
      admit: () => this.#admit(carrier, source),
      retry: { keys, address: live.peer.address, demand: () => this.#demandOf(carrier, source) },
      params: (svid) => live.params(svid),
      session: live.hooks((incoming) => this.#serve(incoming, live)),
    });
  }

  #serve(incoming: IncomingStream, live: LiveSession): void {
    serveStream(incoming, live, this.#deps).catch((error: unknown) => {
      this.#deps.log.error({ session: live.id, cause: forLog(error) }, 'a stream could not be served');
      incoming.refuse('internal', new Uint8Array(correlationBytes));
    });
  }

  #assertRoom(live: LiveSession): void {
    const { spiffeId } = live.svid;
    if (!this.#admission.admitCredential(spiffeId)) throw new HandshakeError('too_many');
    const same = [...this.#live].filter((other) => other.svid.spiffeId === spiffeId).length;
    if (this.#live.size >= maxSessions || same >= maxSessionsPerDevice) throw new HandshakeError('too_many');
  }

  async #run(live: LiveSession, session: Session): Promise<void> {
    this.handshakes.add({ result: 'open' });
    const ended = this.#ended(live, session);
    this.#live.add(live);
    this.#gone.set(live, ended);
    live.begin(session);
    // Policy may have changed while the handshake ran.
    const judgement = live.judge(false);
    this.#deps.audit.note({
      type: 'session.open',
      actor: live.svid.spiffeId,
      service: live.svid.service,
      decision: judgement.decision,
      policies: judgement.policies,
      ...(judgement.decision === 'allow' && judgement.reason ? { reason: judgement.reason } : {}),
      // Which launch it was: the device key signed for this very session key there (QZ-23).
      detail: {
        session: live.id,
        transport: live.peer.transport,
        address: live.peer.address,
        sessionKey: live.keyDigest,
      },
    });
    if (this.#isClosing) live.close('going_away');
    else if (judgement.decision === 'deny') live.endFor(judgement);
    await ended;
  }

  async #ended(live: LiveSession, session: Session): Promise<void> {
    const { code, byPeer, cut } = await session.closed;
    this.#live.delete(live);
    live.ended();
    await this.#releaseJar(live);
    const { bytesIn, bytesOut } = live.stats();
    this.#past.bytesIn += bytesIn;
    this.#past.bytesOut += bytesOut;
    this.#deps.audit.note({
      type: 'session.close',
      actor: live.svid.spiffeId,
      service: live.svid.service,
      reason: code,
      ...(live.endedFor === undefined ? {} : { decision: 'deny', policies: live.endedFor.policies }),
      detail: { session: live.id, byPeer, cut, bytesIn, bytesOut },
    });
  }

  /** The jar's key leaves memory with the last session that brought it. */
  async #releaseJar(live: LiveSession): Promise<void> {
    const { spiffeId, service } = live.svid;
    const others = [...this.#live].some((other) => other.svid.spiffeId === spiffeId && other.svid.service === service);
    if (others || live.person === undefined) return;
    const { user, device } = live.person;
    await this.#deps.jars.release({ user, device, service });
  }

  /** Strangers who proved nothing are the transports' to count; who showed a credential of ours is written down. */
  #refused(live: LiveSession, error: unknown): void {
    const code: CloseCode | 'silent' = error instanceof HandshakeError ? error.code : 'internal';
    this.handshakes.add({ result: code });
    const { transport, address } = live.peer;
    this.#deps.log[levelOf(code)]({ code, transport, address, err: error }, 'handshake refused');
    if (live.shown === undefined) return;
    this.#deps.audit.note({
      type: 'session.refused',
      // Without a proof of its key a credential is only shown: its holder did nothing.
      actor: live.person?.spiffeId ?? 'anonymous',
      subject: live.shown.spiffeId,
      service: live.shown.service,
      decision: 'deny',
      policies: ['default-deny'],
      reason: code === 'going_away' && live.person !== undefined ? 'policy_stale' : code,
      detail: { transport, address },
    });
  }
}

/** What anybody can cause who finds the port stays quiet; the rest knew the gateway's stealth key, and is told (QHX-4). */
function levelOf(code: CloseCode | 'silent'): 'debug' | 'info' | 'error' {
  if (code === 'internal') return 'error';
  return code === 'silent' || code === 'idle' || code === 'going_away' ? 'debug' : 'info';
}
