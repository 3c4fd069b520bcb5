/**
 * Where a person of visitor.ts begins.
 *
 *     for (const browser of browsers)
 *       test(`BR-1: … (${browser})`, async () => {
 *         await using visitor = await arrive(browser);
 *         await visitor.enrol(link);
 *         const { app } = await visitor.open('demo');
 *         await app.evaluate(async (path) => (await fetch(path)).status, '/whoami');
 */
import type { FirefoxPrefs } from '../../support/firefox.ts';
import { ChromiumVisitor } from './chromium-visitor.ts';
import { FirefoxVisitor } from './firefox-visitor.ts';
import type { BrowserName, Visitor } from './visitor.ts';

/**
 * A fresh profile with a virtual authenticator. A product started with `overWebSocket` has no other transport for it.
 * @param prefs what a Firefox is told beside
 */
export function arrive(browser: BrowserName, prefs?: FirefoxPrefs): Promise<Visitor> {
  return browser === 'firefox' ? FirefoxVisitor.arrive(prefs) : ChromiumVisitor.arrive();
}
