/**
 * One HTTP exchange: a request head and body out of the tunnel, HTTP/1.1 to the service, its response back, both bodies
 * streamed under backpressure. A response is finished only when the service finished it; anything else is a reset, so
 * that half a file never looks like a whole one (docs/protocol.md, "Inside a stream").
 * Header rules, cookies and injection are the exchange folder's; connections are the pool's.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../protocol/clock.ts';
import type { RequestHead } from '../../../protocol/exchange/http.ts';
import { decode } from '../exchange/content-coding.ts';
import type { ExchangeContext } from '../exchange/context.ts';
import type { Header } from '../exchange/headers.ts';
import { Injector } from '../exchange/injector.ts';
import { noJar, type OpenJar } from '../exchange/jar-store.ts';
import { isDocument, translateRequest, type UpstreamRequest } from '../exchange/request-rules.ts';
import {
  type AnsweredRequest,
  hasBody,
  type ResponsePlan,
  type ShimSource,
  translateResponse,
} from '../exchange/response-rules.ts';
import { crossOriginHead, preflight, readableAnswer } from './cors-exchange.ts';
import { encodeHead, pairs, readHead } from './heads.ts';
import { RequestBody } from './request-body.ts';
import type { ExchangeOutcome, TunnelStream } from './tunnel-stream.ts';
import { statusOf, streamCodeOf } from './upstream-error.ts';
import type { UpstreamPool } from './upstream-pool.ts';
import { sendUpstream } from './upstream-request.ts';

/** What every exchange over HTTP needs, WebSockets included. */
export interface HttpDependencies {
  readonly context: ExchangeContext;
  readonly pool: UpstreamPool;
  readonly clock: Clock;
  readonly shim: ShimSource;
  /** Public origin of the other app whose page is calling; absent for a service's own pages. */
  readonly calledFrom?: string | undefined;
  readonly openJar: (jarKey: string | undefined) => Promise<OpenJar>;
  /** Decides by policy and writes it down; rejects with an BridgeError for what is denied. */
  readonly judge: (request: { method: string; target: string }) => Promise<void>;
  /** Names this exchange in the audit and on error pages; lower-case hexadecimal. */
  readonly correlation: string;
}

/** @throws whatever ended the exchange early; the stream has then been reset with its code. */
export async function serveHttp(stream: TunnelStream, deps: HttpDependencies): Promise<ExchangeOutcome> {
  const progress = { isAnswered: false, bytesDown: 0 };
  try {
    return await exchange(stream, deps, progress);
  } catch (error) {
    await endBadly(stream, error, deps.correlation, progress.isAnswered);
    throw error;
  }
}

interface Progress {
  isAnswered: boolean;
  bytesDown: number;
}

async function exchange(stream: TunnelStream, deps: HttpDependencies, progress: Progress): Promise<ExchangeOutcome> {
  const { head: said, rest } = await readHead(stream, deps.clock);
  const { head, cross } = deps.calledFrom === undefined ? { head: said } : crossOriginHead(said, deps.calledFrom);
  const context = cross?.credentials === false ? { ...deps.context, caller: undefined } : deps.context;
  const request = translateRequest(head, context);
  await deps.judge({ method: request.method, target: request.target });
  if (cross !== undefined) await preflight(head, cross, context, deps.pool);
  const landing = landingPage(request, deps.context);
  if (landing !== undefined) return answerShortly(stream, landing);
  const { jarKey, isAnonymous } = request.facts;
  const { jar, save } = bound(isAnonymous ? noJar() : await deps.openJar(jarKey));
  const answered = answeredRequest(request, head);
  const body = new RequestBody(stream, rest);
  const upstream = await sendUpstream(stream, withCookies(request, jar.header(answered)), body, deps);
  try {
    const response = { status: upstream.response.statusCode ?? 0, headers: pairs(upstream.response.rawHeaders) };
    const whole = withReason(translateResponse(response, answered, context, jar, deps.shim), upstream.response);
    const plan = cross === undefined ? whole : readableAnswer(whole, cross);
    // A sign-in is on disk before the browser can act on it.
    await save();
    progress.isAnswered = true;
    await stream.write(encodeHead(plan));
    await sendBody(stream, upstream.response, plan, request.method, progress);
    upstream.assertWhole();
    await stream.finish();
    await upstream.bodySent;
    return { status: plan.status, bytesUp: body.bytes, bytesDown: progress.bytesDown };
  } finally {
    upstream.release();
  }
}

const bound = (open: OpenJar) => ({ jar: open.jar, save: () => open.save() });

/** The cookie jar's and the body planner's view of a request. */
export function answeredRequest(request: UpstreamRequest, head: RequestHead): AnsweredRequest {
  return {
    method: request.method,
    target: request.target,
    site: request.facts.site,
    mode: request.facts.mode,
    scriptCookies: request.facts.scriptCookies,
    facts: request.facts,
    acceptsEncoding: head.headers.some(([name]) => name.toLowerCase() === 'accept-encoding'),
  };
}

/** The request with its Cookie header, when there are any. */
export function withCookies(request: UpstreamRequest, cookies: string): UpstreamRequest {
  return cookies === '' ? request : { ...request, headers: [...request.headers, ['cookie', cookies]] };
}

/** A page can read the service's words for the status (RFC 9112 section 4); what no status line can hold is left out. */
function withReason(plan: ResponsePlan, { statusMessage = '' }: IncomingMessage): ResponsePlan {
  if (!/^[\t\x20-\x7e\x80-\xff]+$/.test(statusMessage)) return plan;
  return { ...plan, headers: [...plan.headers, [':reason', statusMessage]] };
}

/** A service whose URL has a path begins there; every other path of it stays what it is. */
function landingPage(request: UpstreamRequest, context: ExchangeContext): ResponsePlan | undefined {
  const { path } = context.service;
  if (path === '/' || path === '' || request.target !== '/' || request.method !== 'GET') return undefined;
  if (!isDocument(request.facts)) return undefined;
  return { status: 302, headers: [['location', path]], decode: [], inject: undefined };
}

async function answerShortly(stream: TunnelStream, plan: ResponsePlan): Promise<ExchangeOutcome> {
  await stream.write(encodeHead(plan));
  await stream.finish();
  return { status: plan.status, bytesUp: 0, bytesDown: 0 };
}

async function sendBody(
  stream: TunnelStream,
  response: IncomingMessage,
  plan: ResponsePlan,
  method: string,
  progress: Progress,
): Promise<void> {
  const body = hasBody(plan.status, method) ? transformed(response, plan) : response;
  for await (const chunk of body) {
    if (chunk.length === 0) continue;
    await stream.write(chunk);
    progress.bytesDown += chunk.length;
  }
}

async function* transformed(response: IncomingMessage, plan: ResponsePlan): AsyncGenerator<Uint8Array> {
  const plain: AsyncIterable<Uint8Array> = plan.decode.length > 0 ? decode(response, plan.decode) : response;
  if (plan.inject === undefined) {
    yield* plain;
    return;
  }
  const injector = new Injector(plan.inject.element, plan.inject.contentType);
  for await (const chunk of plain) yield injector.push(chunk);
  yield injector.finish();
}

/**
 * Before the answer has begun the client gets a head that names the code and the correlation id; then, always, the
 * stream is reset: nothing that went wrong ends like something that is complete.
 */
export async function endBadly(
  stream: TunnelStream,
  error: unknown,
  correlation: string,
  isAnswered: boolean,
): Promise<void> {
  const code = streamCodeOf(error);
  if (!isAnswered && code !== 'cancelled') {
    const headers: Header[] = [
      [':error', code],
      [':correlation', correlation],
    ];
    // The stream may be gone already: then nobody is left to be told.
    await stream.write(encodeHead({ status: statusOf(code), headers })).catch(() => undefined);
  }
  stream.reset(code);
}
