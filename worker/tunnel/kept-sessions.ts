/**
 * The sessions of a tunnel that have not closed, the one that new streams go to and those that drain, and the attempts
 * at further ones: all that lives by the tunnel's credential, and all that may still seal or open.
 */
import type { Session } from '../../protocol/session.ts';
import type { Credential } from './credential.ts';

export class KeptSessions {
  /** With each, when it has signed for all that it was told to. */
  readonly #signed = new Map<Session, Promise<void>>();
  readonly #work = new Set<Promise<unknown>>();

  add(session: Session): void {
    this.#signed.set(session, Promise.resolve());
    this.track(session.closed);
    void session.closed.then(() => this.#signed.delete(session));
  }

  /** @param work a session's life, or an attempt at one */
  track(work: Promise<unknown>): void {
    this.#work.add(work);
    const done = (): boolean => this.#work.delete(work);
    work.then(done, done);
  }

  /** REAUTH, when the one before it was answered. One that fails has ended its session. */
  sign(session: Session, { svid }: Credential): void {
    const before = this.#signed.get(session);
    if (before === undefined) return;
    this.#signed.set(
      session,
      before.then(() => session.reauth(svid)).catch(() => undefined),
    );
  }

  signAll(credential: Credential): void {
    for (const session of this.#signed.keys()) this.sign(session, credential);
  }

  close(): void {
    for (const session of this.#signed.keys()) session.close('done');
  }

  /** Resolves when no session and no attempt is left. */
  async atRest(): Promise<void> {
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
