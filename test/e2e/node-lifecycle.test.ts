/**
 * Parts that die, hang, stop and start again, one after the other in one installation: what goes on meanwhile, what
 * comes back by itself, and what is never lost. The gateway may go unheard for 4 s here before it takes nobody new.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { hex } from '../../protocol/bytes.ts';
import type { Session } from '../../protocol/session.ts';
import { send } from './support/node-api.ts';
import { endOf, eventAfter, eventsAfter } from './support/node-audit.ts';
import { AuditCopy } from './support/node-audit-copy.ts';
import { begin, connect, digestOf, fetchThrough, jarKeyHeader } from './support/node-client.ts';
import { FarPeer } from './support/node-far-peer.ts';
import { isAlive, serviceA, World } from './support/node-world.ts';
import { Product, runCli } from './support/product.ts';

const mebibyte = 2 ** 20;
const freshnessS = 4;

let world: World;
/** A download whose service died; its end takes a while to be noticed, which the tests between do not wait for. */
let orphaned: Promise<unknown>;
/** The session that was open when everything stopped, as the audit names it. */
let lastSession: string;
/** Each part's process, as the supervisor last said. */
const pids = new Map<string, number>();

before(async () => {
  const data = mkdtempSync(join(tmpdir(), 'latchkey-'));
  writeFileSync(join(data, 'latchkey.yaml'), `timers: { freshnessS: ${freshnessS} }\n`, { mode: 0o600 });
  world = await World.start({}, data);
  for (const [part, pid] of Object.entries(world.product.ready.pids)) pids.set(part, pid ?? 0);
});
after(() => world?.[Symbol.asyncDispose]());

/** Kills a part without a word and waits until it serves again. @param meanwhile runs while it is gone. */
async function killed(part: string, meanwhile: () => Promise<void> = async () => undefined): Promise<void> {
  const restarted = world.product.restarted(part);
  process.kill(pids.get(part)!, 'SIGKILL');
  await meanwhile();
  const { pid } = await restarted;
  assert.notEqual(pid, pids.get(part));
  pids.set(part, Number(pid));
}

/** Tries until it works: parts find each other again in their own time. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + 20_000; ; await pause(50)) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

const whoami = async (session: Session): Promise<number> => (await fetchThrough(session, serviceA, '/whoami')).status;

test('BR-7: a gateway killed with -9 is started again; its clients return with what they hold, cookies included', async () => {
  const cookie = `app_session=${randomBytes(24).toString('base64url')}`;
  world.canaries.add('cookie of an app', cookie);
  const jarKey = randomBytes(32);
  world.canaries.add('jar key', jarKey);
  const seen: (string | undefined)[] = [];
  await using far = await FarPeer.start(world.product, {
    address: '10.79.0.2',
    port: 8_080,
    serve: (request, response) => {
      seen.push(request.headers.cookie);
      response.setHeader('Set-Cookie', `${cookie}; HttpOnly; Path=/`).end('ok');
    },
  });
  await far.join(world.product, 'cookies');
  await world.product.cliJson('service', 'add', 'signed-in', 'http://10.79.0.2:8080');
  const headers = [jarKeyHeader(jarKey)];
  const ask = (session: Session) => fetchThrough(session, 'signed-in', { target: '/', headers });

  const from = await endOf(world.product);
  const launched = await world.admin.launch('signed-in');
  const session = await connect(world.port, world.fingerprint, launched);
  const answer = await ask(session);
  assert.ok(!answer.headers.some(([, value]) => value.includes(cookie)), 'an HttpOnly cookie stays with the gateway');
  await killed('gateway');
  assert.deepEqual(await session.closed, { code: 'going_away', byPeer: true, cut: true });

  // No new launch: the credential that the client holds is still good.
  const back = await connect(world.port, world.fingerprint, launched);
  assert.equal((await eventually(() => ask(back))).status, 200);
  assert.equal(seen.at(0), undefined);
  assert.equal(seen.at(-1), cookie);
  back.close('done');
  await back.closed;
  const requests = () =>
    eventsAfter(world.product, from).then((all) => all.filter(({ type }) => type === 'http.request'));
  await eventAfter(world.product, from, ({ type }) => type === 'session.close');
  assert.ok((await requests()).length >= seen.length, 'no request without its audit event');
  await world.product.cliJson('service', 'remove', 'signed-in');
});

test('a connector killed in mid-download is started again, and its services are back at once', async () => {
  const session = await world.session();
  const exchange = await begin(session, serviceA, { target: `/download?bytes=${64 * mebibyte}` });
  const begun = Promise.withResolvers<void>();
  const back = Promise.withResolvers<void>();
  // The rest is read when the service is gone; what is under way by then is far less than the whole.
  orphaned = digestOf(exchange, (bytes) => {
    if (bytes <= mebibyte) return undefined;
    begun.resolve();
    return back.promise;
  }).finally(() => session.close('done'));
  orphaned.catch(() => undefined);
  await begun.promise;
  await killed('connector');
  const other = await world.session();
  assert.equal(await eventually(() => whoami(other)), 200);
  other.close('done');
  back.resolve();
});

test('QZ-5: while the control plane is dead, sessions live on and nobody new is let in; then all is well again', async () => {
  const launched = await world.admin.launch(serviceA);
  const session = await connect(world.port, world.fingerprint, launched);
  const from = await endOf(world.product);
  await killed('control', async () => {
    assert.equal(await whoami(session), 200);
    await assert.rejects(world.admin.launch(serviceA));
  });
  assert.equal(await whoami(session), 200);
  const renewed = await eventually(() => world.admin.renew(launched));
  await session.reauth(Buffer.from(renewed.answer.svid, 'base64url'));
  const fresh = await eventually(() => world.session());
  assert.equal(await whoami(fresh), 200);
  fresh.close('done');
  session.close('done');
  // What the gateway decided meanwhile is in the chain, once each.
  await eventAfter(world.product, from, ({ type, detail }) => type === 'session.reauth' && detail !== undefined);
  const events = await eventsAfter(world.product, from);
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
  assert.ok(events.filter(({ type }) => type === 'http.request').length >= 2);
});

test('a connection that meets a part as it dies is answered or ended, never left hanging', async () => {
  const visits: Promise<number>[] = [];
  const visit = () =>
    visits.push(
      send(world.port, { host: 'hub.localhost', path: '/api/session' }).then(
        ({ status }) => status,
        () => 0,
      ),
    );
  const restarted = world.product.restarted('control');
  process.kill(pids.get('control')!, 'SIGSTOP');
  // Taken by nobody: one is under way to the process, the others wait behind it.
  for (let i = 0; i < 8; i++) visit();
  await pause(200);
  process.kill(pids.get('control')!, 'SIGKILL');
  for (const status of await Promise.all(visits)) assert.ok(status === 0 || status === 503, `answered ${status}`);
  pids.set('control', Number((await restarted).pid));
  (await eventually(() => world.session())).close('done');
});

test('QZ-5: a gateway that hears nothing of the control plane takes nobody new, and keeps whom it has', async () => {
  const launched = await world.admin.launch(serviceA);
  const session = await world.session();
  const from = await endOf(world.product);
  const control = pids.get('control') ?? 0;
  process.kill(control, 'SIGSTOP');
  try {
    // The credential is good for minutes; it is the policy behind it that has become too old to begin with.
    await eventually(async () => {
      const early = await connect(world.port, world.fingerprint, launched).catch(
        (error: { code: string }) => error.code,
      );
      if (typeof early !== 'string') early.close('done');
      assert.equal(early, 'going_away');
    });
    assert.equal(await whoami(session), 200);
  } finally {
    process.kill(control, 'SIGCONT');
  }
  const event = await eventAfter(world.product, from, ({ type }) => type === 'session.refused');
  assert.deepEqual([event.decision, event.reason], ['deny', 'policy_stale']);
  const again = await eventually(() => connect(world.port, world.fingerprint, launched));
  assert.equal(await whoami(again), 200);
  again.close('done');
  session.close('done');
});

test('QHX-3: the download from the dead connector ends as broken, never as complete', async () => {
  await assert.rejects(orphaned, { name: 'StreamError', code: 'upstream_failed' });
});

test('QPT-10: nothing secret of these runs stands in a log or a file', () => {
  world.assertNothingTold();
});

test('SIGTERM tells the sessions, stops everything in order with code 0 and leaves no process', async () => {
  const session = await world.session();
  lastSession = hex(session.params.sessionId);
  assert.equal(await world.product.stop(), 0);
  assert.deepEqual(await session.closed, { code: 'going_away', byPeer: true, cut: false });
  for (const [part, pid] of pids) assert.ok(!isAlive(pid), `the ${part} still runs`);
  await assert.rejects(
    new Promise((resolve, reject) =>
      connectTcp(world.port, '127.0.0.1', () => resolve('connected')).on('error', reject),
    ),
    { code: 'ECONNREFUSED' },
  );
  using copy = new AuditCopy(world.product.data);
  const types = copy.rows.map(({ event }) => (JSON.parse(event) as { type: string }).type);
  const stops = types.filter((type) => type.endsWith('.leave') || type === 'control.stop');
  assert.deepEqual(stops.slice(-3), ['connector.leave', 'gateway.leave', 'control.stop']);
  const verified = await runCli(['audit', 'verify', '--json', '--data', world.product.data]);
  assert.equal(verified.code, 0, verified.stderr);
});

test('a start on the same folder finds people, passkeys and services as they were', async () => {
  const again = await Product.start({}, world.product.data);
  try {
    assert.equal(again.ready.enrol, null);
    assert.deepEqual(again.ready.wireguard.publicKey, world.product.ready.wireguard.publicKey);
    const { services } = await again.cliJson('service', 'list');
    assert.deepEqual(
      (services as { name: string }[]).map(({ name }) => name),
      ['alpha', 'beta'],
    );
    // What the gateway had to say at the very end is in the chain by now.
    const ended = await eventAfter(
      again,
      0,
      ({ detail, type }) => type === 'session.close' && detail?.['session'] === lastSession,
    );
    assert.equal(ended.reason, 'going_away');
    const person = world.admin;
    person.port = again.ready.port;
    await person.signIn();
    assert.deepEqual(await person.services(), ['alpha', 'beta']);
  } finally {
    assert.equal(await again.stop(), 0);
  }
});
