/**
 * Starts Debian's Firefox, headless, with a profile of its own, driven over WebDriver BiDi. Names below `localhost` are
 * the loopback address to it without being told.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer-core';
import { Marionette, marionettePort } from './marionette.ts';

/** Without these the virtual authenticator is one of two tokens, and the other waits for a touch that never comes. */
const authenticatorPrefs = {
  'security.webauth.webauthn_enable_softtoken': true,
  'security.webauth.webauthn_enable_usbtoken': false,
};

/** A Firefox, and the one authenticator of all its tabs. */
export interface Firefox extends AsyncDisposable {
  readonly browser: Browser;
}

/** @param prefs more preferences, such as `network.webtransport.enabled`. @throws Error when there is no Firefox. */
export async function launchFirefox(prefs: Readonly<Record<string, unknown>> = {}): Promise<Firefox> {
  const profile = mkdtempSync(join(tmpdir(), 'latchkey-firefox-'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: findFirefox(),
    headless: true,
    userDataDir: profile,
    args: ['--marionette'],
    defaultViewport: { width: 1_180, height: 760 },
    extraPrefsFirefox: { 'marionette.port': 0, ...authenticatorPrefs, ...prefs },
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
    return { browser, [Symbol.asyncDispose]: end };
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
