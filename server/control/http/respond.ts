/** How the API's apps answer: JSON, one form for every refusal, and nothing of the request in it. */
import type { HttpBindings } from '@hono/node-server';
import { OpenAPIHono, type z } from '@hono/zod-openapi';
import type { Context as Exchange, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { ApiError } from '../api-error.ts';
import type { Context, Evidence } from '../context.ts';
import type { SignedIn } from '../leases.ts';
import { addressOf } from './caller.ts';
import { apiError } from './schemas.ts';

export type ApiEnv = {
  Bindings: HttpBindings;
  Variables: {
    /** SPIFFE id of the administrator who calls by a page. */
    actor?: string;
    /** By which the request was signed. */
    signed?: Evidence;
    /** Whoever calls, where the route has a guard (guards.ts). */
    who?: SignedIn;
  };
};
export type ApiApp = OpenAPIHono<ApiEnv>;

/** The largest body is a launch: 7 KB of keys and signatures and a posture statement. */
export const maxBodyBytes = 128 * 1024;

/**
 * An app that refuses by code, limits bodies, and validates against its schemas.
 * @param before answers what is no JSON of our own pages, or passes on
 */
export function newApi(context: Context, before?: MiddlewareHandler<ApiEnv>): ApiApp {
  const app = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw new ApiError('malformed', { cause: result.error });
    },
  });
  if (before !== undefined) app.use(before);
  app.use(checkBody);
  app.onError((error, exchange) => refuse(context, exchange, error));
  app.notFound((exchange) => {
    const elsewhere = app.routes.some(({ path, method }) => path === exchange.req.path && method !== 'ALL');
    return refuse(context, exchange, new ApiError(elsewhere ? 'method_not_allowed' : 'not_found'));
  });
  return app;
}

/**
 * A body is JSON and says its length first, and Node holds it to that. The other methods have no body that anyone
 * would read.
 */
const checkBody: MiddlewareHandler = async (exchange, next) => {
  const { method } = exchange.req;
  if (method === 'POST' || method === 'PUT' || method === 'PATCH') {
    const length = exchange.req.header('content-length');
    if (length === undefined || exchange.req.header('transfer-encoding') !== undefined) {
      throw new ApiError('length_required');
    }
    if (Number(length) > maxBodyBytes) throw new ApiError('too_large');
    if (!/^application\/json *(;|$)/i.test(exchange.req.header('content-type') ?? '')) throw new ApiError('malformed');
  }
  await next();
};

/** The answer to an error. */
export function refuse(context: Context, exchange: Exchange, error: unknown): Response {
  const told = noteRefusal(context, exchange, error);
  const { correlation } = told;
  if (told.code === 'rate_limited' || told.status === 503) exchange.header('retry-after', '5');
  if (wantsPage(exchange)) return exchange.html(page(told.message, correlation), told.status);
  return exchange.json({ error: told.code, message: told.message, correlation }, told.status);
}

/** Counts and logs an error. What is not an ApiError is a fault of ours: logged whole, told as `internal`. @returns what may be told */
export function noteRefusal(context: Context, exchange: Exchange, error: unknown): ApiError {
  const told = tellable(error);
  const { correlation } = told;
  context.refusals.add({ code: told.code });
  // The route and not the path: whoever mistypes an address may have put a secret into it.
  const where = { correlation, code: told.code, method: exchange.req.method, route: routePath(exchange, -1) };
  if (told.code === 'internal') context.log.error({ ...where, err: error }, 'a request failed');
  else context.log.info({ ...where, reason: reasonOf(told) }, 'a request was refused');
  return told;
}

/** A person who opened an address, rather than a script that asked for data. */
function wantsPage(exchange: Exchange): boolean {
  const { method, path } = exchange.req;
  return method === 'GET' && !path.startsWith('/api/') && (exchange.req.header('accept') ?? '').includes('text/html');
}

/** Our own sentence and id, nothing of the request. */
function page(message: string, correlation: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Latchkey</title>
<h1>Latchkey</h1>
<p>${message}</p>
<p>Id: ${correlation}</p>
</html>
`;
}

function tellable(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  // Hono's own refusals of bodies that are no JSON.
  if (error instanceof Error && 'status' in error && error.status === 400) return new ApiError('malformed');
  return new ApiError('internal', { cause: error });
}

/** The code beneath a refusal, for whoever reads the log: why a passkey was not believed, for one. */
function reasonOf(error: ApiError): string | undefined {
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
}

/** The OpenAPI entry of a JSON answer with its possible refusals. */
export function answers<T extends z.ZodType>(schema: T, description: string) {
  return {
    200: { description, content: { 'application/json': { schema } } },
    default: { description: 'refused', content: { 'application/json': { schema: apiError } } },
  } as const;
}

/** The OpenAPI entry of a JSON request. */
export function takes<T extends z.ZodType>(schema: T) {
  return { body: { required: true, content: { 'application/json': { schema } } } } as const;
}

/** The context in which a request is answered: what it changes is the doing of whoever signed it, an administrator's theirs. */
export function actingFor(context: Context, exchange: Exchange<ApiEnv>): Context {
  const [actor, signed] = [exchange.get('actor'), exchange.get('signed')];
  return { ...context, ...(actor !== undefined && { actor }), ...(signed !== undefined && { signed }) };
}

/** Who called, for rate limits: an address. */
export function callerOf(exchange: Exchange<ApiEnv>): string {
  return addressOf(exchange.env.incoming);
}
