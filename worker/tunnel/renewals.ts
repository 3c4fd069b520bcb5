/**
 * The credential a tunnel holds now, and its silent renewal: in time by a timer, and at once when somebody asks because
 * the gateway may have moved. One renewal at a time, whoever asked.
 */
import type { Clock } from '../../protocol/clock.ts';
import { TunnelFault } from '../api.ts';
import type { Credential } from './credential.ts';

export interface RenewalOptions {
  readonly clock: Clock;
  /** Asks the control plane. @throws TunnelFault with its code when it refuses. */
  readonly renew: (present: Credential) => Promise<Credential>;
  /** Each renewal, whoever asked for it: the open sessions have to sign again with it. */
  readonly onRenewed: (credential: Credential) => void;
  /** The control plane said no, and would say it again. */
  readonly onRefused: (fault: TunnelFault) => void;
  /** The lease has ended. Nothing is renewed until {@link Renewals.replace} brings a credential under another one. */
  readonly onLapsed: () => void;
}

/** Answers of the control plane after which it is not asked again; anything else is a control plane that is away. */
export const refusals: ReadonlySet<string> = new Set([
  'denied',
  'revoked',
  'posture',
  'posture_stale',
  'service_unknown',
  // Not the control plane's words but ours: what it sent is not signed by this installation.
  'bad_answer',
]);

const retryMs = 5_000;
/** Whatever an answer says, not more often than this; and below 2^31 ms, above which no runtime keeps a timer. */
const [shortestWaitMs, longestWaitMs] = [1_000, 2 ** 30];

export class Renewals {
  readonly #options: RenewalOptions;
  #credential: Credential;
  #running: Promise<boolean> | undefined;
  #cancel: () => void = () => undefined;
  #isStopped = false;
  #isLapsed = false;

  constructor(credential: Credential, options: RenewalOptions) {
    this.#credential = credential;
    this.#options = options;
  }

  get credential(): Credential {
    return this.#credential;
  }

  /** Sets the timer of the credential held now. */
  plan(): void {
    if (!this.#isStopped) this.#wait(Math.min(Math.max(this.#credential.renewInMs, shortestWaitMs), longestWaitMs));
  }

  /** Renews at once, or joins the renewal under way. @returns false when the control plane is away or refused. */
  now(): Promise<boolean> {
    this.#running ??= this.#renew().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The person has signed in again. */
  replace(credential: Credential): void {
    this.#isLapsed = false;
    this.#take(credential);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #wait(ms: number): void {
    this.#cancel();
    this.#cancel = this.#options.clock.after(ms, () => void this.#inTime());
  }

  async #inTime(): Promise<void> {
    const isRenewed = await this.now();
    if (!this.#isStopped && !this.#isLapsed && !isRenewed) this.#wait(retryMs);
  }

  async #renew(): Promise<boolean> {
    if (this.#isStopped || this.#isLapsed) return false;
    try {
      const credential = await this.#options.renew(this.#credential);
      if (this.#isStopped) return false;
      this.#take(credential);
      return true;
    } catch (error) {
      if (!this.#isStopped && error instanceof TunnelFault) this.#refused(error);
      return false;
    }
  }

  #take(credential: Credential): void {
    this.#credential = credential;
    this.plan();
    this.#options.onRenewed(credential);
  }

  #refused(fault: TunnelFault): void {
    if (refusals.has(fault.code)) this.#options.onRefused(fault);
    if (fault.code !== 'lease_ended' || this.#isLapsed) return;
    this.#isLapsed = true;
    this.#cancel();
    this.#options.onLapsed();
  }
}
