/** A person with a browser: a real Chromium, a fresh profile and a virtual authenticator that touches when asked. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Frame, type Page } from 'playwright-core';
import { chromiumFlags, findChromium } from '../../support/chromium.ts';
import { addAuthenticator } from '../../support/virtual-authenticator.ts';

const patienceMs = 30_000;

/** A service as it is open in a tab. */
export interface OpenService {
  readonly shell: Page;
  readonly app: Frame;
}

/** A browser other than the usual one. */
export interface Browser {
  readonly userAgent?: string;
  /** A command that starts it, such as one that enters a namespace. */
  readonly through?: readonly string[];
  /** Its home folder, with the certificates it trusts. */
  readonly home?: string;
  readonly flags?: readonly string[];
  /** As people have it; the driver turns it off otherwise. */
  readonly backForwardCache?: true;
}

export class Person {
  readonly context: BrowserContext;
  readonly hub: Page;
  /** What the pages said on their consoles, errors first in mind. */
  readonly console: string[];
  readonly #profile: string;
  readonly #authenticator: Awaited<ReturnType<typeof addAuthenticator>>;

  private constructor(
    context: BrowserContext,
    hub: Page,
    profile: string,
    console: string[],
    authenticator: Awaited<ReturnType<typeof addAuthenticator>>,
  ) {
    this.context = context;
    this.hub = hub;
    this.console = console;
    this.#profile = profile;
    this.#authenticator = authenticator;
  }

  static async arrive(options: Browser = {}): Promise<Person> {
    const profile = mkdtempSync(join(tmpdir(), 'latchkey-profile-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: executable(profile, options.through),
      args: [...chromiumFlags.filter((flag) => flag !== '--headless'), ...(options.flags ?? [])],
      ...(options.home !== undefined && { env: { ...process.env, HOME: options.home } as Record<string, string> }),
      ...(options.backForwardCache && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
      headless: true,
      acceptDownloads: true,
      viewport: { width: 1_180, height: 760 },
      ...(options.userAgent !== undefined && { userAgent: options.userAgent }),
    });
    context.setDefaultTimeout(patienceMs);
    const lines: string[] = [];
    context.on('console', (message) => lines.push(`${message.type()}: ${message.text()}`));
    context.on('weberror', (error) => lines.push(`uncaught: ${error.error().message}`));
    const hub = context.pages()[0] ?? (await context.newPage());
    const authenticator = await addAuthenticator(context, hub);
    return new Person(context, hub, profile, lines, authenticator);
  }

  /** A virtual authenticator belongs to one tab: another one gets one of its own, with the same passkeys. */
  async lendPasskeyTo(page: Page): Promise<void> {
    const { credentials } = await this.#authenticator.cdp.send('WebAuthn.getCredentials', {
      authenticatorId: this.#authenticator.id,
    });
    const { cdp, id } = await addAuthenticator(this.context, page);
    for (const credential of credentials) await cdp.send('WebAuthn.addCredential', { authenticatorId: id, credential });
  }

  /** The private keys of the passkeys, PKCS #8 in base64. */
  async passkeys(): Promise<string[]> {
    const { cdp, id } = this.#authenticator;
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId: id });
    return credentials.map(({ privateKey }) => privateKey);
  }

  /** The machine sleeps: all of the browser's processes stand still until this is disposed of. */
  sleep(): Disposable {
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ').map(Number);
    const browser = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(this.#profile));
    if (browser === undefined) throw new Error('the browser is no process of this one');
    // The driver gives it a group of its own.
    process.kill(-browser, 'SIGSTOP');
    return { [Symbol.dispose]: () => process.kill(-browser, 'SIGCONT') };
  }

  /** Follows an enrolment link to the launcher. */
  async enrol(link: string): Promise<void> {
    await this.hub.goto(link);
    await this.hub.getByRole('button', { name: 'Create a passkey' }).click();
    await this.hub.getByRole('heading', { name: 'Your services' }).waitFor();
  }

  /** The names of the services in the launcher. */
  async launcher(hub: string): Promise<string[]> {
    await this.hub.goto(hub);
    await this.hub.getByRole('heading', { name: 'Your services' }).waitFor();
    return this.hub.locator('lk-services li a').allTextContents();
  }

  /** Opens a service from the launcher, up to the loaded app. */
  async open(name: string): Promise<OpenService> {
    const opened = this.context.waitForEvent('page');
    await this.hub.getByRole('link', { name, exact: true }).click();
    return this.appOf(await opened, name);
  }

  /** The app inside a shell tab. */
  async appOf(shell: Page, name: string): Promise<OpenService> {
    await shell.waitForSelector('[role=status][data-state=open], [role=status][data-state=rekeying]');
    const element = await shell.waitForSelector(`iframe[title="${name}"]`);
    const app = await element.contentFrame();
    if (app === null) throw new Error('the app has no frame');
    await app.waitForLoadState('load');
    return { shell, app };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    rmSync(this.#profile, { recursive: true, force: true });
    rmSync(`${this.#profile}.sh`, { force: true });
  }
}

/** A Chromium, or a script that starts one by another command. Both ends of the debugging pipe go through it. */
function executable(profile: string, through: readonly string[] | undefined): string {
  if (through === undefined) return findChromium();
  const script = `${profile}.sh`;
  writeFileSync(script, `#!/bin/sh\nexec ${through.join(' ')} ${findChromium()} "$@"\n`);
  chmodSync(script, 0o700);
  return script;
}

/** What the shell's status element says. */
export async function statusOf(
  shell: Page,
): Promise<{ state: string | null; transport: string | null; epoch: number }> {
  const status = shell.locator('[role=status]');
  return {
    state: await status.getAttribute('data-state'),
    transport: await status.getAttribute('data-transport'),
    epoch: Number.parseInt((await status.getAttribute('data-epoch')) ?? '', 10),
  };
}
