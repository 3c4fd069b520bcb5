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
import { setTimeout } from 'node:timers/promises';
import type { Frame, Page } from 'playwright-core';
import type { FirefoxPrefs } from '../../support/firefox.ts';
import { inLong } from '../../support/long.ts';
import { clickDownload } from './click-download.ts';
import { FirefoxVisitor } from './firefox-visitor.ts';
import { type OpenService, Person, statusOf } from './person.ts';

const patienceMs = 60_000;
const lookMs = 100;

export type BrowserName = 'chromium' | 'firefox';
export const browsers: readonly BrowserName[] = ['chromium', 'firefox'];

export interface Way {
  readonly browser: BrowserName;
  readonly transport: 'webtransport' | 'websocket';
}
/** Each browser over each transport. */
export const ways: readonly Way[] = browsers.flatMap((browser) =>
  (['webtransport', 'websocket'] as const).map((transport) => ({ browser, transport })),
);
/** For what takes long: each browser and each transport once, and all four ways in the long form. */
export const fewerWays: readonly Way[] = inLong(
  ways.filter(({ browser, transport }) => (browser === 'chromium') === (transport === 'webtransport')),
  ways,
);
/** How a product is started for one of them. */
export const settingsFor = ({ transport }: Way): Record<string, string> =>
  transport === 'websocket' ? overWebSocket : {};

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

/** A file that is being saved. */
export interface Saving {
  end(): Promise<'saved' | 'failed'>;
}

/** A service as it is open in a tab. */
export interface Visit {
  readonly shell: Realm;
  readonly app: Realm;
  /** What the shell's toolbar says. */
  status(): Promise<Status>;
  /** Clicks a button of the shell by its name. */
  press(name: string): Promise<void>;
  /** Follows a link with `download` in the app. @returns when the file has begun, what comes of it. */
  save(target: string): Promise<Saving>;
  /** Where the shell offers that: in the hub's window the passkey is touched, and the window closes. */
  signInAgain(): Promise<void>;
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
  /** Stops the service workers that run, as a browser does at any time, and resolves when they are. */
  stopServiceWorkers(): Promise<void>;
  /** In the launcher. */
  signOut(): Promise<void>;
  /** Signed out, opens an address of this service or of its shell: signs in where that leads, and goes on to the loaded app. */
  signInFor(address: string, name: string): Promise<Visit>;
}

/**
 * A fresh profile with a virtual authenticator. A product started with `overWebSocket` has no other transport for it.
 * @param prefs what a Firefox is told beside
 */
export function arrive(browser: BrowserName, prefs?: FirefoxPrefs): Promise<Visitor> {
  return browser === 'firefox' ? FirefoxVisitor.arrive(prefs) : ChromiumVisitor.arrive();
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
    await this.#person.hub.bringToFront();
    return new ChromiumVisit(this.#person, await this.#person.open(name));
  }

  async stopServiceWorkers(): Promise<void> {
    const { context, hub } = this.#person;
    const cdp = await context.newCDPSession(hub);
    const { promise: stopped, resolve } = Promise.withResolvers<void>();
    cdp.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
      if (versions.some(({ runningStatus }) => runningStatus === 'stopped')) resolve();
    });
    await cdp.send('ServiceWorker.enable');
    await cdp.send('ServiceWorker.stopAllWorkers');
    await stopped;
    await cdp.detach();
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
    return new ChromiumVisit(this.#person, await this.#person.appOf(await opened, name));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#person[Symbol.asyncDispose]();
  }
}

class ChromiumVisit implements Visit {
  readonly shell: Realm;
  readonly app: Realm;
  readonly #person: Person;
  readonly #page: Page;
  readonly #frame: Frame;

  constructor(person: Person, { shell, app }: OpenService) {
    this.#person = person;
    this.#page = shell;
    this.#frame = app;
    this.shell = realm(shell);
    this.app = realm(app);
  }

  status(): Promise<Status> {
    return statusOf(this.#page);
  }

  async press(name: string): Promise<void> {
    await this.#page.getByRole('button', { name, exact: true }).click();
  }

  async save(target: string): Promise<Saving> {
    const begun = this.#page.waitForEvent('download');
    await this.#frame.evaluate(clickDownload, target);
    const download = await begun;
    return { end: async () => ((await download.failure()) === null ? 'saved' : 'failed') };
  }

  async signInAgain(): Promise<void> {
    const opening = this.#person.context.waitForEvent('page');
    await this.press('Sign in again');
    const hub = await opening;
    await this.#person.lendPasskeyTo(hub);
    const closed = hub.waitForEvent('close');
    await hub.getByRole('button', { name: 'Use your passkey' }).click();
    await closed;
  }

  close(): Promise<void> {
    return this.#page.close();
  }
}

/** Until a page shows these words, or shows them no more, in whatever shadow root. */
export async function untilShown(page: Realm, words: string, isShown = true): Promise<void> {
  for (const late = Date.now() + patienceMs; (await page.evaluate(shows, words)) !== isShown; await setTimeout(lookMs))
    if (Date.now() > late) throw new Error(`"${words}" ${isShown ? 'does not come' : 'stays'}`);
}

/** Runs in the page. */
function shows(words: string): boolean {
  const within = (root: ParentNode & Node): boolean =>
    root.textContent?.includes(words) === true ||
    [...root.querySelectorAll('*')].some(({ shadowRoot }) => shadowRoot !== null && within(shadowRoot));
  return within(document.body);
}

function realm(of: Page | Frame): Realm {
  return {
    // Playwright's types follow handles into the argument; here it is plain data.
    evaluate: (run: (argument: never) => unknown, argument?: unknown) => of.evaluate(run as never, argument) as never,
    url: () => of.url(),
  };
}
