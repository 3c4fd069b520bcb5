/** The hub origin's API: enrolment, sign-in, the launcher and launches. Refusals are thrown; respond.ts words them. */
import { createRoute } from '@hono/zod-openapi';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { origins } from '../../config.ts';
import { launchable } from '../access.ts';
import { rolesOf } from '../admin-roles.ts';
import { beginEnrolment, finishEnrolment } from '../enrolment.ts';
import { newPasskeyTerms } from '../join.ts';
import { beginLaunch, explainLaunch, finishLaunch } from '../launch.ts';
import { beginLogin, finishLogin } from '../login.ts';
import { recoveryNotice } from '../recovery.ts';
import { encodeBytes } from './bytes-field.ts';
import { addChangeApi } from './change-api.ts';
import { addDeviceApi } from './device-api.ts';
import { byDeviceKey, callerBy } from './guards.ts';
import { addGuestApi } from './guest-api.ts';
import { clearLease, deviceOf, signedIn, writeLease } from './lease-cookie.ts';
import { addOidcApi, type OidcApiOptions } from './oidc-api.ts';
import { type ApiApp, actingFor, answers, callerOf, takes } from './respond.ts';
import { addSamlApi, type SamlApiOptions } from './saml-api.ts';
import * as schemas from './schemas.ts';
import { addInstallation } from './shell-api.ts';
import { addSpiffeApi } from './spiffe-api.ts';

export interface HubApiOptions extends OidcApiOptions, SamlApiOptions {}

/** Adds the hub's routes. */
export function addHubApi(app: ApiApp, options: HubApiOptions): void {
  addEnrolment(app, options);
  addLogin(app, options);
  addSession(app, options);
  addLaunch(app, options);
  addGuestApi(app, options);
  addProviders(app, options);
  addOidcApi(app, options);
  addSamlApi(app, options);
  addDeviceApi(app, options.context, options.desk, options);
  addChangeApi(app, options.context, options.desk, options);
  addPins(app, options);
  addAssertionKeys(app, options);
  addSpiffeApi(app, options.context, options);
  addInstallation(app, options.context);
  app.doc31('/api/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Latchkey hub', version: '1', description: 'Bytes are base64url without padding.' },
  });
}

function addEnrolment(app: ApiApp, { context, desk, strangers }: HubApiOptions): void {
  const begin = createRoute({
    method: 'post',
    path: '/api/enrol/begin',
    request: takes(schemas.enrolBeginRequest),
    responses: answers(schemas.enrolBegun, 'what the challenge is computed from'),
  });
  app.openapi(begin, async (exchange) => {
    strangers.require(callerOf(exchange));
    const begun = await beginEnrolment(context, exchange.req.valid('json').token);
    return exchange.json(encodeBytes({ ...begun, ...newPasskeyTerms(context) }), 200);
  });

  const finish = createRoute({
    method: 'post',
    path: '/api/enrol/finish',
    request: takes(schemas.enrolFinishRequest),
    responses: answers(schemas.entered, 'enrolled and signed in; sets the lease cookie'),
  });
  app.openapi(finish, async (exchange) => {
    strangers.require(callerOf(exchange));
    const proof = exchange.req.valid('json');
    // The schema has checked the shape; the library's type differs in optional fields spelled undefined.
    const credential = proof.credential as RegistrationResponseJSON;
    const { leaseSecret, user, device } = await finishEnrolment(context, desk.revocations, { ...proof, credential });
    if (leaseSecret !== null) writeLease(context, exchange, leaseSecret);
    // A new person or group changes what the gateways have to know.
    await desk.policy.reload();
    return exchange.json({ user, device }, 200);
  });
}

function addLogin(app: ApiApp, { context, strangers }: HubApiOptions): void {
  const begin = createRoute({
    method: 'post',
    path: '/api/login/begin',
    request: takes(schemas.loginBeginRequest),
    responses: answers(schemas.loginBegun, 'what the challenge is computed from'),
  });
  app.openapi(begin, async (exchange) => {
    strangers.require(callerOf(exchange));
    const begun = await beginLogin(context, exchange.req.valid('json').devicePublicKey);
    return exchange.json({ ...encodeBytes(begun), rpId: context.config.rpId }, 200);
  });

  const finish = createRoute({
    method: 'post',
    path: '/api/login/finish',
    request: takes(schemas.loginFinishRequest),
    responses: answers(schemas.entered, 'signed in; sets the lease cookie'),
  });
  app.openapi(finish, async (exchange) => {
    strangers.require(callerOf(exchange));
    const proof = exchange.req.valid('json');
    // As above.
    const credential = proof.credential as AuthenticationResponseJSON;
    const { leaseSecret, user, device } = await finishLogin(context, { ...proof, credential });
    if (leaseSecret !== null) writeLease(context, exchange, leaseSecret);
    return exchange.json({ user, device }, 200);
  });
}

/** Where people may sign in besides. */
function addProviders(app: ApiApp, { oidc, saml }: HubApiOptions): void {
  const list = createRoute({
    method: 'get',
    path: '/api/providers',
    responses: answers(schemas.providers, 'what the providers are called that people may sign in at'),
  });
  const providers = [
    ...(oidc === undefined ? [] : [{ protocol: 'oidc' as const, name: oidc.settings.name }]),
    ...(saml === undefined ? [] : [{ protocol: 'saml' as const, name: saml.settings.name }]),
  ];
  app.openapi(list, (exchange) => exchange.json({ providers }, 200));
}

function addSession(app: ApiApp, { context, desk }: HubApiOptions): void {
  const session = createRoute({
    method: 'get',
    path: '/api/session',
    responses: answers(schemas.session, 'who is signed in'),
  });
  app.openapi(session, async (exchange) => {
    const who = await signedIn(context, exchange);
    const user = { id: who.user, name: who.userName };
    // A lease of this cookie always came by a passkey (guest-api.ts has the others).
    const credentialId = who.credential ?? '';
    const passkey = { rpId: context.config.rpId, credentialId, userHandle: who.userHandle };
    const roles = await rolesOf(context, who.user);
    const recovered = await recoveryNotice(context, who.user);
    const told = { user, device: { id: who.device }, leaseEnds: who.endsAt, passkey };
    return exchange.json({ ...encodeBytes(told), roles, ...(recovered !== undefined && { recovered }) }, 200);
  });

  const services = createRoute({
    method: 'get',
    path: '/api/services',
    responses: answers(schemas.services, 'the services this person may open'),
  });
  app.openapi(services, async (exchange) => {
    const who = await signedIn(context, exchange);
    const list = launchable(context, desk.policy, who).map(({ name, title, scheme }) => ({
      name,
      title,
      scheme,
      app: origins.app(context.config, name),
    }));
    return exchange.json({ services: list, shell: origins.shell(context.config) }, 200);
  });

  const logout = createRoute({
    method: 'post',
    path: '/api/logout',
    middleware: byDeviceKey(context),
    request: takes(schemas.nothing),
    responses: answers(schemas.nothing, 'the lease has ended, and every tunnel under it'),
  });
  app.openapi(logout, async (exchange) => {
    const who = callerBy(exchange);
    await desk.revocations.by(actingFor(context, exchange)).signOut(who);
    clearLease(context, exchange);
    return exchange.json({}, 200);
  });
}

function addLaunch(app: ApiApp, { context, desk, people }: HubApiOptions): void {
  const explain = createRoute({
    method: 'post',
    path: '/api/launch/explain',
    middleware: byDeviceKey(context),
    request: takes(schemas.launchExplainRequest),
    responses: answers(schemas.nothing, 'this person may launch the service; every refusal says why not'),
  });
  app.openapi(explain, async (exchange) => {
    const who = callerBy(exchange);
    people.require(who.user);
    await explainLaunch(actingFor(context, exchange), desk.policy, who, exchange.req.valid('json').service);
    return exchange.json({}, 200);
  });

  const begin = createRoute({
    method: 'post',
    path: '/api/launch/begin',
    middleware: byDeviceKey(context),
    request: takes(schemas.launchBeginRequest),
    responses: answers(schemas.launchBegun, 'what hub and shell compute the challenge from'),
  });
  app.openapi(begin, async (exchange) => {
    const who = callerBy(exchange);
    people.require(who.user);
    const begun = await beginLaunch(context, desk.policy, who, exchange.req.valid('json').service);
    return exchange.json(encodeBytes(begun), 200);
  });

  const finish = createRoute({
    method: 'post',
    path: '/api/launch/finish',
    middleware: byDeviceKey(context),
    request: takes(schemas.launchFinishRequest),
    responses: answers(schemas.launchAnswer, 'the credential and everything a tunnel needs'),
  });
  app.openapi(finish, async (exchange) => {
    const who = callerBy(exchange);
    const offer = () => desk.gateways.offer(callerOf(exchange));
    const answer = await finishLaunch(context, desk.policy, offer, who, deviceOf(who), exchange.req.valid('json'));
    return exchange.json(encodeBytes(answer), 200);
  });
}

function addPins(app: ApiApp, { context }: HubApiOptions): void {
  const pins = createRoute({
    method: 'get',
    path: '/.well-known/latchkey/pins',
    responses: answers(schemas.pins, 'the root keys of this installation'),
  });
  app.openapi(pins, (exchange) => {
    const { pins: object, root, fingerprint, earlier } = context.pki;
    return exchange.json(encodeBytes({ pins: object, root, fingerprint, earlier }), 200);
  });
}

/** Kept by whoever fetches it for less time than a new key is published before it signs. */
const jwksCaching = 'public, max-age=300';

function addAssertionKeys(app: ApiApp, { desk }: HubApiOptions): void {
  const keys = createRoute({
    method: 'get',
    path: '/.well-known/jwks.json',
    responses: answers(schemas.jwks, 'the keys that X-Latchkey-Jwt is signed with (RFC 7517)'),
  });
  app.openapi(keys, async (exchange) =>
    exchange.json(await desk.gateways.jwks(), 200, { 'cache-control': jwksCaching }),
  );
}
