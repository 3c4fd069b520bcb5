/**
 * A session after its handshake: streams to services, control in stream 0, epochs that follow each other, until
 * somebody says CLOSE (docs/protocol.md, "States" to "Rekey"). This file joins the parts; each has its own: records in
 * record-layer.ts, streams in session-streams.ts, rekey.ts, reauth.ts, liveness.ts. Not for: who may open what.
 */
import type { CloseCode, StreamKind } from './codes.ts';
import { Deadline } from './deadline.ts';
import { Drain } from './drain.ts';
import type { Established } from './established.ts';
import { Liveness } from './liveness.ts';
import type { SessionParams } from './params.ts';
import { type Role, recordKind } from './record.ts';
import { RecordLayer } from './record-layer.ts';
import { ClientRekey } from './rekey.ts';
import { exporterValue } from './schedule.ts';
import { ControlStream, encodeClose } from './session-control.ts';
import { type DatagramDrops, SessionDatagrams } from './session-datagrams.ts';
import { SessionEnding } from './session-ending.ts';
import { closeCodeOf, SessionError } from './session-error.ts';
import { keepAliveMs, recordLimits } from './session-limits.ts';
import type { SessionEnd, SessionOptions, SessionState } from './session-options.ts';
import {
  type ClientRoleOptions,
  clientRole,
  type GatewayRoleOptions,
  gatewayRole,
  type SessionRole,
} from './session-roles.ts';
import { type AbortSignalLike, SessionStreams } from './session-streams.ts';
import { ClientStepup, type StepupAssertion } from './stepup.ts';
import type { Stream } from './stream.ts';
import { StreamError } from './stream-error.ts';

/**
 * One tunnel. Made by connect-client.ts and accept-gateway.ts.
 *
 * @example
 * const stream = await session.open({ kind: 'http', service: 'wiki' });
 */
export class Session {
  readonly role: Role;
  readonly params: SessionParams;
  /** Settles once, never rejects. */
  readonly closed: Promise<SessionEnd>;
  readonly #options: SessionOptions;
  readonly #ending: SessionEnding;
  readonly #layer: RecordLayer;
  readonly #control: ControlStream;
  readonly #streams: SessionStreams;
  readonly #datagrams: SessionDatagrams | undefined;
  readonly #liveness: Liveness;
  readonly #role: SessionRole;
  readonly #deadline: Deadline;
  readonly #drain: Drain;
  #peer: Established['peer'];

  constructor(options: SessionOptions) {
    const { clock, established, role } = options;
    this.#options = options;
    this.role = role;
    this.params = established.params;
    this.#peer = established.peer;
    this.#ending = new SessionEnding(options);
    this.closed = this.#ending.closed;
    this.#layer = this.#newLayer();
    this.#control = this.#newControl();
    this.#liveness = this.#newLiveness();
    this.#datagrams = this.#newDatagrams();
    this.#drain = new Drain(clock, () => this.close('done'));
    this.#streams = this.#newStreams();
    this.#deadline = new Deadline(clock, () => this.close('expired'));
    this.#role = this.#newRole();
    this.#control.listen(this.#role.handlers, this.#role.before);
    void this.#streams.listen();
    this.#liveness.ping();
  }

  // ── the public face ──

  get state(): SessionState {
    const epoch = this.#layer.epochs.sendingNumber;
    if (this.#end) return { phase: this.#ending.phase, epoch, code: this.#end.code };
    return { phase: this.#role.rekey.isUnderWay ? 'rekeying' : 'open', epoch };
  }

  /** Who is at the other end; for a gateway the credential of the last REAUTH. */
  get peer(): Established['peer'] {
    return this.#peer;
  }

  /**
   * Opens a stream to a service; resolves when the gateway has accepted it. With `whole`, which is then all that this end
   * says, the gateway has that together with the wish (at most the first credit, not on a UDP flow): it may have acted on it
   * though opening fails.
   * @throws StreamError with the gateway's code and correlation id, 'cancelled' or 'session_closed'
   */
  async open(request: {
    readonly kind: StreamKind;
    readonly service: string;
    readonly flags?: number;
    readonly signal?: AbortSignalLike;
    readonly whole?: Uint8Array | undefined;
  }): Promise<Stream> {
    if (this.#end) throw new StreamError('session_closed');
    const { kind, service, flags = 0 } = request;
    const open = { kind, service, flags, policyEpoch: this.params.policyEpoch };
    return this.#streams.open(open, request.signal, request.whole);
  }

  /**
   * Client: proves the session key over the present epoch and hands in the next credential. Resolves when the gateway
   * has answered with its own proof. A credential it refuses ends the session.
   */
  reauth(svid: Uint8Array): Promise<void> {
    if (!this.#role.reauth) throw new TypeError('only a client with a signer reauthenticates');
    if (this.#end) return Promise.reject(new SessionError(this.#end.code, 'closed'));
    return this.#role.reauth.present(svid);
  }

  /** Starts a rekey now; a gateway asks its client for one. */
  requestRekey(): void {
    if (this.#end) return;
    if (this.#role.rekey instanceof ClientRekey) this.#role.rekey.start();
    else this.#role.rekey.request();
  }

  /** Gateway: tells the client something that changes nothing in the protocol. */
  notice(content: Uint8Array): void {
    if (this.role !== 'gateway') throw new TypeError('only a gateway sends notices');
    if (!this.#end) void this.#control.send(recordKind.notice, content);
  }

  /**
   * New streams go elsewhere: says CLOSE, done, once those that are open have ended. Until then everything goes on as
   * before, rekeys and REAUTH too; a stream that is opened all the same is carried.
   */
  drain(): void {
    if (!this.#end) this.#drain.begin();
  }

  /** Gateway: asks for a touch of the passkey over this session. @param nonce 32 bytes, never used before */
  askStepup(nonce: Uint8Array): void {
    const { stepup } = this.#role;
    if (stepup instanceof ClientStepup) throw new TypeError('only a gateway asks for a step-up');
    if (!this.#end) stepup.ask(nonce);
  }

  /**
   * Client: answers a question that `onStepup` told; without an assertion it is declined.
   * @returns false when the question is open no more
   */
  answerStepup(nonce: Uint8Array, assertion?: StepupAssertion): boolean {
    const { stepup } = this.#role;
    if (!(stepup instanceof ClientStepup)) throw new TypeError('only a client answers a step-up');
    return !this.#end && stepup.answer(nonce, assertion);
  }

  /** A value that both ends and nobody else can compute in this epoch. @throws SessionError once it is over */
  exporter(label: string, context: Uint8Array): Uint8Array {
    return exporterValue(this.#options.crypto, this.#layer.epochs.sending, label, context);
  }

  /** Records and bytes so far, framing included, and the streams open now. */
  stats(): { sealed: number; opened: number; bytesIn: number; bytesOut: number; streams: number } {
    return { ...this.#layer.counts, streams: this.#streams.count };
  }

  /** Datagrams that were dropped on arrival, by reason; undefined on a transport without datagrams. */
  get datagramDrops(): DatagramDrops | undefined {
    return this.#datagrams?.drops;
  }

  /** Says CLOSE and forgets every key at once; streams fail with 'session_closed'. */
  close(code: CloseCode): void {
    if (this.#end) return;
    this.#ending.begin({ code, byPeer: false, cut: false }, () => this.#changed());
    const { control } = this.#options;
    void this.#control.send(recordKind.close, encodeClose(code)).then(() => {
      control.finish();
      this.#streams.abort();
    });
    this.#forget();
  }

  // ── endings ──

  get #end(): SessionEnd | undefined {
    return this.#ending.end;
  }

  #fatal(error: unknown): void {
    if (this.#end) return;
    this.#options.onFault?.(error);
    this.close(closeCodeOf(error));
  }

  /** Nothing more will come, so nothing is said either. */
  #endByPeer(code: CloseCode, cut: boolean): void {
    if (this.#end) return;
    this.#options.control.finish();
    this.#ending.begin({ code, byPeer: true, cut }, () => this.#changed());
    this.#forget();
    // What nobody reads any more must not stand before the peer's end of the transport.
    this.#streams.abort();
  }

  #forget(): void {
    this.#streams.abandon();
    this.#liveness.stop();
    this.#drain.stop();
    this.#deadline.stop();
    this.#role.wipe();
    this.#role.reauth?.abandon(new SessionError(this.#end!.code, 'closed'));
    this.#layer.wipe();
    this.#changed();
  }

  #changed(): void {
    this.#options.onState?.(this.state);
  }

  // ── joining the parts ──

  readonly #isOver = (): boolean => this.#end !== undefined;

  #newLayer(): RecordLayer {
    const { crypto, clock, established, limits, role } = this.#options;
    const { params, epoch } = established;
    return new RecordLayer({
      crypto,
      clock,
      role,
      first: epoch,
      rejectAfterMs: params.rejectAfterS * 1000,
      rekeyAfterBytes: Number(params.rekeyAfterBytes),
      limits: { ...recordLimits, ...limits },
      onWorn: () => this.requestRekey(),
      onExpired: () => this.close('rekey_timeout'),
      onSwept: () => this.#onSwept(),
      onFatal: (error) => this.#fatal(error),
    });
  }

  #onSwept(): void {
    if (this.#role.rekey instanceof ClientRekey && !this.#end) this.#role.rekey.retry();
  }

  #newControl(): ControlStream {
    return new ControlStream({
      link: this.#layer.link(this.#options.control),
      isOver: this.#isOver,
      fatal: (error) => this.#fatal(error),
      onCut: () => this.#endByPeer('going_away', true),
      onClose: (code) => this.#endByPeer(code, false),
      onEnded: () => this.#ending.peerEnded(),
    });
  }

  #newLiveness(): Liveness {
    const { clock, role, idleAfterMs } = this.#options;
    return new Liveness({
      clock,
      layer: this.#layer,
      send: (kind, content) => this.#control.send(kind, content),
      onIdle: () => this.close('idle'),
      onSilent: () => this.#options.onSilent?.(),
      keepAliveMs: this.#options.keepAliveMs ?? (role === 'client' ? keepAliveMs : undefined),
      idleAfterMs,
    });
  }

  #newStreams(): SessionStreams {
    const { carrier, clock, onOpen, role } = this.#options;
    return new SessionStreams({
      layer: this.#layer,
      carrier,
      clock,
      role,
      maxStreams: this.params.maxStreams,
      maxRecord: this.params.maxRecord,
      roundTripMs: () => this.#liveness.roundTripMs,
      datagrams: this.#datagrams,
      onOpen,
      onCount: (open) => {
        this.#liveness.streamsOpen(open);
        this.#drain.streamsOpen(open);
      },
      isOver: this.#isOver,
      fatal: (error) => this.#fatal(error),
      onCut: () => this.#endByPeer('going_away', true),
    });
  }

  #newDatagrams(): SessionDatagrams | undefined {
    const { carrier, crypto, limits, role } = this.#options;
    return (
      carrier.datagrams &&
      new SessionDatagrams({
        ...{ crypto, role, layer: this.#layer, transport: carrier.datagrams },
        limits: { ...recordLimits, ...limits },
        onEnded: () => this.requestRekey(),
      })
    );
  }

  #newRole(): SessionRole {
    const { crypto, clock, established, role } = this.#options;
    const parts = {
      ...{ crypto, clock, established, layer: this.#layer, control: this.#control, liveness: this.#liveness },
      fatal: (error: unknown) => this.#fatal(error),
      onRekey: () => this.#changed(),
    };
    return role === 'client' ? clientRole(parts, this.#clientOptions()) : gatewayRole(parts, this.#gatewayOptions());
  }

  #clientOptions(): ClientRoleOptions {
    const { onNotice, onRekeyOverdue, onRekeySoon, onStepup, signer } = this.#options;
    return {
      signer,
      onRekeySoon: () => onRekeySoon?.(),
      onRekeyOverdue: () => onRekeyOverdue?.(),
      onNotice: (content) => onNotice?.(content),
      onStepup,
    };
  }

  #gatewayOptions(): GatewayRoleOptions {
    const { gatewaySigner, graceMs = 0, onReauth, onStepupAnswer, verifyReauth } = this.#options;
    return {
      onStepupAnswer: (question, assertion) => onStepupAnswer?.(question, assertion),
      signer: gatewaySigner,
      verifySvid: verifyReauth,
      deadline: this.#deadline,
      graceMs,
      peer: () => this.#peer,
      onRenewed: (svid) => {
        this.#peer = svid;
        onReauth?.(svid);
      },
    };
  }
}
