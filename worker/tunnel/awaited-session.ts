/** The open session of a tunnel for whoever asks for one, and waits while there is none. */
import type { Clock } from '../../protocol/clock.ts';
import type { Session } from '../../protocol/session.ts';
import { TunnelFault } from '../api.ts';

export interface WaitOptions {
  readonly clock: Clock;
  /** While it is there a person is asked to sign in again, and that is not the gateway's silence. */
  readonly lapse: () => Promise<void> | undefined;
}

export class AwaitedSession {
  readonly #options: WaitOptions;
  #open = newOpen();

  constructor(options: WaitOptions) {
    this.#options = options;
  }

  /** @throws TunnelFault `offline` after the limit, or the code of a refusal. */
  async within(limitMs: number): Promise<Session> {
    const late = Promise.withResolvers<never>();
    late.promise.catch(() => undefined);
    let cancel = () => {};
    const watch = (): void => {
      cancel = this.#options.clock.after(limitMs, () => {
        const lapse = this.#options.lapse();
        if (lapse !== undefined) void lapse.then(watch);
        else late.reject(new TunnelFault('offline', 'The gateway did not answer.'));
      });
    };
    watch();
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

  came(session: Session): void {
    this.#open.resolve(session);
  }

  /** The next one is waited for from here on. */
  went(): void {
    this.#open = newOpen();
  }

  /** None comes any more: whoever waits hears it, and so does whoever asks later. The last thing that is said here. */
  refuse(fault: TunnelFault): void {
    this.#open.reject(fault);
    this.#open = newOpen();
    this.#open.reject(fault);
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
