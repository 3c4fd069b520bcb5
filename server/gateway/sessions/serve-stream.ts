/**
 * One stream from its OPEN to its end: decided, written down, answered, carried by the bridge, and when it fails named
 * by a correlation id that the person, the log and the audit have in common.
 */
import { hex } from '../../../protocol/bytes.ts';
import type { IncomingStream } from '../../../protocol/stream.ts';
import { correlationBytes } from '../../../protocol/stream-messages.ts';
import { origins } from '../../config.ts';
import type { PrincipalView } from '../../policy/question.ts';
import { recordPrincipal } from '../../policy/recorded.ts';
import type { EventContent } from '../audit.ts';
import { type HttpDependencies, serveHttp } from '../bridge/http-exchange.ts';
import { serveTcp } from '../bridge/tcp-exchange.ts';
import { BridgeError, type ExchangeOutcome, type TunnelStream } from '../bridge/tunnel-stream.ts';
import { serveUdp } from '../bridge/udp-exchange.ts';
import { forLog, streamCodeOf } from '../bridge/upstream-error.ts';
import { serveWebSocket } from '../bridge/websocket-exchange.ts';
import { noJar } from '../exchange/jar-store.ts';
import { decideOpen, type OpenVerdict } from './decide-open.ts';
import type { SessionDependencies } from './dependencies.ts';
import type { LiveSession } from './live-session.ts';
import { exchangeContext } from './services.ts';

type Allowed = Extract<OpenVerdict, { decision: 'allow' }>;

/** Resolves when the stream is over, well or not. Rejects only by a fault of ours. */
export async function serveStream(
  incoming: IncomingStream,
  live: LiveSession,
  deps: SessionDependencies,
): Promise<void> {
  const correlation = deps.crypto.random(correlationBytes);
  try {
    await live.gate.passage;
    const decided = await decideWithStepUp(incoming, live, deps, hex(correlation));
    const { verdict } = decided;
    const event = openEvent(incoming, live, decided, hex(correlation));
    if (verdict.decision === 'deny') {
      await deps.audit.record(event);
      incoming.refuse(verdict.code, correlation);
      return;
    }
    // A request is written down once more before it does anything, after this and in one go with it: that is waited for.
    if (incoming.kind === 'tcp' || incoming.kind === 'udp') await deps.audit.record(event);
    else deps.audit.note(event);
    await carry(incoming, live, deps, verdict, correlation);
  } catch (error) {
    incoming.refuse(streamCodeOf(error), correlation);
    failed(incoming, live, deps, hex(correlation), error);
  }
}

/** What lacks a step-up alone is written down, waits for one, and is decided anew. */
async function decideWithStepUp(
  incoming: IncomingStream,
  live: LiveSession,
  deps: SessionDependencies,
  correlation: string,
): Promise<Decided> {
  const decided = decide(incoming, live, deps);
  const { verdict } = decided;
  if (verdict.decision === 'allow' || verdict.code !== 'stepup_required') return decided;
  await deps.audit.record(openEvent(incoming, live, decided, correlation));
  await live.requireStepUp();
  return decide(incoming, live, deps);
}

/** A verdict, and the principal as it was asked about. */
interface Decided {
  readonly verdict: OpenVerdict;
  readonly principal: PrincipalView;
}

function decide(incoming: IncomingStream, live: LiveSession, deps: SessionDependencies): Decided {
  const policy = deps.policy.isUsable ? deps.policy.current : undefined;
  const { kind, service } = incoming;
  const principal = live.principal();
  return { verdict: decideOpen({ kind, service, svid: live.svid, principal, policy }), principal };
}

function openEvent(
  incoming: IncomingStream,
  live: LiveSession,
  { verdict, principal }: Decided,
  correlation: string,
): EventContent {
  return {
    type: 'stream.open',
    actor: live.svid.spiffeId,
    service: incoming.service,
    decision: verdict.decision,
    policies: verdict.policies,
    ...(verdict.decision === 'deny' ? { reason: verdict.reason } : {}),
    correlation,
    detail: {
      kind: incoming.kind,
      session: live.id,
      credentialFor: live.svid.service,
      ...recordPrincipal(principal),
    },
  };
}

async function carry(
  incoming: IncomingStream,
  live: LiveSession,
  deps: SessionDependencies,
  verdict: Allowed,
  correlation: Uint8Array,
): Promise<void> {
  const pool = live.poolFor(verdict.service);
  if (incoming.kind === 'tcp') {
    // Connected first, so that an unreachable service is a refusal and not a connection that breaks.
    const socket = await pool.connect();
    try {
      await finish(incoming, live, deps, correlation, (stream) => serveTcp(stream, socket));
    } finally {
      // Also when the client did not wait for it.
      socket.destroy();
    }
    return;
  }
  if (incoming.kind === 'udp') {
    const flow = pool.openUdp();
    try {
      await finish(incoming, live, deps, correlation, (stream) => serveUdp(stream, flow));
    } finally {
      flow.close();
    }
    return;
  }
  const http = await httpDependencies(incoming, live, deps, verdict, hex(correlation));
  const serve = incoming.kind === 'websocket' ? serveWebSocket : serveHttp;
  await finish(incoming, live, deps, correlation, (stream) => serve(stream, http));
}

/** Accepts and runs; a failure from here on has already been told to the client inside the stream. */
async function finish(
  incoming: IncomingStream,
  live: LiveSession,
  deps: SessionDependencies,
  correlation: Uint8Array,
  run: (stream: TunnelStream) => Promise<ExchangeOutcome>,
): Promise<void> {
  const accepted = await incoming.accept();
  const stream = live.gate.guard(accepted);
  const over = live.opened({ stream: accepted, kind: incoming.kind, correlation: hex(correlation) });
  try {
    await run(stream);
  } catch (error) {
    failed(incoming, live, deps, hex(correlation), error);
  } finally {
    over();
  }
}

async function httpDependencies(
  incoming: IncomingStream,
  live: LiveSession,
  deps: SessionDependencies,
  { service, policy, calledFrom }: Allowed,
  correlation: string,
): Promise<HttpDependencies> {
  const person = live.person!;
  const caller = await live.caller(policy, service);
  return {
    context: exchangeContext(deps.config, policy, service, caller, live.peer.address),
    pool: live.poolFor(service),
    clock: deps.clock,
    shim: deps.shim,
    correlation,
    ...(calledFrom === undefined ? {} : { calledFrom: origins.app(deps.config, calledFrom) }),
    openJar: async (jarKey) => {
      // A page of another app brings no cookies, and takes none.
      if (calledFrom !== undefined) return noJar();
      live.pinJarKey(jarKey);
      return deps.jars.open({ user: person.user, device: person.device, service: service.name }, jarKey);
    },
    judge: async ({ method, target }) => {
      // A query may hold what nobody else should read.
      const request = { method, path: target.replace(/\?.*$/s, '') };
      const refusal = await judgeRequest(incoming, live, deps, correlation, request);
      if (refusal === undefined) return;
      if (refusal !== 'stepup_required') throw new BridgeError(refusal);
      await live.requireStepUp();
      const after = await judgeRequest(incoming, live, deps, correlation, request);
      if (after !== undefined) throw new BridgeError(after);
    },
  };
}

/** Decides one request and writes it down. @returns why not, undefined when it may go on */
async function judgeRequest(
  incoming: IncomingStream,
  live: LiveSession,
  deps: SessionDependencies,
  correlation: string,
  request: { readonly method: string; readonly path: string },
): Promise<'denied' | 'policy_stale' | 'stepup_required' | undefined> {
  const { spiffeId } = live.svid;
  const { service } = incoming;
  const inForce = deps.policy.isUsable ? deps.policy.current : undefined;
  const context = { kind: incoming.kind, ...request };
  const principal = live.principal();
  const verdict = inForce?.engine.decide({ principal, action: 'request', service, context });
  const { decision, policies, lacks } = verdict ?? { decision: 'deny', policies: ['default-deny'] };
  const reason = verdict === undefined ? 'policy_stale' : lacks === undefined ? undefined : 'stepup_required';
  await deps.audit.record({
    type: incoming.kind === 'websocket' ? 'websocket.open' : 'http.request',
    actor: spiffeId,
    service,
    decision,
    policies,
    ...(reason !== undefined && { reason }),
    correlation,
    detail: { ...request, session: live.id, ...recordPrincipal(principal) },
  });
  if (verdict === undefined) return 'policy_stale';
  if (lacks === 'stepUp') return 'stepup_required';
  return decision === 'deny' ? 'denied' : undefined;
}

/** Being cancelled is everyday life and not worth a line; everything else gets one, with its cause. */
function failed(
  incoming: IncomingStream,
  live: LiveSession,
  deps: SessionDependencies,
  correlation: string,
  error: unknown,
): void {
  const code = streamCodeOf(error);
  if (code === 'cancelled') return;
  const about = { session: live.id, service: incoming.service, correlation };
  const level = code === 'internal' ? 'error' : 'info';
  deps.log[level]({ ...about, code, cause: forLog(error) }, 'an exchange failed');
  deps.audit.note({
    type: 'stream.close',
    actor: live.svid.spiffeId,
    service: incoming.service,
    reason: code,
    correlation,
    detail: { kind: incoming.kind, session: live.id },
  });
}
