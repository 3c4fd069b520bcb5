/** The three kinds of origin that browsers see, each an app of its own: hub, shell, and the origins of services. */
import { join } from 'node:path';
import type { Context as Exchange, MiddlewareHandler } from 'hono';
import { type Config, origins } from '../../config.ts';
import { ApiError } from '../api-error.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { OidcProvider } from '../oidc/provider.ts';
import { SamlProvider } from '../saml/provider.ts';
import { addAdminDoor } from './admin-door.ts';
import { addAppOrigin } from './app-origin.ts';
import { addHubApi, type HubApiOptions } from './hub-api.ts';
import { oidcLogout, oidcPaths } from './oidc-api.ts';
import { type CallerLimits, RateLimit } from './rate-limit.ts';
import { type ApiApp, type ApiEnv, newApi } from './respond.ts';
import { samlPaths, samlResponses } from './saml-api.ts';
import { apiHeaders, headersForShell, hubHeaders, pagesForShell, shellHeaders } from './security-headers.ts';
import { addShellApi } from './shell-api.ts';
import { fileResponse, StaticFiles } from './static-files.ts';

export interface OriginApps {
  readonly hub: ApiApp;
  readonly shell: ApiApp;
  readonly app: ApiApp;
}

/** A person makes a handful of calls to enrol or sign in; a household behind one address some more. */
export const strangerRate = { burst: 120, perSecond: 4 };

/** A person opens a few services and each tunnel renews every few minutes; bounds the credentials to be revoked. */
export const personRate = { burst: 60, perSecond: 1 };

export function originApps(context: Context, desk: ChannelDesk): OriginApps {
  const limits = {
    strangers: new RateLimit(strangerRate, context.clock),
    people: new RateLimit(personRate, context.clock),
  };
  return {
    hub: hubApp(context, desk, limits),
    shell: shellApp(context, desk, limits),
    app: addAppOrigin(newApi(context), context),
  };
}

function hubApp(context: Context, desk: ChannelDesk, limits: CallerLimits): ApiApp {
  const providers = providersOf(context.config);
  const options = { context, desk, ...providers, ...limits };
  /** What providers send: forms, from elsewhere. */
  const forms: Readonly<Record<string, MiddlewareHandler>> = {
    [oidcPaths.logout]: oidcLogout(options),
    [samlPaths.acs]: samlResponses(options),
  };
  const app = newApi(context, (exchange, next) => {
    const form = exchange.req.method === 'POST' ? forms[exchange.req.path] : undefined;
    return form === undefined ? next() : form(exchange, next);
  });
  app.use(headers(({ path }) => (pagesForShell.includes(path) ? headersForShell() : hubHeaders())));
  app.use(ownOriginOnly(origins.hub(context.config)));
  addAdminDoor(app, context, desk);
  addHubApi(app, options);
  const files = new StaticFiles(join(context.config.assets, 'hub'));
  for (const page of [
    '/',
    '/enrol',
    '/regain',
    '/launch',
    '/link',
    '/sign-out',
    '/changes',
    oidcPaths.callback,
    samlPaths.callback,
    '/admin',
    '/admin/:list{people|devices|services|policies|links|sessions|knocks|keys|audit}',
    ...pagesForShell,
  ])
    app.get(page, () => answerPage(files));
  app.get('*', (exchange) => answerFile(exchange, files));
  return app;
}

function providersOf(config: Config): Pick<HubApiOptions, 'oidc' | 'saml'> {
  const hub = origins.hub(config);
  const { oidc, saml } = config;
  const saidToSaml = { acs: `${hub}${samlPaths.acs}`, metadata: `${hub}${samlPaths.metadata}` };
  return {
    oidc: oidc === undefined ? undefined : new OidcProvider(oidc, `${hub}${oidcPaths.callback}`),
    saml: saml === undefined ? undefined : new SamlProvider(saml, saidToSaml),
  };
}

function shellApp(context: Context, desk: ChannelDesk, limits: CallerLimits): ApiApp {
  const app = newApi(context);
  app.use(headers(() => shellHeaders(context.config, desk.gateways.tunnelUrls())));
  app.use(ownOriginOnly(origins.shell(context.config)));
  addShellApi(app, context, desk, limits);
  const files = new StaticFiles(join(context.config.assets, 'shell'));
  app.get('/', (exchange) => exchange.redirect(`${origins.hub(context.config)}/`));
  app.get('/open/:service', () => answerPage(files));
  app.get('/ended', () => answerPage(files));
  app.get('*', (exchange) => answerFile(exchange, files));
  return app;
}

/** Pages get their origin's policy, data the policy of data. */
function headers(ofPages: (request: { path: string }) => Readonly<Record<string, string>>): MiddlewareHandler {
  return async (exchange, next) => {
    await next();
    const data = exchange.req.path.startsWith('/api/') || exchange.req.path.startsWith('/.well-known/');
    const { headers: own } = exchange.res;
    const caching = own.get('cache-control');
    for (const [name, value] of Object.entries(data ? apiHeaders : ofPages(exchange.req))) own.set(name, value);
    // What is meant to be kept says so itself.
    if (caching !== null) own.set('cache-control', caching);
  };
}

/** What changes anything comes from a page of this origin: browsers name the origin on every POST. */
function ownOriginOnly(origin: string): MiddlewareHandler {
  return async (exchange, next) => {
    const reads = exchange.req.method === 'GET' || exchange.req.method === 'HEAD';
    if (!reads && exchange.req.header('origin') !== origin) throw new ApiError('foreign_origin');
    await next();
  };
}

async function answerPage(files: StaticFiles): Promise<Response> {
  const page = await files.find('/index.html');
  if (page === undefined) throw new ApiError('not_built');
  return fileResponse(page);
}

async function answerFile(exchange: Exchange<ApiEnv>, files: StaticFiles): Promise<Response> {
  const file = await files.find(exchange.req.path);
  if (file === undefined) throw new ApiError('not_found');
  return fileResponse(file);
}
