/**
 * Keeps one tunnel session open: races the transports, shakes hands, renews the credential before it ends, and makes a
 * new session when one is lost. Callers ask for a session and wait; they never see a reconnect.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { CloseCode } from '../../protocol/codes.ts';
import type { Session } from '../../protocol/session.ts';
import type { SessionState } from '../../protocol/session-options.ts';
import { TunnelFault, type TunnelStatus } from '../api.ts';
import type { Credential } from './credential.ts';
import { Renewals } from './renewals.ts';

/** An open session and the transport that carries it. */
export interface Connection {
  readonly session: Session;
  readonly transport: 'webtransport' | 'websocket';
}

/** What a session tells while it lives. */
export interface ConnectionHooks {
  readonly onState: (state: SessionState) => void;
  /** The gateway answers no rekey any more: a session beside this one is wanted, and this one may drain. */
  readonly onOverdue: () => void;
}

export interface KeeperOptions {
  readonly clock: Clock;
  /** One attempt: transports raced, handshake done. */
  readonly connect: (credential: Credential, signal: AbortSignal, hooks: ConnectionHooks) => Promise<Connection>;
  /** Asks the control plane for a new credential. @throws TunnelFault with its code when it refuses. */
  readonly renew: (present: Credential) => Promise<Credential>;
  readonly onStatus: (status: TunnelStatus) => void;
  /** From 0 to 1: spreads the attempts of many tabs that lost the same gateway. */
  readonly chance: () => number;
}

/** Ends that another attempt with the same credential cannot change. */
const final: ReadonlySet<string> = new Set<CloseCode>([
  'version',
  'suite',
  'revoked',
  'denied',
  'posture',
  'downgrade',
]);

const firstPauseMs = 150;
const longestPauseMs = 3_000;
/** A session that ends sooner was no success, and the pauses go on growing. */
const steadyMs = 10_000;
const attemptLimitMs = 15_000;

/** How a session's turn as the present one ended. */
type Ending = CloseCode | 'overdue';

export class SessionKeeper {
  readonly #options: KeeperOptions;
  readonly #end = new AbortController();
  readonly #renewals: Renewals;
  /** All that are not closed: the present one and those that drain. */
  readonly #sessions = new Set<Session>();
  #open = newOpen();
  #current: Connection | undefined;

  constructor(credential: Credential, options: KeeperOptions) {
    this.#options = options;
    this.#renewals = new Renewals(credential, {
      ...options,
      onRenewed: ({ svid }) => void this.#current?.session.reauth(svid).catch(() => undefined),
      onRefused: (fault) => this.#stop('refused', fault.code, fault.correlation),
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
  async session(limitMs: number): Promise<Session> {
    const late = Promise.withResolvers<never>();
    late.promise.catch(() => undefined);
    const cancel = this.#options.clock.after(limitMs, () =>
      late.reject(new TunnelFault('offline', 'The gateway did not answer.')),
    );
    try {
      for (;;) {
        const session = await Promise.race([this.#open.promise, late.promise]);
        if (isUsable(session)) return session;
        // It has ended a moment ago and the next one is not even being made.
        await Promise.race([session.closed, late.promise]);
      }
    } finally {
      cancel();
    }
  }

  end(): void {
    this.#stop('closed', 'done');
  }

  get #isOver(): boolean {
    return this.#end.signal.aborted;
  }

  async #run(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!this.#isOver) {
      this.#options.onStatus({ state: 'connecting', epoch: 0 });
      const began = this.#options.clock.monotonic();
      const ending = await this.#attempt();
      if (this.#isOver) return;
      if (ending === 'overdue') continue;
      if (this.#options.clock.monotonic() - began >= steadyMs) pauseMs = firstPauseMs;
      await this.#pause(pauseMs * (0.75 + this.#options.chance() / 2));
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      // A gateway that was started again has new addresses and certificates; the control plane knows them.
      await this.#renewals.now();
    }
  }

  /** Connects and stays with the session until its turn is over. @returns undefined when no session came about. */
  async #attempt(): Promise<Ending | undefined> {
    const over = Promise.withResolvers<Ending>();
    const hooks: ConnectionHooks = {
      onState: (state) => {
        if (state.phase === 'open' || state.phase === 'rekeying') this.#epochChanged(state.phase, state.epoch, over);
        else over.resolve(state.code ?? 'internal');
      },
      onOverdue: () => over.resolve('overdue'),
    };
    const connection = await this.#connect(hooks);
    if (connection === undefined) return undefined;
    this.#adopt(connection.session);
    if (this.#isOver) return undefined;
    void connection.session.closed.then(({ code }) => over.resolve(code));
    return this.#hold(connection, over);
  }

  async #connect(hooks: ConnectionHooks): Promise<Connection | undefined> {
    const attempt = new AbortController();
    const cancel = this.#options.clock.after(attemptLimitMs, () => attempt.abort());
    const signal = AbortSignal.any([attempt.signal, this.#end.signal]);
    try {
      return await this.#options.connect(this.#renewals.credential, signal, hooks);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'internal';
      if (final.has(code)) this.#stop('refused', code);
      return undefined;
    } finally {
      cancel();
    }
  }

  #adopt(session: Session): void {
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    if (this.#isOver) session.close('done');
  }

  #turn: PromiseWithResolvers<Ending> | undefined;

  async #hold(connection: Connection, over: PromiseWithResolvers<Ending>): Promise<Ending> {
    const { session, transport } = connection;
    [this.#current, this.#turn] = [connection, over];
    this.#options.onStatus({ state: 'open', transport, epoch: session.state.epoch });
    this.#open.resolve(session);
    const ending = await over.promise;
    [this.#current, this.#turn] = [undefined, undefined];
    if (!this.#isOver) this.#open = newOpen();
    if (final.has(ending)) this.#stop('refused', ending);
    return ending;
  }

  /** Of the present session only: one that drains may still rekey. */
  #epochChanged(state: 'open' | 'rekeying', epoch: number, turn: PromiseWithResolvers<Ending>): void {
    if (this.#current === undefined || this.#turn !== turn) return;
    this.#options.onStatus({ state, transport: this.#current.transport, epoch });
  }

  #stop(state: 'refused' | 'closed', reason: string, correlation?: string): void {
    if (this.#isOver) return;
    this.#end.abort();
    this.#renewals.stop();
    // Whoever waits hears it, and so does whoever asks later.
    const fault = new TunnelFault(state === 'refused' ? 'refused' : 'offline', 'The tunnel has ended.', correlation);
    this.#open.reject(fault);
    this.#open = newOpen();
    this.#open.reject(fault);
    for (const session of this.#sessions) session.close('done');
    this.#options.onStatus({ state, epoch: 0, reason, ...(correlation !== undefined && { correlation }) });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(ms, () => {
        this.#end.signal.removeEventListener('abort', stop);
        resolve();
      });
      const stop = () => {
        cancel();
        resolve();
      };
      this.#end.signal.addEventListener('abort', stop, { once: true });
    });
  }
}

function newOpen(): PromiseWithResolvers<Session> {
  const open = Promise.withResolvers<Session>();
  // Nobody need be waiting when it is rejected.
  open.promise.catch(() => undefined);
  return open;
}

function isUsable(session: Session): boolean {
  return session.state.phase === 'open' || session.state.phase === 'rekeying';
}
