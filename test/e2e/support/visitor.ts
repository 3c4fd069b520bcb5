/**
 * One person, in either browser: what a test body needs that runs in both. Chromium is driven by Playwright
 * (chromium-visitor.ts), Firefox by WebDriver BiDi (firefox-visitor.ts); arrive.ts begins with either. What only one of them
 * can do belongs into a test of that browser.
 */
import { setTimeout } from 'node:timers/promises';
import { inLong } from '../../support/long.ts';

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

/** For `Product.start`: the tunnel runs over WebSocket. */
export const overWebSocket = { LATCHKEY_WEBTRANSPORT: 'off' };

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
