/** A person with a Chromium: see visitor.ts. */
import type { Frame, Page } from 'playwright-core';
import { clickDownload } from './click-download.ts';
import { type OpenService, Person, statusOf } from './person.ts';
import type { Realm, Saving, Status, Visit, Visitor } from './visitor.ts';

export class ChromiumVisitor implements Visitor {
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

function realm(of: Page | Frame): Realm {
  return {
    // Playwright's types follow handles into the argument; here it is plain data.
    evaluate: (run: (argument: never) => unknown, argument?: unknown) => of.evaluate(run as never, argument) as never,
    url: () => of.url(),
  };
}
