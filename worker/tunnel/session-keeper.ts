/**
 * Keeps one tunnel session open: races the transports, shakes hands, renews the credential before it ends, and makes a
 * new session when one is lost, falls silent, or goes by WebSocket where WebTransport has become possible. Callers ask
 * for a session and wait; they never see a reconnect.
 *
 * A session is never moved: a new handshake makes another beside it, new streams go there, and the old one carries what
 * it has to its end (docs/decisions/0005).
 */
import type { Clock } from '../../protocol/clock.ts';
import type { CloseCode } from '../../protocol/codes.ts';
import { HandshakeError } from '../../protocol/established.ts';
import type { Session } from '../../protocol/session.ts';
import type { SessionState } from '../../protocol/session-options.ts';
import { TunnelFault, type TunnelStatus } from '../api.ts';
import type { Transport } from '../transport/race.ts';
import { AwaitedSession } from './awaited-session.ts';
import type { Credential } from './credential.ts';
import { KeptSessions } from './kept-sessions.ts';
import { pause } from './pause.ts';
import { Renewals, refusals } from './renewals.ts';

/** An open session and the transport that carries it. */
export interface Connection {
  readonly session: Session;
  readonly transport: Transport;
}

/** What a session tells while it lives. */
export interface ConnectionHooks {
  readonly onState: (state: SessionState) => void;
  /** The gateway answers no rekey any more: a session beside this one is wanted, and this one may drain. */
  readonly onOverdue: () => void;
  /** Streams wait and nothing is heard: a session beside this one is wanted, and this one may be heard again. */
  readonly onSilent: () => void;
}

/** The transports to try, the one with the head start first. */
export type Order = readonly [Transport, Transport?];

export interface KeeperOptions {
  readonly clock: Clock;
  /** One attempt: transports raced, handshake done. */
  readonly connect: (
    credential: Credential,
    signal: AbortSignal,
    hooks: ConnectionHooks,
    order: Order,
  ) => Promise<Connection>;
  /** Asks the control plane for a new credential. @throws TunnelFault with its code when it refuses. */
  readonly renew: (present: Credential) => Promise<Credential>;
  /** The lease has ended. Sessions are kept as long as the gateway keeps them, and whoever asks for one waits. */
  readonly onLapsed: () => void;
  readonly onStatus: (status: TunnelStatus) => void;
  /** From 0 to 1: spreads the attempts of many tabs that lost the same gateway. */
  readonly chance: () => number;
}

/**
 * Ends of a session that another attempt with the same credential cannot change. What ends a handshake is never among
 * them, whatever it is called: REJECT and the versions in RESP are nobody's word yet (docs/protocol.md, "REJECT").
 */
const final: ReadonlySet<string> = new Set<CloseCode>([
  'version',
  'suite',
  'revoked',
  'denied',
  'posture',
  'downgrade',
]);

/** A gateway that is started again is back in two to four seconds: pauses that doubled would be past that by as much again. */
const [firstPauseMs, pauseGrowth, longestPauseMs] = [150, 1.5, 3_000];
/** A session that ends sooner was no success, and the pauses go on growing. No loop of such is quicker than one of failures. */
const steadyMs = longestPauseMs;
/** Silence takes some seconds to be known as that; a path that lets no more than handshakes through is no success either. */
const steadyBeforeSilenceMs = 10_000;
const attemptLimitMs = 15_000;

const usual: Order = ['webtransport', 'websocket'];
/** A path that answers nothing over UDP may still let a handshake through now and then; WebSocket goes first then. */
const afterSilence: Order = ['websocket', 'webtransport'];

/** On WebSocket, WebTransport is looked for after this long, and ever more seldom while it does not stand or not stay. */
const firstSearchMs = 5_000;
const longestSearchMs = 300_000;
/** It has stayed when it carried the session this long. */
const provenMs = 60_000;

/** A session's turn as the one that new streams go to. */
interface Turn {
  readonly connection: Connection;
  readonly over: PromiseWithResolvers<Ending>;
}

/** How a turn ended: by a code the session has ended too, otherwise it lives on until its streams have ended. */
type Ending = CloseCode | 'overdue' | 'silent' | Turn;

export class SessionKeeper {
  readonly #options: KeeperOptions;
  readonly #end = new AbortController();
  readonly #renewals: Renewals;
  readonly #kept = new KeptSessions();
  readonly #awaited: AwaitedSession;
  #turn: Turn | undefined;
  #searchMs = firstSearchMs;
  /** Resolves when a credential under another lease is there, or nothing is to be expected any more. */
  #lapse: PromiseWithResolvers<void> | undefined;
  /** Cuts the pause between two attempts short. */
  #impatience = new AbortController();
  /** Why the last attempt came to nothing. */
  #reason: string | undefined;

  constructor(credential: Credential, options: KeeperOptions) {
    this.#options = options;
    this.#awaited = new AwaitedSession({ clock: options.clock, lapse: () => this.#lapse?.promise });
    this.#renewals = new Renewals(credential, {
      ...options,
      onRenewed: (renewed) => this.#kept.signAll(renewed),
      onRefused: (fault) => this.refuse(fault),
      onLapsed: () => {
        this.#lapse = Promise.withResolvers();
        options.onLapsed();
      },
    });
  }

  /** Begins; failures show in the status. */
  start(): void {
    this.#renewals.plan();
    void this.#run();
  }

  /**
   * The open session, waiting for one when there is none.
   * @throws TunnelFault `offline` after the limit, or the code of a refusal.
   */
  session(limitMs: number): Promise<Session> {
    return this.#awaited.within(limitMs);
  }

  /** The person has signed in again: what was held goes on by this credential. */
  goOn(credential: Credential): void {
    this.#renewals.replace(credential);
    this.#endLapse();
  }

  /** Signing in again came to nothing. Only what another try would not change is an end. */
  refuseFor(error: unknown): void {
    if (error instanceof TunnelFault && refusals.has(error.code)) this.refuse(error);
  }

  refuse({ code, correlation }: TunnelFault): void {
    this.#stop('refused', code, correlation);
  }

  /** A person does not want to wait, or wants another session: at once, whatever the pauses say. */
  reconnect(): void {
    this.#impatience.abort();
    this.#impatience = new AbortController();
    // New streams go to the next session; what this one carries goes on to its end.
    this.#turn?.over.resolve('overdue');
  }

  end(): void {
    this.#stop('closed', 'done');
  }

  /** Once it has ended: resolves when no session and no attempt is left, and so nothing that seals or opens. */
  atRest(): Promise<void> {
    return this.#kept.atRest();
  }

  get #isOver(): boolean {
    return this.#end.signal.aborted;
  }

  async #run(): Promise<void> {
    let pauseMs = firstPauseMs;
    let [turn, order] = [undefined as Turn | undefined, usual];
    while (!this.#isOver) {
      await this.#lapse?.promise;
      if (this.#isOver) return;
      const began = this.#options.clock.monotonic();
      turn ??= await this.#reach(order);
      const ending = turn && (await this.#hold(turn));
      if (this.#isOver) return;
      order = ending === 'silent' && turn?.connection.transport === 'webtransport' ? afterSilence : usual;
      turn = typeof ending === 'object' ? ending : undefined;
      if (turn !== undefined || ending === 'overdue') continue;
      const enoughMs = ending === 'silent' ? steadyBeforeSilenceMs : steadyMs;
      const isSteady = this.#options.clock.monotonic() - began >= enoughMs;
      if (isSteady) pauseMs = firstPauseMs;
      if (isSteady && ending === 'silent') continue;
      await this.#pauseTold(pauseMs);
      pauseMs = Math.min(pauseMs * pauseGrowth, longestPauseMs);
      // A gateway that was started again has new addresses and certificates; the control plane knows them.
      await this.#renewals.now();
    }
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return pause(this.#options.clock, this.#spread(ms), signal);
  }

  #spread(ms: number): number {
    return ms * (0.75 + this.#options.chance() / 2);
  }

  /** Between two attempts. People are told how long it is; one that is over before it is read is not worth it. */
  #pauseTold(ms: number): Promise<void> {
    const retryInMs = Math.round(this.#spread(ms));
    if (retryInMs >= 1_000) this.#tellConnecting(retryInMs);
    return pause(this.#options.clock, retryInMs, AbortSignal.any([this.#end.signal, this.#impatience.signal]));
  }

  /** One attempt that people are told of, since nothing else carries them meanwhile. */
  #reach(order: Order): Promise<Turn | undefined> {
    this.#tellConnecting();
    return this.#begin(order, this.#end.signal);
  }

  #tellConnecting(retryInMs?: number): void {
    const reason = this.#reason;
    const more = { ...(reason !== undefined && { reason }), ...(retryInMs !== undefined && { retryInMs }) };
    this.#options.onStatus({ state: 'connecting', epoch: 0, ...more });
  }

  /** @returns undefined when no session came about. */
  async #begin(order: Order, signal: AbortSignal): Promise<Turn | undefined> {
    const over = Promise.withResolvers<Ending>();
    const hooks: ConnectionHooks = {
      onState: (state) => {
        if (state.phase === 'open' || state.phase === 'rekeying') this.#epochChanged(state.phase, state.epoch, over);
        else over.resolve(state.code ?? 'internal');
      },
      onOverdue: () => over.resolve('overdue'),
      onSilent: () => over.resolve('silent'),
    };
    const { credential } = this.#renewals;
    const connecting = this.#connect(credential, order, signal, hooks);
    this.#kept.track(connecting);
    const connection = await connecting;
    if (connection === undefined) return undefined;
    const { session } = connection;
    this.#kept.add(session);
    if (this.#isOver) {
      session.close('done');
      return undefined;
    }
    if (this.#renewals.credential !== credential) this.#kept.sign(session, this.#renewals.credential);
    void session.closed.then(({ code }) => over.resolve(code));
    return { connection, over };
  }

  async #connect(
    credential: Credential,
    order: Order,
    whole: AbortSignal,
    hooks: ConnectionHooks,
  ): Promise<Connection | undefined> {
    const attempt = new AbortController();
    const cancel = this.#options.clock.after(attemptLimitMs, () => attempt.abort());
    const signal = AbortSignal.any([attempt.signal, whole]);
    try {
      return await this.#options.connect(credential, signal, hooks, order);
    } catch (error) {
      this.#reason = error instanceof HandshakeError ? error.code : undefined;
      return undefined;
    } finally {
      cancel();
    }
  }

  /** New streams go to this session until its turn is over. */
  async #hold(turn: Turn): Promise<Ending> {
    const { session, transport } = turn.connection;
    const began = this.#options.clock.monotonic();
    this.#turn = turn;
    this.#reason = undefined;
    this.#options.onStatus({ state: 'open', transport, epoch: session.state.epoch });
    this.#awaited.came(session);
    const ending = await (transport === 'websocket' ? this.#holdAndSearch(turn) : turn.over.promise);
    this.#turn = undefined;
    if (!this.#isOver) this.#awaited.went();
    if (transport === 'webtransport' && this.#options.clock.monotonic() - began >= provenMs)
      this.#searchMs = firstSearchMs;
    if (typeof ending === 'string' && final.has(ending)) this.#stop('refused', ending);
    else session.drain();
    return ending;
  }

  /** Looks for WebTransport while WebSocket carries. What is found too late is closed. */
  async #holdAndSearch({ over }: Turn): Promise<Ending> {
    const search = new AbortController();
    const found = this.#search(AbortSignal.any([search.signal, this.#end.signal]));
    void found.then((better) => better && over.resolve(better));
    const ending = await over.promise;
    search.abort();
    void found.then((better) => {
      if (better !== ending) better?.connection.session.close('done');
    });
    return ending;
  }

  async #search(signal: AbortSignal): Promise<Turn | undefined> {
    while (!signal.aborted) {
      await this.#pause(this.#searchMs, signal);
      if (signal.aborted) return undefined;
      this.#searchMs = Math.min(this.#searchMs * 2, longestSearchMs);
      const found = await this.#begin(['webtransport'], signal);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Of the present session only: one that drains may still rekey. */
  #epochChanged(state: 'open' | 'rekeying', epoch: number, over: PromiseWithResolvers<Ending>): void {
    if (this.#turn?.over !== over) return;
    this.#options.onStatus({ state, transport: this.#turn.connection.transport, epoch });
  }

  #endLapse(): void {
    this.#lapse?.resolve();
    this.#lapse = undefined;
  }

  #stop(state: 'refused' | 'closed', reason: string, correlation?: string): void {
    if (this.#isOver) return;
    this.#end.abort();
    this.#endLapse();
    this.#renewals.stop();
    const fault = new TunnelFault(state === 'refused' ? 'refused' : 'offline', 'The tunnel has ended.', correlation);
    this.#awaited.refuse(fault);
    this.#kept.close();
    this.#options.onStatus({ state, epoch: 0, reason, ...(correlation !== undefined && { correlation }) });
  }
}
