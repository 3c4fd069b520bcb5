/**
 * Whether the credential that a session lives by is good now. Past its end nothing is carried in either direction and
 * nothing is opened; what is under way waits where it is, so that a person who signs in again in time loses nothing
 * (docs/decisions/0010). The protocol ends the session when nobody does.
 */
import type { Clock } from '../../../protocol/clock.ts';
import { Deadline } from '../../../protocol/deadline.ts';
import type { TunnelStream } from '../bridge/tunnel-stream.ts';

export class CredentialGate {
  readonly #deadline: Deadline;
  #closed: PromiseWithResolvers<void> | undefined;
  #isOver = false;

  constructor(clock: Clock) {
    this.#deadline = new Deadline(clock, () => {
      if (!this.#isOver) this.#closed ??= Promise.withResolvers();
    });
  }

  /** A credential that ends then. @param notAfter ms since 1970 */
  renew(notAfter: number): void {
    this.#deadline.set(notAfter);
    this.#closed?.resolve();
    this.#closed = undefined;
  }

  /** Resolves when the credential is good, or the session over; undefined when it is good now. */
  get passage(): Promise<void> | undefined {
    return this.#closed?.promise;
  }

  /** The session is over: whoever waits finds that out by using its stream. */
  end(): void {
    this.#isOver = true;
    this.#deadline.stop();
    this.#closed?.resolve();
    this.#closed = undefined;
  }

  /** The stream as it may be used: what comes or goes past the credential's end waits for the next one. */
  guard(stream: TunnelStream): TunnelStream {
    return {
      closed: stream.closed,
      reset: (code) => stream.reset(code),
      read: async () => {
        const chunk = await stream.read();
        await this.passage;
        return chunk;
      },
      write: async (bytes) => {
        await this.passage;
        return stream.write(bytes);
      },
      finish: async () => {
        await this.passage;
        return stream.finish();
      },
    };
  }
}
