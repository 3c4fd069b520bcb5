/**
 * Which helper frame a page belongs to: that of the shell tab it lives in, so that each tab has its tunnel to itself and
 * closing another one disturbs nothing. The browser does not say which frames share a tab; the helpers do, by a roll
 * call: each finds the windows of its own tab and has them say so themselves (worker/shim/helper.ts).
 * Nothing here is kept: a service worker that was stopped asks again.
 */
import { helperPath, type ToHelper } from '../app-messages.ts';

declare const self: ServiceWorkerGlobalScope;

/** Windows of one tab answer within a few milliseconds; a tab without this page does not answer for it. */
const rollCallMs = 250;
/** Pages come and go; the oldest are asked for again. */
const maxHomes = 1_024;

/** Helper by the client that belongs to it. */
const homes = new Map<string, string>();
const waiting = new Map<string, Set<() => void>>();

/** A window said which helper is of its tab. It may say what it likes: all helpers of an app lead to the same service. */
export function heardFrom(client: string, helper: string): void {
  remember(client, helper);
  for (const wake of waiting.get(client) ?? []) wake();
}

/** A page's own documents and workers belong where it does. @param next '' for a request that makes no client */
export function inherit(from: string, next: string): void {
  const helper = homes.get(from);
  if (helper !== undefined && next !== '') remember(next, helper);
}

/** The helper of a client that has asked before. It may have gone since. */
export function homeOf(client: string): string | undefined {
  return homes.get(client);
}

function remember(client: string, helper: string): void {
  homes.set(client, helper);
  for (const oldest of homes.keys()) if (homes.size > maxHomes) homes.delete(oldest);
}

/**
 * All helpers there are, that of the client's tab first.
 * @param client '' for a page that is only being opened.
 */
export async function helpersFor(client: string): Promise<readonly Client[]> {
  const all = await helpers();
  forgetAllBut(all);
  if (client === '') return all;
  if (all.length > 1 && !homes.has(client)) await rollCall(client, all);
  const own = homes.get(client);
  // A window that no helper knows, a pop-up or a worker: what it got first it keeps.
  if (own === undefined && all[0] !== undefined) remember(client, all[0].id);
  return all.toSorted((one, other) => Number(other.id === own) - Number(one.id === own));
}

/** The helper frames of all shell tabs that have this app open. */
export async function helpers(): Promise<readonly Client[]> {
  const all = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  // Nested: a helper opened in a tab of its own has no shell to speak to.
  return all.filter(({ url, frameType }) => frameType === 'nested' && new URL(url).pathname === helperPath);
}

function forgetAllBut(present: readonly Client[]): void {
  const ids = new Set(present.map(({ id }) => id));
  for (const [client, helper] of homes) if (!ids.has(helper)) homes.delete(client);
}

async function rollCall(client: string, all: readonly Client[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wakes = waiting.get(client) ?? new Set();
  waiting.set(client, wakes.add(resolve));
  const timer = setTimeout(resolve, rollCallMs);
  for (const helper of all) helper.postMessage({ latchkey: 'roll-call', helper: helper.id } satisfies ToHelper);
  await promise;
  clearTimeout(timer);
  wakes.delete(resolve);
  if (wakes.size === 0) waiting.delete(client);
}
