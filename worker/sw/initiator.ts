/** Who began a request: what {@link Sites} decides by, as a service worker gets to know it. */
import type { Initiated, ToPage } from '../app-messages.ts';
import { siblingOrigin } from '../origins.ts';
import { askClient } from './ask-client.ts';
import { type AskPage, type RequestOrigin, type Site, Sites } from './site.ts';

declare const self: ServiceWorkerGlobalScope;

const sites = new Sites(self.location.origin, siblingOrigin(self.location, 'shell'), askPage);

export function siteOf({ request, clientId, resultingClientId }: FetchEvent): Promise<Site> {
  return sites.of({ request: originOf(request), clientId, resultingClientId });
}

/** Chromium alone says that a page is loaded anew. */
function originOf(request: Request & { readonly isReloadNavigation?: boolean }): RequestOrigin {
  const { url, mode, method, headers, referrer, isReloadNavigation: isReload = false } = request;
  return { url, mode, method, origin: headers.get('origin'), referrer: referrer.replace(/^about:.*/, ''), isReload };
}

/** A page without a shim (a picture, a blank frame) answers nothing, and so knows of nothing. */
async function askPage(id: string): ReturnType<AskPage> {
  const page = id === '' ? undefined : await self.clients.get(id);
  if (page === undefined) return undefined;
  return (await askClient<Initiated>(page, { latchkey: 'initiated' } satisfies ToPage)) ?? 'nothing';
}
