/**
 * The app origin's service worker: every request of the app goes to the tunnel, none to the network.
 * Latchkey's own files under /.latchkey/ are the one exception; they are all this origin's server has.
 */
import {
  arrivalPath,
  connectPath,
  courierPath,
  downloadPath,
  type Here,
  iconPath,
  ownPaths,
  type ToServiceWorker,
  type WebSocketFromTunnel,
  type WebSocketPort,
} from '../app-messages.ts';
import { labelOf, shellAddress, siblingOrigin } from '../origins.ts';
import { announce } from './arrival.ts';
import { bootPage } from './boot-page.ts';
import { cookieWindow, isCookieWindow } from './cookie-window.ts';
import { ExchangeError, exchange } from './exchange.ts';
import { failurePage } from './failure-page.ts';
import { heardFrom, inherit } from './helpers.ts';
import { iconRequest, iconResponse, noIcon } from './icon.ts';
import { siteOf } from './initiator.ts';
import { installation } from './installation.ts';
import { keptInShell } from './led-away.ts';
import { withoutLogin } from './login.ts';
import { referToSelf } from './referrer-policy.ts';
import { asSavedFile, brokenFile, savedFileRequest } from './saved-file.ts';
import { NoTunnel, passPort, watchHelper } from './tunnel-port.ts';
import { listenToUpload } from './upload-progress.ts';
import { isWorkerScript, withShim } from './worker-script.ts';

declare const self: ServiceWorkerGlobalScope;

// No skipWaiting: a new version takes over when no page of the old one is left, so that no open stream is cut.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin) {
    if (isCallToSibling(event.request, url))
      event.respondWith(exchange(event.request, 'same-origin', clientOf(event)).catch(refused));
    return;
  }
  if (isCookieWindow(event.request)) event.respondWith(cookieWindow());
  else if (url.pathname === connectPath) event.respondWith(new Response(null, { status: 204 }));
  else if (url.pathname === arrivalPath) event.respondWith(announce(event.request.url, event.clientId));
  else if (url.pathname === downloadPath) event.respondWith(savedFile(event));
  else if (url.pathname === iconPath) event.respondWith(icon(event));
  else if (url.pathname === courierPath) courierOf(event);
  else if (!url.pathname.startsWith(ownPaths)) event.respondWith(answer(event));
});

self.addEventListener('message', (event) => {
  const message = event.data as WebSocketPort | Here | ToServiceWorker | null;
  const port = event.ports[0];
  const sender = event.source instanceof Client ? event.source.id : '';
  if (message?.latchkey === 'websocket' && port !== undefined)
    event.waitUntil(passWebSocket(port, sender, message.lock ?? undefined));
  if (message?.latchkey === 'lock' && sender !== '') watchHelper(sender, message.name);
  if (message?.latchkey === 'upload' && port !== undefined) listenToUpload(message.id, port);
  if (message?.latchkey === 'here' && sender !== '') heardFrom(sender, message.helper);
  // A ping needs no answer: being an event, it keeps a browser from stopping us while a body flows.
});

/** The Worker of a helper belongs to its tab as the helper does. A page that asks for the file makes no client. */
function courierOf({ clientId, resultingClientId }: FetchEvent): void {
  if (clientId !== '' && resultingClientId !== '') heardFrom(resultingClientId, clientId);
}

async function passWebSocket(port: MessagePort, client: string, lock: string | undefined): Promise<void> {
  await passPort(port, client, lock).catch(() => port.postMessage({ t: 'closed' } satisfies WebSocketFromTunnel));
}

/**
 * Another app of the domain, by a script that means to read the answer (mode `cors`). Everything else between apps goes
 * to their origin's server, which carries nothing.
 */
function isCallToSibling({ mode }: Request, url: URL): boolean {
  const label = labelOf(url);
  return mode === 'cors' && label !== 'shell' && siblingOrigin(self.location, label) === url.origin;
}

/** As CORS tells a page that it may not: nothing but that it failed. */
const refused = (): Response => Response.error();

async function answer(event: FetchEvent): Promise<Response> {
  const { request } = event;
  // Nothing is kept here.
  if (isForKept(request)) return failed(request, new ExchangeError('not_kept'));
  try {
    const kept = await keptInShell(request);
    if (kept !== undefined) return kept;
    const response = await exchange(request, await siteOf(event), clientOf(event));
    if (request.mode === 'navigate') referToSelf(response.headers, event.resultingClientId);
    return isWorkerScript(request) ? await withShim(response) : response;
  } catch (error) {
    return failed(request, error);
  }
}

/**
 * Wants what was kept alone. So Chromium asks for the answer of a form that one comes back to, and Firefox does for what is
 * kept first; no form that is sent asks like that, and this one is not to be sent a second time.
 */
function isForKept({ cache, mode, method }: Request): boolean {
  return cache === 'only-if-cached' || (cache === 'force-cache' && mode === 'navigate' && method === 'POST');
}

async function savedFile(event: FetchEvent): Promise<Response> {
  const asked = savedFileRequest(event.request.url);
  if (asked === undefined) return Response.error();
  try {
    return asSavedFile(await exchange(asked.request, await siteOf(event), clientOf(event)), asked.name);
  } catch {
    return brokenFile();
  }
}

/** Whose request it is, for the tab it goes through: the page's, or that of the page that makes way for it. */
function clientOf({ clientId, resultingClientId }: FetchEvent): string {
  inherit(clientId, resultingClientId);
  return clientId;
}

async function icon(event: FetchEvent): Promise<Response> {
  const asked = iconRequest(event.request.url);
  if (asked === undefined) return noIcon();
  try {
    return await iconResponse(await exchange(asked, await siteOf(event), clientOf(event)));
  } catch {
    return noIcon();
  }
}

async function failed(request: Request, error: unknown): Promise<Response> {
  const isPage = request.mode === 'navigate';
  const isNobodys = isPage && error instanceof NoTunnel && error.code === 'no_shell';
  if (isNobodys && request.destination === 'document') return Response.redirect(shellPage(request.url));
  // The shell stands in no frame, and its own goes where the page in it says; the body of a form it could not be told.
  if (isNobodys && request.method === 'GET') return bootPage();
  const code = error instanceof ExchangeError || error instanceof NoTunnel ? error.code : 'internal';
  const correlation = error instanceof ExchangeError ? error.correlation : '';
  // A script gets what it would get from a dead network; a person gets a page.
  if (!isPage) return Response.error();
  const again = request.method === 'GET' ? withoutLogin(request.url) : undefined;
  const where = await installation(siblingOrigin(self.location, 'shell'));
  return failurePage({ code, correlation, again, ...where });
}

/** The app's own address opened in a bare tab: the shell opens it properly. */
function shellPage(address: string): string {
  const url = new URL(address);
  return shellAddress(url, labelOf(url), url.pathname + url.search + url.hash);
}
