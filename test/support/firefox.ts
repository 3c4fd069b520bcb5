/**
 * Starts Debian's Firefox, headless, with a profile of its own, driven over WebDriver BiDi. Names below `localhost` are
 * the loopback address to it without being told.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer-core';
import { inLong } from './long.ts';
import { Marionette, marionettePort } from './marionette.ts';

/** How long one command may take: in a page that is asked to do something long, as long as that. */
const commandLimitMs = inLong(3, 30) * 60_000;

/** Without these the virtual authenticator is one of two tokens, and the other waits for a touch that never comes. */
const authenticatorPrefs = {
  'security.webauth.webauthn_enable_softtoken': true,
  'security.webauth.webauthn_enable_usbtoken': false,
};

/** The driver would have it keep what passes over the network, for tests that ask; it has no room for that. */
const quietPrefs = { 'remote.network.maxTotalDataSize': 0 };

/** A Firefox, and the one authenticator of all its tabs. */
export interface Firefox extends AsyncDisposable {
  readonly browser: Browser;
  /** Ends all service workers, as the browser itself does with idle ones, and resolves when they have. */
  stopServiceWorkers(): Promise<void>;
  /** The files it was asked to save, in order, as its list of downloads shows them. */
  downloads(): Promise<SavingState[]>;
}

/** Preferences by their names, such as `network.webtransport.enabled`. */
export type FirefoxPrefs = Readonly<Record<string, unknown>>;

/** @param prefs beside those of every Firefox of the tests. @throws Error when there is no Firefox. */
export async function launchFirefox(prefs: FirefoxPrefs = {}): Promise<Firefox> {
  const profile = mkdtempSync(join(tmpdir(), 'latchkey-firefox-'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: findFirefox(),
    headless: true,
    protocolTimeout: commandLimitMs,
    networkEnabled: false,
    userDataDir: profile,
    // The second: service workers are stopped from where Firefox's own scripts run.
    args: ['--marionette', '--remote-allow-system-access'],
    defaultViewport: { width: 1_180, height: 760 },
    extraPrefsFirefox: {
      'marionette.port': 0,
      ...authenticatorPrefs,
      ...quietPrefs,
      ...savingPrefs(profile),
      ...prefs,
    },
  });
  let marionette: Marionette | undefined;
  const end = async () => {
    // In this order: Marionette's end is the session's.
    await browser.close();
    marionette?.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    marionette = await Marionette.connect(await marionettePort(profile));
    await addAuthenticator(marionette);
    return {
      browser,
      stopServiceWorkers: () => stopServiceWorkers(browser),
      downloads: () => downloadsOf(browser),
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** One that verifies its user and touches when asked (WebAuthn level 3, section 11.2; BiDi has no command for it). */
async function addAuthenticator(marionette: Marionette): Promise<void> {
  await marionette.send('WebAuthn:AddVirtualAuthenticator', {
    protocol: 'ctap2_1',
    transport: 'internal',
    hasResidentKey: true,
    hasUserVerification: true,
    isUserConsenting: true,
    isUserVerified: true,
  });
}

/** Files are saved, not asked about and not opened. */
function savingPrefs(folder: string): Readonly<Record<string, unknown>> {
  const saved = { 'browser.helperApps.neverAsk.saveToDisk': 'application/octet-stream' };
  return { ...saved, 'browser.download.folderList': 2, 'browser.download.dir': folder };
}

async function stopServiceWorkers(browser: Browser): Promise<void> {
  const stopped = await runInFirefox(
    browser,
    `const manager = Cc['@mozilla.org/serviceworkers/manager;1'].getService(Ci.nsIServiceWorkerManager);
    const registrations = manager.getAllRegistrations();
    const active = Array.from({ length: registrations.length }, (_, at) =>
      registrations.queryElementAt(at, Ci.nsIServiceWorkerRegistrationInfo).activeWorker);
    await Promise.all(active.map((worker) => worker?.terminateWorker()));
    return String(active.length);`,
  );
  if (stopped === '0') throw new Error('Firefox knows of no service worker');
}

type SavingState = 'under way' | 'saved' | 'failed';

async function downloadsOf(browser: Browser): Promise<SavingState[]> {
  const states = await runInFirefox(
    browser,
    `const { Downloads } = ChromeUtils.importESModule('resource://gre/modules/Downloads.sys.mjs');
    const stateOf = ({ stopped, succeeded }) => succeeded ? 'saved' : stopped ? 'failed' : 'under way';
    return JSON.stringify((await (await Downloads.getList(Downloads.ALL)).getAll()).map(stateOf));`,
  );
  return JSON.parse(states) as SavingState[];
}

/** What BiDi has beyond puppeteer: a command as it is written. */
interface Commands {
  send(method: string, parameters: object): Promise<{ result: Record<string, unknown> }>;
}

/** Among Firefox's own scripts, in the window of the browser. @returns the text that it returns */
async function runInFirefox(browser: Browser, script: string): Promise<string> {
  const { connection } = browser as unknown as { connection: Commands };
  const tree = await connection.send('browsingContext.getTree', { 'moz:scope': 'chrome', maxDepth: 0 });
  const [window] = tree.result['contexts'] as { context: string }[];
  const { result } = await connection.send('script.evaluate', {
    expression: `(async () => { ${script} })()`,
    target: { context: window?.context },
    awaitPromise: true,
  });
  if (result['type'] !== 'success') throw new Error(`in Firefox: ${JSON.stringify(result['exceptionDetails'])}`);
  return (result['result'] as { value: string }).value;
}

/** `FIREFOX_PATH`, else the system's; as root on Debian it is installed. @throws Error saying what to install. */
function findFirefox(): string {
  const found = process.env['FIREFOX_PATH'] ?? ['firefox-esr', 'firefox'].find(isThere);
  if (found !== undefined) return which(found);
  if (process.platform === 'linux' && process.getuid?.() === 0 && isThere('apt-get')) {
    const options = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
    execFileSync('apt-get', ['install', '-y', '-qq', 'firefox-esr'], options);
    return which('firefox-esr');
  }
  throw new Error('No Firefox was found: install the package "firefox-esr" or set FIREFOX_PATH.');
}

const isThere = (name: string): boolean => spawnSync(name, ['--version']).status === 0;
const which = (name: string): string =>
  execFileSync('/bin/sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).trim();
