/**
 * How a session ends on its transport: who closes it, and how long that is waited for (docs/protocol.md, "States").
 *
 * It is the client that closes. A transport that the gateway closes crashes Chromium's process of the page now and then:
 * of a stream still open it tells scripts outside of any context (seen in 156, `IncomingStream::ProcessClose`).
 */
import { closeLingerMs } from './session-limits.ts';
import type { SessionEnd, SessionOptions } from './session-options.ts';

export class SessionEnding {
  /** Settles once, never rejects: the transport is closed. */
  readonly closed: Promise<SessionEnd>;
  readonly #options: Pick<SessionOptions, 'carrier' | 'clock' | 'role'>;
  readonly #settle: (end: SessionEnd) => void;
  #end: SessionEnd | undefined;
  #isClosed = false;

  constructor(options: Pick<SessionOptions, 'carrier' | 'clock' | 'role'>) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<SessionEnd>();
    this.closed = promise;
    this.#settle = resolve;
  }

  /** Undefined while the session goes on. */
  get end(): SessionEnd | undefined {
    return this.#end;
  }

  get phase(): 'closing' | 'closed' {
    return this.#isClosed ? 'closed' : 'closing';
  }

  /** To be called once. A peer that does not close the transport is not waited for. @param onClosed before `closed` */
  begin(end: SessionEnd, onClosed: () => void): void {
    this.#end = end;
    const { carrier, clock, role } = this.#options;
    const cancel = clock.after(closeLingerMs, () => carrier.close());
    void carrier.closed.then(() => {
      cancel();
      this.#isClosed = true;
      onClosed();
      this.#settle(end);
    });
    if (end.cut || (end.byPeer && role === 'client')) carrier.close();
  }

  /** The other end will say nothing more: a client that said CLOSE has been heard. */
  peerEnded(): void {
    if (this.#options.role === 'client' && this.#end?.byPeer === false) this.#options.carrier.close();
  }
}
