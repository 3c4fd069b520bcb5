/**
 * Script-visible cookies. The jar lives at the gateway; a service worker's responses cannot set cookies, so those that
 * a page's scripts may see are mirrored here, and what scripts wrote is told to the gateway with each request.
 * HttpOnly cookies never come this far.
 *
 * Chromium's cookie store knows them. Firefox ESR has one that tells a service worker nothing and keeps nothing for it: a
 * window of the origin does it instead, the helper of the tab that the request is of (worker/shim/cookie-windows.ts).
 */

import { cookiesHeader, helperPath, sightName, type ToHelper } from '../app-messages.ts';
import { isChromium } from '../engine.ts';
import { askClient } from './ask-client.ts';
import { type CookieStoreLike, cookiesIn, isForStore, writeInto } from './cookie-store.ts';
import { helpersFor } from './helpers.ts';
import { withoutLogin } from './login.ts';

type Question = Extract<ToHelper, { latchkey: 'read-cookies' | 'write-cookies' }>;

let seeing: Promise<CookieStoreLike | undefined> | undefined;

/** @returns the store where it sees the cookie that each helper writes. */
function seeingStore(): Promise<CookieStoreLike | undefined> {
  seeing ??= probe((globalThis as { cookieStore?: CookieStoreLike }).cookieStore);
  return seeing;
}

async function probe(store: CookieStoreLike | undefined): Promise<CookieStoreLike | undefined> {
  try {
    const found = store && (await cookiesIn(store, self.location.origin + helperPath));
    return found?.includes(sightName) ? store : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param url whose path the cookies must match.
 * @param client whose request it is.
 * @returns `a=b; c=d` as a Cookie header would say it: UTF-8, each byte a character, as heads carry text.
 */
export async function visibleCookies(url: string, client: string): Promise<string> {
  const store = await seeingStore();
  if (store !== undefined) return toHeadText(await cookiesIn(store, withoutLogin(url)));
  return toHeadText(await ask(client, { latchkey: 'read-cookies', path: new URL(url).pathname }));
}

/** What the page of a synchronous request said itself, as {@link visibleCookies} has it; undefined for any other. */
export function toldCookies({ headers }: Request): string | undefined {
  const told = headers.get(cookiesHeader);
  // Where a service worker is not asked by pages that wait, nobody has to say it.
  return told === null || isChromium ? undefined : toHeadText(decodeURIComponent(told));
}

/** For a page that waits: the lines it is to write itself. */
export function tellCookies(lines: readonly string[]): string {
  return encodeURIComponent(JSON.stringify(lines.map(fromHeadText)));
}

/**
 * Resolves when the page's scripts would see the cookies. A line the browser refuses is the page's loss alone.
 * @param client whose request it was.
 */
export async function mirrorCookies(lines: readonly string[], client: string): Promise<void> {
  if (lines.length === 0) return;
  const store = await seeingStore();
  const { own = [], windows = [] } = Object.groupBy(lines.map(fromHeadText), (line) =>
    store !== undefined && isForStore(line) ? 'own' : 'windows',
  );
  if (store !== undefined) await writeInto(store, own);
  if (windows.length > 0) await ask(client, { latchkey: 'write-cookies', lines: windows });
}

export function toHeadText(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

/** The way back. Bytes that are no UTF-8 stay what a browser makes of them. */
export function fromHeadText(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}

/** @returns '' when no window answers. */
async function ask(client: string, question: Question): Promise<string> {
  for (const helper of await helpersFor(client)) {
    const answer = await askClient<string>(helper, question);
    if (answer !== undefined) return answer ?? '';
  }
  return '';
}
