/**
 * An app's origin as the network answers it: the few files that put the service worker in place, a boot page for a
 * navigation that came past it, and nothing else. It never proxies: whatever else arrives here went round the tunnel,
 * is refused and audited. It answers alike for every name, so that nobody learns which services exist.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Context as Exchange } from 'hono';
import { unbase64url } from '../../../protocol/bytes.ts';
import { ApiError } from '../api-error.ts';
import type { Context } from '../context.ts';
import { newCorrelation, newEvent } from '../identifiers.ts';
import { orderWipe } from '../kiosk-wipe.ts';
import { RateLimit } from './rate-limit.ts';
import type { ApiApp, ApiEnv } from './respond.ts';
import { appHeaders } from './security-headers.ts';
import { installationOf } from './shell-api.ts';
import { fileResponse, StaticFiles } from './static-files.ts';

const ownPath = '/.latchkey/';
const ownFiles: ReadonlySet<string> = new Set([
  ...['helper.html', 'helper.js', 'courier.js', 'shim.js', 'boot.js', 'wipe.js'],
]);

/** What a page that waits synchronously sleeps on, so that it neither spins nor asks as fast as the network can. */
const restMs = 25;

/** Events a second that bypasses may add to the audit log; those above are counted in the next one. */
const auditRate = { burst: 50, perSecond: 1 };

const bootPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Latchkey</title>
<body>
<script type="module" src="${ownPath}boot.js"></script>
</html>
`;

/** Cookies are left to the page: named here, they would go of every app of the domain. */
const wipeOrder = '"cache", "storage"';
const wipePage = bootPage.replace('boot.js', 'wipe.js');

export function addAppOrigin(app: ApiApp, context: Context): ApiApp {
  const files = new StaticFiles(join(context.config.assets, 'app'));
  const bypasses = new BypassAudit(context);
  app.use(async (exchange, next) => {
    await next();
    for (const [name, value] of Object.entries(appHeaders(context.config))) exchange.res.headers.set(name, value);
  });
  app.get(`${ownPath}installation.json`, (exchange) =>
    exchange.json(installationOf(context), 200, { 'cache-control': 'no-store' }),
  );
  app.get(`${ownPath}rest`, async (exchange) => {
    await setTimeout(restMs);
    return exchange.body(null, 204, { 'cache-control': 'no-store' });
  });
  app.get(`${ownPath}wipe/:ticket`, async (exchange) => {
    const ticket = exchange.req.param('ticket');
    if (!/^[\w-]{43}$/.test(ticket)) throw new ApiError('not_found');
    await orderWipe(context, labelOf(exchange), unbase64url(ticket));
    return exchange.html(wipePage, 200, { 'cache-control': 'no-store', 'clear-site-data': wipeOrder });
  });
  app.get(`${ownPath}:file`, async (exchange) => {
    const name = exchange.req.param('file');
    const file = ownFiles.has(name) ? await files.find(`/${name}`) : undefined;
    if (file === undefined) throw new ApiError(ownFiles.has(name) ? 'not_built' : 'not_found');
    return fileResponse(file);
  });
  app.get('/', async (exchange, next) => {
    if (!isServiceWorkerScript(exchange)) return next();
    const file = await files.find('/sw.js');
    if (file === undefined) throw new ApiError('not_built');
    // Never kept: what a page would be at the same address is another thing.
    return fileResponse(file, { 'cache-control': 'no-store' });
  });
  app.all('*', async (exchange) => {
    if (isPageVisit(exchange)) return exchange.html(bootPage, 200, { 'cache-control': 'no-store' });
    await bypasses.record(exchange);
    // Of another type it would be no answer to a page, which could not tell it from what its policy forbade (blank-page-files.ts).
    if (exchange.req.header('sec-fetch-dest') === 'style')
      return exchange.body('', 421, { 'content-type': 'text/css', 'cache-control': 'no-store' });
    throw new ApiError('misdirected');
  });
  return app;
}

/** Which app's origin it is. */
function labelOf(exchange: Exchange<ApiEnv>): string {
  return (exchange.req.header('host') ?? '').split('.')[0] ?? '';
}

/** Where a browser would show a page. */
const pageDestinations: ReadonlySet<string> = new Set(['document', 'iframe', 'frame', 'embed', 'object']);

/**
 * A navigation that ends in a window. One for a file (`<a download>`, which Chromium keeps from service workers, has
 * the destination `empty`) is not: the boot page would be saved as if it were the file.
 */
function isPageVisit(exchange: Exchange<ApiEnv>): boolean {
  const { req } = exchange;
  const destination = req.header('sec-fetch-dest') ?? '';
  return req.method === 'GET' && req.header('sec-fetch-mode') === 'navigate' && pageDestinations.has(destination);
}

/** Service Workers, "update": the browser says so of the script's request. Whoever else says it gets a public file. */
function isServiceWorkerScript({ req }: Exchange<ApiEnv>): boolean {
  return req.header('service-worker') === 'script';
}

class BypassAudit {
  readonly #context: Context;
  readonly #rate: RateLimit;
  #unrecorded = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#rate = new RateLimit(auditRate, context.clock);
  }

  async record(exchange: Exchange<ApiEnv>): Promise<void> {
    const service = labelOf(exchange);
    if (!this.#rate.take('all')) {
      this.#unrecorded += 1;
      return;
    }
    const unrecorded = this.#unrecorded;
    this.#unrecorded = 0;
    const detail = {
      method: exchange.req.method.slice(0, 16),
      // Without the query, which may hold a secret.
      path: exchange.req.path.slice(0, 256),
      dest: (exchange.req.header('sec-fetch-dest') ?? 'unknown').slice(0, 32),
      ...(unrecorded > 0 && { unrecorded }),
    };
    const event = { type: 'bypass', actor: 'anonymous', service, decision: 'deny', reason: 'misdirected' } as const;
    const correlation = newCorrelation();
    await this.#context.audit.append([newEvent(this.#context, { ...event, correlation, detail })]);
  }
}
