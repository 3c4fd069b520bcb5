/**
 * What the hub answers guests: what a link is for, the door an administrator opens, coming in with or without a passkey,
 * and a kiosk's launches, which the link's secret signs. A guest with a passkey goes on as anybody does (hub-api.ts).
 */
import { createRoute } from '@hono/zod-openapi';
import type { RegistrationResponseJSON } from '@simplewebauthn/server';
import type { Context as Exchange } from 'hono';
import { streamSSE } from 'hono/streaming';
import { origins } from '../../config.ts';
import { launchable } from '../access.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { beginBinding, enterKiosk, finishBinding, guestHolder, knock, previewLink } from '../guests.ts';
import { newPasskeyTerms } from '../join.ts';
import type { KnockKey, KnockState } from '../knocks.ts';
import { beginLaunch, finishLaunch } from '../launch.ts';
import { signedInBy } from '../leases.ts';
import { encodeBytes } from './bytes-field.ts';
import { byGuestCookie, callerBy } from './guards.ts';
import * as guests from './guest-schemas.ts';
import { clearGuest, writeGuest, writeLease } from './lease-cookie.ts';
import type { CallerLimits } from './rate-limit.ts';
import { type ApiApp, type ApiEnv, answers, callerOf, takes } from './respond.ts';
import * as schemas from './schemas.ts';

interface GuestApiOptions extends CallerLimits {
  readonly context: Context;
  readonly desk: ChannelDesk;
}

/** Adds the guests' routes to the hub. */
export function addGuestApi(app: ApiApp, options: GuestApiOptions): void {
  addDoor(app, options);
  addBinding(app, options);
  addKiosk(app, options);
  addGuestLaunch(app, options);
}

function addDoor(app: ApiApp, { context, desk, strangers }: GuestApiOptions): void {
  const preview = createRoute({
    method: 'post',
    path: '/api/link/preview',
    request: takes(guests.linkKey),
    responses: answers(guests.preview, 'what the link is for; nothing is used up'),
  });
  app.openapi(preview, async (exchange) => {
    strangers.require(callerOf(exchange));
    return exchange.json(await previewLink(context, exchange.req.valid('json')), 200);
  });

  const knocking = createRoute({
    method: 'post',
    path: '/api/link/knock',
    request: takes(guests.knockRequest),
    responses: answers(guests.knocked, 'an administrator is told'),
  });
  app.openapi(knocking, async (exchange) => {
    strangers.require(callerOf(exchange));
    const { name, ...arrival } = exchange.req.valid('json');
    const guest = { name, address: callerOf(exchange) };
    return exchange.json(await knock(context, desk.knocks, arrival, guest), 200);
  });

  const wait = createRoute({
    method: 'post',
    path: '/api/link/knock/wait',
    request: takes(guests.waitRequest),
    responses: answers(
      guests.waitRequest,
      'text/event-stream: one event for each state of the knock, until it is decided',
    ),
  });
  app.openapi(wait, async (exchange) => {
    strangers.require(callerOf(exchange));
    const key = exchange.req.valid('json');
    // Refused here, a stranger gets an error and not a stream.
    await desk.knocks.state(key);
    return waitAtDoor(exchange, { context, desk }, key) as never;
  });
}

/** Shorter than the connection may be silent (front.ts). */
const signOfLifeMs = 5_000;

function waitAtDoor(
  exchange: Exchange<ApiEnv>,
  { context, desk }: Pick<GuestApiOptions, 'context' | 'desk'>,
  key: KnockKey,
): Response {
  return streamSSE(exchange, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    let told: KnockState | undefined;
    try {
      while (!gone.signal.aborted && (told === undefined || told === 'waiting')) {
        const turn = nextTurn(context, desk, gone.signal);
        const state = await desk.knocks.state(key);
        await stream.writeSSE(state === told ? { event: 'still', data: '' } : { event: state, data: '' });
        told = state;
        if (state === 'waiting') await turn;
      }
    } finally {
      gone.abort();
    }
  });
}

/** Resolves at the next knock or decision, when it is time for a sign of life, and when the guest has gone. */
function nextTurn(context: Context, desk: ChannelDesk, gone: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const turned = new AbortController();
  const cancel = context.clock.after(signOfLifeMs, resolve);
  desk.knocks.watch(resolve, AbortSignal.any([gone, turned.signal]));
  gone.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => {
    cancel();
    turned.abort();
  });
}

function addBinding(app: ApiApp, { context, desk, strangers }: GuestApiOptions): void {
  const begin = createRoute({
    method: 'post',
    path: '/api/link/begin',
    request: takes(guests.arrival),
    responses: answers(schemas.enrolBegun, 'what the challenge of the new passkey is computed from'),
  });
  app.openapi(begin, async (exchange) => {
    strangers.require(callerOf(exchange));
    const begun = await beginBinding(context, desk.knocks, exchange.req.valid('json'));
    return exchange.json(encodeBytes({ ...begun, ...newPasskeyTerms(context) }), 200);
  });

  const finish = createRoute({
    method: 'post',
    path: '/api/link/finish',
    request: takes(schemas.enrolFinishRequest),
    responses: answers(schemas.entered, 'the link is this passkey’s now; sets the lease cookie'),
  });
  app.openapi(finish, async (exchange) => {
    strangers.require(callerOf(exchange));
    const proof = exchange.req.valid('json');
    // The schema has checked the shape; the library's type differs in optional fields spelled undefined.
    const credential = proof.credential as RegistrationResponseJSON;
    const { leaseSecret, user, device } = await finishBinding(context, desk.knocks, { ...proof, credential });
    if (leaseSecret !== null) writeLease(context, exchange, leaseSecret);
    return exchange.json({ user, device }, 200);
  });
}

function addKiosk(app: ApiApp, { context, desk, strangers }: GuestApiOptions): void {
  const enter = createRoute({
    method: 'post',
    path: '/api/guest/enter',
    request: takes(guests.kioskRequest),
    responses: answers(guests.kioskEntered, 'a use of the link is taken; sets the guest cookie'),
  });
  app.openapi(enter, async (exchange) => {
    strangers.require(callerOf(exchange));
    const { posture, ...arrival } = exchange.req.valid('json');
    const { leaseSecret, user, device, until } = await enterKiosk(context, desk.knocks, arrival, posture);
    writeGuest(context, exchange, leaseSecret);
    const who = await signedInBy(context, leaseSecret);
    const services = launchable(context, desk.policy, who).map(({ name, title, scheme }) => ({
      ...{ name, title, scheme },
      app: origins.app(context.config, name),
    }));
    const { kioskIdleS: idleS } = context.config.timers;
    return exchange.json({ user, device, until, idleS, services, shell: origins.shell(context.config) }, 200);
  });

  const end = createRoute({
    method: 'post',
    path: '/api/guest/end',
    middleware: byGuestCookie(context),
    request: takes(guests.guestEnd),
    responses: answers(schemas.nothing, 'the guest has gone, and every tunnel of theirs with them'),
  });
  app.openapi(end, async (exchange) => {
    const who = callerBy(exchange);
    await guestHolder(context, who, exchange.req.valid('json').secret);
    await desk.revocations.signOut(who);
    clearGuest(context, exchange);
    return exchange.json({}, 200);
  });
}

function addGuestLaunch(app: ApiApp, { context, desk, strangers, people }: GuestApiOptions): void {
  const begin = createRoute({
    method: 'post',
    path: '/api/guest/launch/begin',
    middleware: byGuestCookie(context),
    request: takes(guests.guestLaunchBegin),
    responses: answers(schemas.launchBegun, 'what hub and shell compute the challenge from'),
  });
  app.openapi(begin, async (exchange) => {
    const { secret, service } = exchange.req.valid('json');
    const who = callerBy(exchange);
    await strangers.countingRefusals(callerOf(exchange), () => guestHolder(context, who, secret));
    people.require(who.user);
    return exchange.json(encodeBytes(await beginLaunch(context, desk.policy, who, service)), 200);
  });

  const finish = createRoute({
    method: 'post',
    path: '/api/guest/launch/finish',
    middleware: byGuestCookie(context),
    request: takes(guests.guestLaunchFinish),
    responses: answers(schemas.launchAnswer, 'the credential and everything a tunnel needs'),
  });
  app.openapi(finish, async (exchange) => {
    const { secret, linkSignature, ...proof } = exchange.req.valid('json');
    const who = callerBy(exchange);
    const holder = await strangers.countingRefusals(callerOf(exchange), () => guestHolder(context, who, secret));
    const offer = () => desk.gateways.offer(callerOf(exchange));
    const given = { ...proof, deviceSignature: linkSignature };
    return exchange.json(encodeBytes(await finishLaunch(context, desk.policy, offer, who, holder, given)), 200);
  });
}
