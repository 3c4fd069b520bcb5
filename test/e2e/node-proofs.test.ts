/**
 * Proofs that are not right, against the real product: a credential without its key, a signature of another key, a
 * nonce used twice, a report that was altered, an offer of what nobody speaks. None of them gets in; each leaves a trace.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { concat, unbase64url } from '../../protocol/bytes.ts';
import { connectClient } from '../../protocol/connect-client.ts';
import type { Signer } from '../../protocol/crypto.ts';
import { encodeFrame } from '../../protocol/handshake-frame.ts';
import { mac1 } from '../../protocol/init.ts';
import { decodeSvid } from '../../protocol/svid.ts';
import { systemClock } from '../../server/channel/system-clock.ts';
import { generateComposite } from '../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { connectQuic } from '../server/transport/support/h3-client.ts';
import { type ApiRefusal, send } from './support/node-api.ts';
import { endOf, eventAfter } from './support/node-audit.ts';
import { carry, dialWebSocket, type Tap, tapped } from './support/node-carrier.ts';
import { begin, connect, fetchThrough, trustedGateway } from './support/node-client.ts';
import { fingerprintOf, NodePerson } from './support/node-person.ts';
import { serviceA, serviceB, World } from './support/node-world.ts';

const shell = 'shell.apps.localhost';

let world: World;

before(async () => {
  world = await World.start();
});
after(() => world?.[Symbol.asyncDispose]());

/** A handshake that has to fail, and the audit event that has to tell of it. */
async function refusedSession(attempt: () => Promise<unknown>) {
  const from = await endOf(world.product);
  await assert.rejects(attempt(), { name: 'HandshakeError', code: 'going_away' });
  return eventAfter(world.product, from, ({ type }) => type === 'session.refused');
}

// ── whose key ──

test('QHX-3: a stolen credential is worth nothing without its session key', async () => {
  const launched = await world.admin.launch(serviceA);
  const { signer } = generateComposite();
  const event = await refusedSession(() => connect(world.port, world.fingerprint, launched, { signer }));
  assert.deepEqual([event.decision, event.reason, event.service], ['deny', 'bad_svid', serviceA]);
  // Its owner is not disturbed.
  const session = await connect(world.port, world.fingerprint, launched);
  assert.equal((await fetchThrough(session, serviceA, '/whoami')).status, 200);
  session.close('done');
});

test('QHX-3: a credential with any byte changed opens nothing', async () => {
  const launched = await world.admin.launch(serviceA);
  const svid = unbase64url(launched.answer.svid);
  for (const at of [4, 41 + 2_016, 41 + 2_040, svid.length - 3_400, svid.length - 1]) {
    const changed = svid.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    await assert.rejects(connect(world.port, world.fingerprint, launched, { svid: changed }), {
      code: 'going_away',
    });
  }
});

test('QHX-3: REAUTH with the credential of another session key ends the session', async () => {
  const session = await world.session();
  const other = await world.admin.launch(serviceA);
  await assert.rejects(session.reauth(unbase64url(other.answer.svid)));
  assert.deepEqual(await session.closed, { code: 'bad_svid', byPeer: true, cut: false });
});

test('QHX-3: a launch that another session key signed is refused, and audited', async () => {
  const from = await endOf(world.product);
  const sessionSigner = generateComposite().signer;
  await assert.rejects(world.admin.launch(serviceA, { sessionSigner }), { status: 403, code: 'session_signature' });
  const event = await eventAfter(world.product, from, ({ type }) => type === 'launch');
  assert.deepEqual([event.decision, event.reason], ['deny', 'session_signature']);
});

test('QHX-3: the lease cookie alone reads a launcher and opens nothing', async () => {
  const thief = new NodePerson(world.port);
  thief.cookie = world.admin.cookie;
  assert.deepEqual(await thief.services(), [serviceA, serviceB]);
  await assert.rejects(thief.launch(serviceA), { status: 401, code: 'signature_invalid' });
  const unsigned = { headers: () => ({}) };
  await assert.rejects(world.admin.postSigned('/api/launch/begin', { service: serviceA }, unsigned), {
    status: 401,
    code: 'signature_invalid',
  });
});

test('BR-4: a session key that was renewed with a signature of another key keeps its last credential', async () => {
  const launched = await world.admin.launch(serviceA);
  const from = await endOf(world.product);
  const wrong = generateComposite().signer;
  const signer: Signer = {
    publicKey: launched.signer.publicKey,
    sign: (message, context) => wrong.sign(message, context),
  };
  await assert.rejects(world.admin.renew({ ...launched, signer }), { status: 401, code: 'signature_invalid' });
  const event = await eventAfter(world.product, from, ({ type }) => type === 'renew');
  assert.deepEqual([event.decision, event.reason], ['deny', 'signature_invalid']);
  assert.notEqual((await world.admin.renew(launched)).answer.svid, launched.answer.svid);
});

// ── once ──

test('QHX-7: a launch, a signed request and a renewal count once', async () => {
  const prepared = await world.admin.prepareLaunch(serviceA);
  await world.admin.finishLaunch(prepared);
  await assert.rejects(world.admin.finishLaunch(prepared), { status: 410, code: 'ceremony_unknown' });
  const body = { service: serviceA };
  const headers = world.admin.signatureOf('/api/launch/begin', body);
  await world.admin.post('/api/launch/begin', body, headers);
  await assert.rejects(world.admin.post('/api/launch/begin', body, headers), { status: 409, code: 'request_replayed' });
  const moved = { ...headers, 'latchkey-time': String(Date.now() - 120_000) };
  await assert.rejects(world.admin.post('/api/launch/begin', body, moved), { status: 401, code: 'request_stale' });
  const renewal = await world.admin.prepareRenewal(await world.admin.launch(serviceA));
  await world.admin.sendRenewal(renewal);
  await assert.rejects(world.admin.sendRenewal(renewal), { status: 409, code: 'request_replayed' });
});

test('QHX-7: of sixteen browsers that follow one enrolment link at once, one is let in', async () => {
  const { url } = await world.product.cliJson('user', 'add', 'Ida');
  const people = Array.from({ length: 16 }, () => new NodePerson(world.port, world.canaries));
  const outcomes = await Promise.allSettled(people.map((person) => person.enrol(String(url))));
  const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as ApiRefusal] : []));
  assert.equal(refusals.length, 15);
  for (const refusal of refusals) assert.equal(refusal.code, 'enrolment_used');
});

// ── posture ──

test('BR-4: another user agent is another posture event, and policy judges it', async () => {
  const from = await endOf(world.product);
  await world.admin.launch(serviceA);
  const before = await eventAfter(world.product, from, ({ type }) => type === 'posture');
  const { userAgent } = world.admin;
  const between = before.seq;
  world.admin.userAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';
  try {
    await world.admin.launch(serviceA);
    const after = await eventAfter(world.product, between, ({ type }) => type === 'posture');
    const browser = ({ detail }: typeof after) => [
      detail?.['browser.name'],
      detail?.['browser.version'],
      detail?.['browser.name:source'],
    ];
    assert.deepEqual(browser(before), ['Chrome', 156, 'user-agent']);
    assert.deepEqual(browser(after), ['Firefox', 153, 'user-agent']);
    assert.notEqual(before.detail?.['digest'], after.detail?.['digest']);
    assert.equal(after.detail?.['authenticator.user_verified'], true);

    await world.applyPolicies(`
      @id("admins") permit (principal in Group::"admins", action, resource);
      @id("chrome-only") forbid (principal, action == Action::"launch", resource)
        unless { context.posture has browser && context.posture.browser == "Chrome" };`);
    await assert.rejects(world.admin.launch(serviceA), { status: 403, code: 'denied' });
    const denied = await eventAfter(
      world.product,
      after.seq,
      ({ type, decision }) => type === 'launch' && decision === 'deny',
    );
    assert.deepEqual(denied.policies, ['chrome-only']);
  } finally {
    world.admin.userAgent = userAgent;
  }
  await world.admin.launch(serviceA);
});

test('BR-4: a report that was altered after the device key signed it is refused, and audited', async () => {
  const from = await endOf(world.product);
  const statement = (signed: Uint8Array) => Buffer.from(Buffer.from(signed).toString().replace('"Chrome"', '"Safari"'));
  await assert.rejects(world.admin.launch(serviceA, { statement }), { status: 403, code: 'posture_invalid' });
  const event = await eventAfter(world.product, from, ({ type }) => type === 'launch');
  assert.deepEqual([event.decision, event.reason], ['deny', 'posture_invalid']);
  await assert.rejects(world.admin.signIn({ statement }), { status: 403, code: 'posture_invalid' });
  await world.admin.signIn();
});

test('BR-4: AUTH with the digest of another report than the one that was judged is refused, and audited', async () => {
  const launched = await world.admin.launch(serviceA);
  const posture = unbase64url(launched.answer.posture);
  posture.set(randomBytes(32));
  const event = await refusedSession(() => connect(world.port, world.fingerprint, launched, { posture }));
  assert.equal(event.reason, 'posture');
});

test('BR-4: no client makes its report younger than the credential it was judged for', async () => {
  const launched = await world.admin.launch(serviceA);
  const posture = unbase64url(launched.answer.posture);
  new DataView(posture.buffer, posture.byteOffset).setBigUint64(32, BigInt(Date.now() + 3_600_000));
  const session = await connect(world.port, world.fingerprint, launched, { posture });
  await world.applyPolicies(`
    @id("admins") permit (principal in Group::"admins", action, resource);
    @id("fresh-reports") forbid (principal, action == Action::"request", resource) when { context.posture.ageS >= 1 };`);
  const { notBefore } = decodeSvid(unbase64url(launched.answer.svid));
  await pause(Math.max(0, notBefore + 1_500 - Date.now()));
  const from = await endOf(world.product);
  assert.equal((await begin(session, serviceA, { target: '/whoami' })).status, 403);
  const event = await eventAfter(world.product, from, ({ type }) => type === 'http.request');
  assert.deepEqual([event.decision, event.policies], ['deny', ['fresh-reports']]);
  session.close('done');
  await world.applyPolicies('@id("admins") permit (principal in Group::"admins", action, resource);');
});

// ── nothing less than what is spoken ──

/** Changes INIT before it is sent, with a mac1 that is right again: only who knows the gateway could send it. */
async function offering(change: (init: Uint8Array) => void): Promise<unknown> {
  const launched = await world.admin.launch(serviceA);
  const gateway = await trustedGateway(launched.answer, world.fingerprint);
  const target = { stealthKey: gateway.stealthKey, gatewayKeyHash: nodeCrypto.sha256(gateway.publicKey) };
  const tap: Tap = ({ from, bytes }) => {
    if (from !== 'client' || bytes[0] !== 1) return bytes;
    const init = bytes.slice(4, bytes.length - 16);
    change(init);
    return encodeFrame('init', concat(init, mac1(nodeCrypto, target, init)));
  };
  return connect(world.port, world.fingerprint, launched, { tap });
}

for (const [what, code, change] of [
  ['a version nobody speaks', 'version', (init) => init.set([0, 2, 0, 2], 4)],
  ['version 0 and no more', 'version', (init) => init.set([0, 0, 0, 0], 4)],
  ['a suite nobody speaks', 'suite', (init) => init.set([0, 2], 8)],
  ['no suite at all', 'suite', (init) => init.set([0, 0], 8)],
] as const satisfies [string, string, (init: Uint8Array) => void][]) {
  test(`QHX-4: an offer of ${what} is refused with the reason, which is logged`, async () => {
    const before = world.product.log.length;
    await assert.rejects(offering(change), { name: 'HandshakeError', code });
    assert.match(await world.logLine('handshake refused', before), new RegExp(`"code":"${code}"`));
  });
}

test('QHX-4: an offer made for another transport than it came by is refused, and logged as a downgrade', async () => {
  const before = world.product.log.length;
  await assert.rejects(
    offering((init) => init.set([1], 10)),
    { name: 'HandshakeError', code: 'going_away' },
  );
  assert.match(await world.logLine('handshake refused', before), /"code":"downgrade"/);
});

test('QHX-4: data before the handshake is through ends the attempt, and nothing of it is served', async () => {
  const from = await endOf(world.product);
  const launched = await world.admin.launch(serviceA);
  const gateway = await trustedGateway(launched.answer, world.fingerprint);
  const carrier = carry(await dialWebSocket(world.port));
  const record = Uint8Array.of(0x17, 0, 0, 32, ...randomBytes(32));
  const tap: Tap = ({ from: side, bytes }) => {
    // In the place of AUTH: a record, sealed under whatever.
    return side === 'client' && bytes[0] === 4 ? record : bytes;
  };
  const identity = {
    svid: unbase64url(launched.answer.svid),
    posture: unbase64url(launched.answer.posture),
    signer: launched.signer,
  };
  const early = connectClient({
    carrier: tapped(carrier, tap),
    crypto: nodeCrypto,
    clock: systemClock,
    gateway,
    identity,
  });
  await assert.rejects(early, { code: 'going_away' });
  const session = await world.session();
  session.close('done');
  const { seq } = await eventAfter(world.product, from, ({ type }) => type === 'session.open');
  assert.ok(seq > from);
});

test('QHX-4: QUIC early data and resumption are not to be had', async (t) => {
  const { answer } = await world.admin.launch(serviceA);
  if (answer.endpoints.some(({ url }) => url.includes('/tunnel/')))
    return t.skip('quinn resumes TLS, never the tunnel: test/server/transport/early-data.test.ts has its early data');
  const origin = `http://${shell}:${world.port}`;
  const first = await connectQuic(world.port, origin, { earlyData: true });
  const { native } = first.client.connection;
  // A ticket comes in a packet of its own, which nothing announces.
  while (native.session() === null) await pause(5);
  const resume = native.session() as Uint8Array;
  first.close();
  const second = await connectQuic(world.port, origin, { earlyData: true, resume });
  assert.equal(second.client.connection.native.isResumed(), false);
  second.close();
});

test('QHX-4: /tunnel speaks no plain HTTP, to no other host and for no other origin', async () => {
  const plain = await send(world.port, { host: shell, path: '/tunnel' });
  assert.equal(plain.status, 426);
  const posted = await send(world.port, { method: 'POST', host: shell, path: '/tunnel', body: '{}' });
  assert.equal(posted.status, 426);
  assert.equal((await send(world.port, { host: 'hub.localhost', path: '/tunnel' })).status, 421);
  const hub = `http://hub.localhost:${world.port}`;
  const app = `http://${serviceA}.apps.localhost:${world.port}`;
  for (const origin of [hub, app, 'null', 'http://elsewhere.example'])
    await assert.rejects(dialWebSocket(world.port, { origin }), { status: 403 });
  await assert.rejects(dialWebSocket(world.port, { host: `hub.localhost:${world.port}` }), { status: 421 });
  // What is not the tunnel is not a service either: an app's origin serves its few files and no page of the app.
  const bypass = await send(world.port, { host: `${serviceA}.apps.localhost`, path: '/whoami' });
  assert.equal(bypass.status, 421);
  assert.doesNotMatch(bypass.text, /signedInAs/);
});

test('QHX-4: keys that the pinned root does not vouch for are not talked to', async () => {
  const { answer } = await world.admin.launch(serviceA);
  assert.ok(await trustedGateway(answer, world.fingerprint));
  const otherPins = randomBytes(32).toString('base64url');
  await assert.rejects(trustedGateway(answer, otherPins), { name: 'ObjectError', code: 'wrong_subject' });
  const { url } = await world.product.cliJson('user', 'add', 'Joan');
  assert.equal(fingerprintOf(String(url)), world.fingerprint);
  const descriptor = Buffer.from(answer.descriptor, 'base64url');
  descriptor[100] = (descriptor[100] ?? 0) ^ 1;
  const altered = { ...answer, descriptor: descriptor.toString('base64url') };
  await assert.rejects(trustedGateway(altered, world.fingerprint), { name: 'ObjectError', code: 'bad_signature' });
});

test('QPT-10: nothing secret of these runs stands in a log or a file', () => {
  world.assertNothingTold();
});
