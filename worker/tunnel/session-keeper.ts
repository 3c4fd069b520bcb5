/**
 * Keeps one tunnel session open: races the transports, shakes hands, renews the credential before it ends, and makes a
 * new session when one is lost. Callers ask for a session and wait; they never see a reconnect.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { CloseCode } from '../../protocol/codes.ts';
import type { Session } from '../../protocol/session.ts';
import { TunnelFault, type TunnelStatus } from '../api.ts';
import type { Credential } from './credential.ts';

/** An open session and the transport that carries it. */
export interface Connection {
  readonly session: Session;
  readonly transport: 'webtransport' | 'websocket';
}

export interface KeeperOptions {
  readonly clock: Clock;
  /** One attempt: transports raced, handshake done. */
  readonly connect: (
    credential: Credential,
    signal: AbortSignal,
    onEpoch: (phase: 'open' | 'rekeying', epoch: number) => void,
  ) => Promise<Connection>;
  /** Asks the control plane for a new credential. @throws TunnelFault with its code when it refuses. */
  readonly renew: (present: Credential) => Promise<Credential>;
  readonly onStatus: (status: TunnelStatus) => void;
}

/** Ends that another attempt with the same credential cannot change. */
const final: ReadonlySet<CloseCode> = new Set(['version', 'suite', 'revoked', 'denied', 'posture', 'downgrade']);
/** Answers of the control plane after which it is not asked again. */
const refusals: ReadonlySet<string> = new Set(['denied', 'revoked', 'lease_ended', 'session_unknown', 'posture']);

const firstPauseMs = 150;
const longestPauseMs = 3_000;
const attemptLimitMs = 15_000;
const retryRenewalMs = 5_000;

export class SessionKeeper {
  readonly #options: KeeperOptions;
  readonly #end = new AbortController();
  #credential: Credential;
  #open = Promise.withResolvers<Session>();
  #current: Connection | undefined;
  #cancelRenewal: () => void = () => undefined;

  constructor(credential: Credential, options: KeeperOptions) {
    this.#credential = credential;
    this.#options = options;
    this.#open.promise.catch(() => undefined);
  }

  /** Begins; failures show in the status. */
  start(): void {
    this.#planRenewal();
    void this.#run();
  }

  /**
   * The open session, waiting for one when there is none.
   * @throws TunnelFault `offline` after the limit, or the code of a refusal.
   */
  session(limitMs: number): Promise<Session> {
    if (this.#end.signal.aborted) return this.#open.promise;
    let cancel: () => void = () => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      cancel = this.#options.clock.after(limitMs, () =>
        reject(new TunnelFault('offline', 'The gateway did not answer.')),
      );
    });
    return Promise.race([this.#open.promise, late]).finally(cancel);
  }

  end(): void {
    this.#stop('closed', 'done');
    this.#current?.session.close('done');
  }

  async #run(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!this.#end.signal.aborted) {
      this.#status({ state: 'connecting', epoch: 0 });
      const connection = await this.#attempt();
      if (this.#end.signal.aborted) return connection?.session.close('done');
      if (connection !== undefined) {
        pauseMs = firstPauseMs;
        if (await this.#hold(connection)) return;
      }
      await this.#pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      // A gateway that was started again has new addresses and certificates; the control plane knows them.
      await this.#renewNow();
    }
  }

  async #attempt(): Promise<Connection | undefined> {
    const attempt = new AbortController();
    const cancel = this.#options.clock.after(attemptLimitMs, () => attempt.abort());
    const signal = AbortSignal.any([attempt.signal, this.#end.signal]);
    try {
      return await this.#options.connect(this.#credential, signal, (phase, epoch) => this.#epochChanged(phase, epoch));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'internal';
      if (final.has(code as CloseCode)) this.#stop('refused', code);
      return undefined;
    } finally {
      cancel();
    }
  }

  /** @returns true when the session's end is final. */
  async #hold(connection: Connection): Promise<boolean> {
    this.#current = connection;
    this.#status({ state: 'open', transport: connection.transport, epoch: connection.session.state.epoch });
    this.#open.resolve(connection.session);
    const { code } = await connection.session.closed;
    this.#current = undefined;
    if (this.#end.signal.aborted) return true;
    this.#open = Promise.withResolvers();
    this.#open.promise.catch(() => undefined);
    if (!final.has(code)) return false;
    this.#stop('refused', code);
    return true;
  }

  #epochChanged(phase: 'open' | 'rekeying', epoch: number): void {
    if (this.#current !== undefined) this.#status({ state: phase, transport: this.#current.transport, epoch });
  }

  #planRenewal(): void {
    this.#cancelRenewal();
    const { clock } = this.#options;
    const wait = Math.max(0, this.#credential.renewAfter - clock.now());
    this.#cancelRenewal = clock.after(wait, () => void this.#renewInTime());
  }

  /** The silent renewal: the session signs again with the new credential and goes on. */
  async #renewInTime(): Promise<void> {
    if (await this.#renewNow()) {
      await this.#current?.session.reauth(this.#credential.svid).catch(() => undefined);
    } else if (!this.#end.signal.aborted) {
      this.#cancelRenewal = this.#options.clock.after(retryRenewalMs, () => void this.#renewInTime());
    }
  }

  /** @returns false when the control plane is away; a refusal ends the tunnel. */
  async #renewNow(): Promise<boolean> {
    try {
      this.#credential = await this.#options.renew(this.#credential);
      this.#planRenewal();
      return true;
    } catch (error) {
      if (error instanceof TunnelFault && refusals.has(error.code))
        this.#stop('refused', error.code, error.correlation);
      return false;
    }
  }

  #stop(state: 'refused' | 'closed', reason: string, correlation?: string): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    this.#cancelRenewal();
    const fault = new TunnelFault(state === 'refused' ? 'refused' : 'offline', 'The tunnel has ended.', correlation);
    this.#open.reject(fault);
    this.#open = Promise.withResolvers();
    this.#open.promise.catch(() => undefined);
    this.#open.reject(fault);
    this.#status({ state, epoch: 0, reason, ...(correlation !== undefined && { correlation }) });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(ms, resolve);
      this.#end.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #status(status: TunnelStatus): void {
    this.#options.onStatus(status);
  }
}
