/**
 * A page of the app that leads the whole tab to an address of the app: a link with `target="_top"`, or a script that will
 * not be framed (`top.location = self.location`). The tab is the shell's, and would take the tunnel with it. So it stays,
 * by an answer without a page (204, HTML "navigate": the document stays as it is), and the shell is told where to go.
 */
import type { LedMessage, ToHelper } from '../app-messages.ts';
import { askClient } from './ask-client.ts';
import { helpers } from './helpers.ts';
import { withoutLogin } from './login.ts';

/** @returns the answer that keeps the tab; undefined for what does not lead a shell away. */
export async function keptInShell(request: Request): Promise<Response | undefined> {
  if (!mayBeKept(request)) return undefined;
  const all = await helpers();
  const leaving = await Promise.all(all.map(isLeaving));
  const helper = all[leaving.indexOf(true)];
  if (helper === undefined) return undefined;
  const { pathname, search, hash } = new URL(withoutLogin(request.url));
  const toItself = request.referrer === withoutFragment(request.url);
  helper.postMessage({ latchkey: 'led', path: pathname + search + hash, toItself } satisfies LedMessage);
  return new Response(null, { status: 204 });
}

const withoutFragment = (url: string): string => url.replace(/#.*$/s, '');

/** A form's body cannot be told to the shell, and who goes back in the tab's history means the tab. */
function mayBeKept(request: Request & { readonly isHistoryNavigation?: boolean }): boolean {
  const { mode, destination, method, isHistoryNavigation } = request;
  return mode === 'navigate' && destination === 'document' && method === 'GET' && isHistoryNavigation !== true;
}

/** Whether the tab of this helper is what navigates: it has just been asked whether it may be left. */
async function isLeaving(helper: Client): Promise<boolean> {
  return (await askClient<boolean>(helper, { latchkey: 'leaving' } satisfies ToHelper)) ?? false;
}
