/**
 * User names and passwords that the service asks for by HTTP (RFC 7617). A browser asks nobody for an answer that came
 * from a service worker, so the shell asks, and the tunnel's Worker sends what the person said: to the one service of
 * this tunnel, inside of it. They are kept in this realm alone, as long as the tab is open; no page can read them.
 */
import type { PasswordStage } from '../api.ts';
import { basicAuthorization } from './basic-challenge.ts';

/** What one realm was told, and where it is asked for. */
interface Space {
  readonly authorization: string;
  /** Folders, each with a slash at its end. */
  readonly folders: readonly string[];
}

/** A 401 of the service. */
export interface Refused {
  readonly realm: string;
  /** Path and query. */
  readonly target: string;
  /** The Authorization that was refused; undefined when there was none. */
  readonly tried: string | undefined;
  /** A person went there, and not a script. */
  readonly isNavigation: boolean;
}

interface Question {
  readonly realm: string;
  readonly answer: PromiseWithResolvers<string | undefined>;
}

export class HttpPasswords {
  readonly #onStage: (stage: PasswordStage | undefined) => void;
  readonly #spaces = new Map<string, Space>();
  /** Realms that the person does not want to be asked for until they go somewhere again. */
  readonly #declined = new Set<string>();
  #question: Question | undefined;

  constructor(onStage: (stage: PasswordStage | undefined) => void) {
    this.#onStage = onStage;
  }

  /** The Authorization to send unasked, for a path in or below a folder where it was asked for (RFC 7617 section 2.2). */
  known(target: string): string | undefined {
    const folder = folderOf(target);
    const deepest = [...this.#spaces.values()]
      .flatMap(({ authorization, folders }) => folders.map((path) => ({ authorization, path })))
      .filter(({ path }) => folder.startsWith(path))
      .sort((one, other) => other.path.length - one.path.length);
    return deepest[0]?.authorization;
  }

  /** What a page gave itself, with the address of its request. */
  keep(realm: string, target: string, authorization: string): void {
    const before = this.#spaces.get(realm);
    const folders = before?.authorization === authorization ? before.folders : [];
    const folder = folderOf(target);
    const isCovered = folders.some((path) => folder.startsWith(path));
    this.#spaces.set(realm, { authorization, folders: isCovered ? folders : [...folders, folder] });
  }

  /** @returns what to try next; undefined when the person would rather not. */
  async afterRefusal({ realm, target, tried, isNavigation }: Refused): Promise<string | undefined> {
    if (isNavigation) this.#declined.delete(realm);
    const space = this.#spaces.get(realm);
    if (space !== undefined && space.authorization === tried) this.#spaces.delete(realm);
    const known = this.#spaces.get(realm)?.authorization ?? (await this.#ask(realm, tried));
    if (known !== undefined) this.keep(realm, target, known);
    return known;
  }

  /** @throws TypeError for a user name with a colon. */
  answer(user: string, password: string): void {
    this.#over(basicAuthorization(user, password));
  }

  decline(): void {
    if (this.#question !== undefined) this.#declined.add(this.#question.realm);
    this.#over(undefined);
  }

  /** Whoever waits gets none. */
  forget(): void {
    this.#spaces.clear();
    this.#over(undefined);
  }

  /** Everything that waits for the same realm waits for one answer. */
  async #ask(realm: string, tried: string | undefined): Promise<string | undefined> {
    while (this.#question !== undefined && this.#question.realm !== realm) await this.#question.answer.promise;
    if (this.#declined.has(realm)) return undefined;
    if (this.#question === undefined) {
      this.#question = { realm, answer: Promise.withResolvers() };
      this.#onStage(tried === undefined ? 'asked' : 'wrong');
    }
    return this.#question.answer.promise;
  }

  #over(authorization: string | undefined): void {
    const question = this.#question;
    if (question === undefined) return;
    this.#question = undefined;
    this.#onStage(undefined);
    question.answer.resolve(authorization);
  }
}

/** `/a/b?c` is in `/a/`. */
function folderOf(target: string): string {
  return target.replace(/[?#].*$/s, '').replace(/[^/]*$/, '');
}
