/**
 * What a page of an app's origin does that the network answered instead of the service worker: a hard reload, an `object`,
 * the address typed into a bare tab, or that of another app in a shell's frame. It goes back to where the service worker answers, at most a few times in a row.
 */
import { helperPath, type ToShell } from '../app-messages.ts';
import { contactAddress } from '../contact.ts';
import { isChromium } from '../engine.ts';
import { labelOf, shellAddress, siblingOrigin } from '../origins.ts';
import { pageStyle } from '../page-style.ts';
import { installation } from '../sw/installation.ts';

const triesKey = 'latchkey-boot-tries';
const maxTries = 3;
/** Tries further apart than this are not in a row. */
const rowMs = 20_000;
/** Until a person is told that nobody goes there. */
const shellLimitMs = 5_000;

async function boot(): Promise<void> {
  if (window.parent === window) return bootTab();
  if (/^(?:object|embed)$/.test(window.frameElement?.localName ?? '')) return showInside();
  if (!isOfThisTab()) return leaveTab();
  if (!mayTry()) return giveUp();
  await navigator.serviceWorker.ready;
  location.reload();
}

/** The shell puts its helper frame of the app's origin in place before it shows the app. */
function isOfThisTab(): boolean {
  const tab = window.top ?? window;
  for (let at = 0; at < tab.length; at += 1)
    try {
      if (tab[at]?.location.pathname === helperPath) return true;
    } catch {
      // Of another origin.
    }
  return false;
}

/** Another app's tab, whose shell goes to where this one is opened. Whoever else is around, a page of an app or a kiosk's shell, does not. */
function leaveTab(): void {
  const path = location.pathname + location.search + location.hash;
  const message: ToShell = { latchkey: 'other-app', path };
  window.parent.postMessage(message, siblingOrigin(location, 'shell'));
  setTimeout(() => void giveUp(), shellLimitMs);
}

/**
 * A tab of its own: a pop-up of the app that was reloaded hard, or an address that was typed. The service worker knows
 * whether a shell has the app open; it sends to the shell whatever it cannot bring.
 */
async function bootTab(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  if (registration?.active != null && mayTry()) return location.reload();
  const path = location.pathname + location.search + location.hash;
  location.replace(shellAddress(location, labelOf(location), path));
}

/** `object` and `embed` pass every service worker (Fetch, "service-workers mode"); a frame inside of them does not, but in Firefox. */
async function showInside(): Promise<void> {
  if (!isChromium) return showPicture().catch(giveUp);
  adopt('html, body { height: 100%; margin: 0 } iframe { width: 100%; height: 100%; border: 0; display: block }');
  const frame = document.createElement('iframe');
  // The service worker is to see that the app's own origin leads there.
  frame.referrerPolicy = 'same-origin';
  frame.src = location.href;
  document.body.replaceChildren(frame);
}

/** Asked for by the page around, which the service worker sees, and by its policy. What is no picture is not shown. */
async function showPicture(): Promise<void> {
  const around = window.parent as Window & typeof globalThis;
  const answer = await around.fetch(location.href);
  if (!answer.ok) return giveUp();
  const picture = document.createElement('img');
  const type = answer.headers.get('content-type') ?? '';
  picture.src = URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type })) + location.hash;
  await picture.decode();
  adopt('body { margin: 0 } img { display: block }');
  document.body.replaceChildren(picture);
}

function adopt(style: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  document.adoptedStyleSheets = [sheet];
}

function mayTry(): boolean {
  const [count = 0, at = 0] = (sessionStorage.getItem(triesKey) ?? '').split(' ').map(Number);
  const tries = Date.now() - at < rowMs ? count + 1 : 1;
  if (tries > maxTries) sessionStorage.removeItem(triesKey);
  else sessionStorage.setItem(triesKey, `${tries} ${Date.now()}`);
  return tries <= maxTries;
}

/** What, why, whom to ask and a way on; there is no id, since nobody was asked for anything. */
async function giveUp(): Promise<void> {
  const { hub, contact } = await installation(siblingOrigin(location, 'shell'));
  adopt(pageStyle);
  document.title = 'This page could not be opened';
  const main = document.createElement('main');
  const note = document.createElement('div');
  note.setAttribute('role', 'alert');
  note.append(
    element('h1', document.title),
    element(
      'p',
      'The service worker that brings it does not answer. Close this tab and open the service again from the hub.',
    ),
    ...helpOf(contact),
    ways(hub),
  );
  main.append(note);
  document.body.replaceChildren(main);
}

function element(name: 'h1' | 'p', text: string): HTMLElement {
  return Object.assign(document.createElement(name), { textContent: text });
}

function helpOf(contact: string): HTMLElement[] {
  if (contact === '') return [];
  const address = contactAddress(contact);
  if (address === undefined) return [element('p', `Help: ${contact}`)];
  const [before = '', after = ''] = contact.split(address.text, 2);
  const note = element('p', `Help: ${before}`);
  note.append(link(address.text, address.href, '_blank'), after);
  return [note];
}

function ways(hub: string): HTMLElement {
  const both = element('p', '');
  both.className = 'ways';
  both.append(link('Try again', location.href, '_self'), link('Go to the hub', hub, '_top'));
  return both;
}

function link(text: string, href: string, target: string): HTMLAnchorElement {
  return Object.assign(document.createElement('a'), { textContent: text, href, target, rel: 'noreferrer' });
}

void boot();
