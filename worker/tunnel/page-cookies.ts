/**
 * The cookies that scripts of the app see, for WebSockets: those of their handshakes neither pass the service worker nor are
 * a worker's to read, so the service worker is asked for them, and told of those that an answer sets.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { CookieAnswer, CookieQuestion } from '../app-messages.ts';

/** A service worker that was stopped does not answer, and cannot hold up the page. */
const answerLimitMs = 2_000;

type Ask = (question: CookieQuestion) => void;

export class PageCookies {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, (text: string | undefined) => void>();
  #ask: Ask | undefined;
  #nextId = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** There is a service worker now, and no other any more. */
  askBy(ask: Ask): void {
    this.#ask = ask;
  }

  take({ id, text }: CookieAnswer): void {
    this.#waiting.get(id)?.(text);
  }

  /** @returns as a Cookie header would say them; undefined where nobody answers. */
  async read(target: string): Promise<string | undefined> {
    return this.#answer((id) => ({ t: 'read-cookies', id, target }));
  }

  /** Resolves when scripts see what these lines of Set-Cookie set. */
  async write(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.#answer((id) => ({ t: 'write-cookies', id, lines }));
  }

  async #answer(question: (id: number) => CookieQuestion): Promise<string | undefined> {
    if (this.#ask === undefined) return undefined;
    const id = this.#nextId;
    this.#nextId += 1;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#waiting.set(id, resolve);
    const stop = this.#clock.after(answerLimitMs, () => resolve(undefined));
    this.#ask(question(id));
    return promise.finally(() => {
      stop();
      this.#waiting.delete(id);
    });
  }
}
