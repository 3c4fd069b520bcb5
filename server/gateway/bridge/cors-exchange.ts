/**
 * One HTTP exchange of a page with another app (exchange/cors.ts): asked first where CORS wants that, and kept from the
 * page unless the service lets it read the answer. No cookies of either app take part; who is calling is told when the
 * page asked for credentials. A redirect is not followed: where it leads is nothing the operator spoke of.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { RequestHead } from '../../../protocol/exchange/http.ts';
import type { ExchangeContext } from '../exchange/context.ts';
import {
  allowsOrigin,
  type CrossOrigin,
  exposed,
  needsPreflight,
  preflightAllows,
  preflightHeaders,
  unsafeNames,
} from '../exchange/cors.ts';
import { checkHeaders, type Header } from '../exchange/headers.ts';
import { translateRequest } from '../exchange/request-rules.ts';
import type { ResponsePlan } from '../exchange/response-rules.ts';
import { connectLimitMs, maxResponseHeadBytes } from '../limits.ts';
import { pairs } from './heads.ts';
import { BridgeError } from './tunnel-stream.ts';
import type { UpstreamPool } from './upstream-pool.ts';

/** The same request as the gateway vouches for it: from this page, and nothing that the page's own jar knows. */
export function crossOriginHead(head: RequestHead, origin: string): { head: RequestHead; cross: CrossOrigin } {
  const credentials = head.headers.some(([name, text]) => name === ':credentials' && text === 'include');
  const own = head.headers.filter(([name]) => !name.startsWith(':') && name.toLowerCase() !== 'origin');
  return { head: { ...head, headers: [...own, ...facts(origin)] }, cross: { origin, credentials } };
}

const facts = (origin: string): Header[] => [
  ['origin', origin],
  [':dest', 'empty'],
  [':mode', 'cors'],
  [':site', 'same-site'],
  [':cookies', ''],
];

/** Resolves when the request may be sent. @throws BridgeError `denied` when the service does not allow it */
export async function preflight(
  head: RequestHead,
  cross: CrossOrigin,
  context: ExchangeContext,
  pool: UpstreamPool,
): Promise<void> {
  const { method, target } = head;
  const unsafe = unsafeNames(head.headers);
  if (!needsPreflight(method, unsafe)) return;
  const asked = { method: 'OPTIONS', target, headers: [...preflightHeaders(method, unsafe), ...facts(cross.origin)] };
  // A preflight never says who is calling.
  const { headers } = translateRequest(asked, { ...context, caller: undefined });
  const response = await send(target, headers, pool);
  const answer = { status: response.statusCode ?? 0, headers: checkHeaders(pairs(response.rawHeaders)) };
  if (!preflightAllows(answer, { ...cross, method, unsafe })) throw new BridgeError('denied');
}

/** What the page may see of the answer. @throws BridgeError `denied` when that is nothing */
export function readableAnswer(plan: ResponsePlan, cross: CrossOrigin): ResponsePlan {
  const isRedirect = plan.status >= 300 && plan.status <= 399 && plan.status !== 304;
  if (isRedirect || !allowsOrigin(plan.headers, cross)) throw new BridgeError('denied');
  return { ...plan, headers: exposed(plan.headers, cross), inject: undefined };
}

function send(path: string, headers: readonly Header[], pool: UpstreamPool): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const client = httpRequest({
      agent: pool.agent,
      method: 'OPTIONS',
      path,
      headers: headers.flat(),
      maxHeaderSize: maxResponseHeadBytes,
      signal: AbortSignal.timeout(connectLimitMs),
    });
    client.once('error', (cause) => reject(new BridgeError('upstream_failed', { cause })));
    client.once('upgrade', (_response, socket) => socket.destroy());
    client.once('response', (response) => {
      response.resume();
      resolve(response);
    });
    client.end();
  });
}
