/**
 * One person, in either browser: what a test body needs that runs in both. Chromium is driven by Playwright (person.ts),
 * Firefox by WebDriver BiDi (firefox-visitor.ts). What only one of them can do belongs into a test of that browser.
 *
 *     for (const browser of browsers)
 *       test(`BR-1: … (${browser})`, async () => {
 *         await using visitor = await arrive(browser);
 *         await visitor.enrol(link);
 *         const { app } = await visitor.open('demo');
 *         await app.evaluate(async (path) => (await fetch(path)).status, '/whoami');
 */
import type { Frame, Page } from 'playwright-core';
import { FirefoxVisitor } from './firefox-visitor.ts';
import { type OpenService, Person, statusOf } from './person.ts';

export type BrowserName = 'chromium' | 'firefox';
export const browsers: readonly BrowserName[] = ['chromium', 'firefox'];

/** A page or a frame of one. It stays the same while it navigates. */
export interface Realm {
  /** Runs a function there, which sees nothing of the test but its argument. Both cross as JSON. */
  evaluate<R>(run: () => R | Promise<R>): Promise<R>;
  evaluate<R, A>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  url(): string;
}

export interface Status {
  readonly state: string | null;
  readonly transport: string | null;
  readonly epoch: number;
}

/** A service as it is open in a tab. */
export interface Visit {
  readonly shell: Realm;
  readonly app: Realm;
  /** What the shell's toolbar says. */
  status(): Promise<Status>;
  /** Closes the tab. */
  close(): Promise<void>;
}

export interface Visitor extends AsyncDisposable {
  readonly browser: BrowserName;
  readonly hub: Realm;
  /** What all pages said on their consoles, `error: …` and `uncaught: …` being what a test minds. */
  readonly console: readonly string[];
  /** Follows an enrolment link to the launcher. */
  enrol(link: string): Promise<void>;
  /** Any address, in a tab of its own. */
  visit(address: string): Promise<Realm>;
  /** Opens a service from the launcher, up to the loaded app. */
  open(name: string): Promise<Visit>;
  /** In the launcher. */
  signOut(): Promise<void>;
  /** Signed out, opens an address of this service or of its shell: signs in where that leads, and goes on to the loaded app. */
  signInFor(address: string, name: string): Promise<Visit>;
}

/** A fresh profile with a virtual authenticator. A product started with `overWebSocket` has no other transport for it. */
export function arrive(browser: BrowserName): Promise<Visitor> {
  return browser === 'firefox' ? FirefoxVisitor.arrive() : ChromiumVisitor.arrive();
}

/** For `Product.start`: the tunnel runs over WebSocket. */
export const overWebSocket = { LATCHKEY_WEBTRANSPORT: 'off' };

class ChromiumVisitor implements Visitor {
  readonly browser = 'chromium';
  readonly #person: Person;

  private constructor(person: Person) {
    this.#person = person;
  }

  static async arrive(): Promise<ChromiumVisitor> {
    return new ChromiumVisitor(await Person.arrive());
  }

  get hub(): Realm {
    return realm(this.#person.hub);
  }

  get console(): readonly string[] {
    return this.#person.console;
  }

  enrol(link: string): Promise<void> {
    return this.#person.enrol(link);
  }

  async visit(address: string): Promise<Realm> {
    const page = await this.#person.context.newPage();
    await page.goto(address);
    return realm(page);
  }

  async open(name: string): Promise<Visit> {
    return new ChromiumVisit(await this.#person.open(name));
  }

  async signOut(): Promise<void> {
    const { hub } = this.#person;
    await hub.getByRole('button', { name: 'Sign out' }).click();
    await hub.getByRole('button', { name: 'Sign in' }).waitFor();
  }

  async signInFor(address: string, name: string): Promise<Visit> {
    const { hub, context } = this.#person;
    await hub.goto(address);
    await hub.getByRole('button', { name: 'Sign in' }).click();
    const opened = context.waitForEvent('page');
    await hub.getByRole('button', { name: `Open ${name}` }).click();
    return new ChromiumVisit(await this.#person.appOf(await opened, name));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#person[Symbol.asyncDispose]();
  }
}

class ChromiumVisit implements Visit {
  readonly shell: Realm;
  readonly app: Realm;
  readonly #page: Page;

  constructor({ shell, app }: OpenService) {
    this.#page = shell;
    this.shell = realm(shell);
    this.app = realm(app);
  }

  status(): Promise<Status> {
    return statusOf(this.#page);
  }

  close(): Promise<void> {
    return this.#page.close();
  }
}

function realm(of: Page | Frame): Realm {
  return {
    // Playwright's types follow handles into the argument; here it is plain data.
    evaluate: (run: (argument: never) => unknown, argument?: unknown) => of.evaluate(run as never, argument) as never,
    url: () => of.url(),
  };
}
