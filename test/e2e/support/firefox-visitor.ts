/** A person with a Firefox: see visitor.ts. */
import { setTimeout } from 'node:timers/promises';
import type { ElementHandle, Frame, Page } from 'puppeteer-core';
import { type Firefox, type FirefoxPrefs, launchFirefox } from '../../support/firefox.ts';
import { clickDownload } from './click-download.ts';
import type { Realm, Saving, Status, Visit, Visitor } from './visitor.ts';

const patienceMs = 60_000;
const lookMs = 100;

export class FirefoxVisitor implements Visitor {
  readonly browser = 'firefox';
  readonly console: string[] = [];
  readonly #firefox: Firefox;
  readonly #hub: Page;

  private constructor(firefox: Firefox, hub: Page) {
    this.#firefox = firefox;
    this.#hub = hub;
    firefox.browser.on('targetcreated', (target) => {
      if (target.type() === 'page') void target.page().then((page) => page !== null && listen(page, this.console));
    });
    listen(hub, this.console);
  }

  /** @param prefs beside those of every Firefox of the tests */
  static async arrive(prefs?: FirefoxPrefs): Promise<FirefoxVisitor> {
    const firefox = await launchFirefox(prefs);
    // The tab that Firefox began with has not got the focus, and without it there are no passkeys.
    const hub = await firefox.browser.newPage();
    await hub.bringToFront();
    return new FirefoxVisitor(firefox, hub);
  }

  get hub(): Realm {
    return realm(this.#hub);
  }

  async enrol(link: string): Promise<void> {
    await this.#hub.goto(link);
    await (await waitFor(this.#hub, { selector: 'button', text: 'Create a passkey' })).click();
    await waitFor(this.#hub, { selector: 'lk-services' });
  }

  async visit(address: string): Promise<Realm> {
    const page = await this.#firefox.browser.newPage();
    await page.goto(address);
    return realm(page);
  }

  async open(name: string): Promise<FirefoxVisit> {
    // A tab in the background is not drawn, and what is not drawn cannot be clicked.
    await this.#hub.bringToFront();
    const link = await waitFor(this.#hub, { selector: 'li a', text: name });
    return this.#appOf(await newTab(this.#firefox, () => link.click()), name);
  }

  stopServiceWorkers(): Promise<void> {
    return this.#firefox.stopServiceWorkers();
  }

  async signOut(): Promise<void> {
    await this.#hub.bringToFront();
    await (await waitFor(this.#hub, { selector: 'button', text: 'Sign out' })).click();
    await waitFor(this.#hub, { selector: 'button', text: 'Sign in' });
  }

  async signInFor(address: string, name: string): Promise<FirefoxVisit> {
    // It leads on at once, and what was asked for is left before it has loaded.
    await this.#hub.goto(address).catch(() => null);
    await (await waitFor(this.#hub, { selector: 'button', text: 'Sign in' })).click();
    const open = await waitFor(this.#hub, { selector: 'button', text: `Open ${name}` });
    return this.#appOf(await newTab(this.#firefox, () => open.click()), name);
  }

  async #appOf(shell: Page, name: string): Promise<FirefoxVisit> {
    await waitFor(shell, { selector: '[data-state=open], [data-state=rekeying]' });
    const frame = await waitFor(shell, { selector: `iframe[title="${name}"]` });
    const app = await frame.contentFrame();
    if (app === null) throw new Error('the app has no frame');
    await waitFor(app, { selector: 'body', loaded: true });
    return new FirefoxVisit(this.#firefox, shell, app);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#firefox[Symbol.asyncDispose]();
  }
}

async function newTab({ browser }: Firefox, act: () => Promise<void>): Promise<Page> {
  const before = new Set(browser.targets());
  await act();
  const target = await browser.waitForTarget((one) => one.type() === 'page' && !before.has(one), {
    timeout: patienceMs,
  });
  const page = await target.page();
  if (page === null) throw new Error('the tab has no page');
  return page;
}

export class FirefoxVisit implements Visit {
  readonly shell: Realm;
  readonly app: Realm;
  /** Gives the app a file by an input of its own. */
  readonly chooseFile: (path: string) => Promise<void>;
  readonly #firefox: Firefox;
  readonly #page: Page;

  constructor(firefox: Firefox, shell: Page, app: Frame) {
    this.#firefox = firefox;
    this.#page = shell;
    this.shell = realm(shell);
    this.app = realm(app);
    this.chooseFile = async (path) => {
      const input = await app.evaluateHandle(() =>
        document.body.appendChild(Object.assign(document.createElement('input'), { type: 'file' })),
      );
      await (input.asElement() as ElementHandle<HTMLInputElement>).uploadFile(path);
    };
  }

  async status(): Promise<Status> {
    const element = await waitFor(this.#page, { selector: '[role=status]' });
    return element.evaluate((status) => {
      const { state = null, transport = null, epoch } = (status as HTMLElement).dataset;
      return { state, transport, epoch: Number(epoch) };
    });
  }

  async press(name: string): Promise<void> {
    // A tab in the background is not drawn, and what is not drawn cannot be clicked.
    await this.#page.bringToFront();
    await (await waitFor(this.#page, { selector: 'button', text: name })).click();
  }

  async save(target: string): Promise<Saving> {
    const { length: before } = await this.#firefox.downloads();
    await this.app.evaluate(clickDownload, target);
    const state = async () => (await this.#firefox.downloads())[before];
    const until = async (isReached: (state: string) => boolean): Promise<'saved' | 'failed'> => {
      for (const late = Date.now() + patienceMs; ; await setTimeout(lookMs)) {
        const now = await state();
        if (now !== undefined && isReached(now)) return now as 'saved' | 'failed';
        if (Date.now() > late) throw new Error(`the download is ${now}`);
      }
    };
    await until(() => true);
    return { end: () => until((now) => now !== 'under way') };
  }

  async signInAgain(): Promise<void> {
    const hub = await newTab(this.#firefox, () => this.press('Sign in again'));
    const closed = new Promise((resolve) => hub.once('close', resolve));
    await hub.bringToFront();
    await (await waitFor(hub, { selector: 'button', text: 'Use your passkey' })).click();
    await closed;
    await this.#page.bringToFront();
  }

  close(): Promise<void> {
    return this.#page.close();
  }
}

function realm(of: Page | Frame): Realm {
  return {
    // Puppeteer's types follow handles into the argument; here it is plain data.
    evaluate: (run: (argument: never) => unknown, argument?: unknown) => of.evaluate(run as never, argument) as never,
    url: () => of.url(),
  };
}

interface Wanted {
  readonly selector: string;
  /** All of its text. */
  readonly text?: string;
  /** Only once the page has loaded. */
  readonly loaded?: boolean;
}

/** An element, in whatever shadow root it stands. Asked for again and again: a page's own policy forbids what puppeteer's
 * waiting compiles in it. @throws Error when it does not come */
async function waitFor(page: Page | Frame, wanted: Wanted): Promise<ElementHandle> {
  for (const until = Date.now() + patienceMs; ; await setTimeout(lookMs)) {
    // A page that is being left cannot be asked.
    const found = (await page.evaluateHandle(find, wanted).catch(() => undefined))?.asElement();
    if (found != null) return found as ElementHandle;
    if (Date.now() > until) throw new Error(`${page.url()} has no ${wanted.text ?? wanted.selector}`);
  }
}

/** Runs in the page. */
function find({ selector, text, loaded }: Wanted): Element | null {
  if (loaded && (document.readyState !== 'complete' || location.href === 'about:blank')) return null;
  const within = (root: ParentNode): Element | null => {
    for (const element of root.querySelectorAll('*')) {
      if (element.matches(selector) && (text === undefined || element.textContent?.trim() === text)) return element;
      const inside = element.shadowRoot === null ? null : within(element.shadowRoot);
      if (inside !== null) return inside;
    }
    return null;
  };
  return within(document);
}

function listen(page: Page, lines: string[]): void {
  page.on('console', (message) => lines.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => lines.push(`uncaught: ${error instanceof Error ? error.message : String(error)}`));
}
