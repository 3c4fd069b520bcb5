/**
 * What goes wrong or is meant to: links, passkeys, services that fail, noise on every port, records that were changed.
 * Each gets one clear error at the right place. After each test every process is the one it was, a session that had
 * nothing to do with it goes on, and a new one can be had.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { base64url } from '../../protocol/bytes.ts';
import type { Session } from '../../protocol/session.ts';
import { Random } from '../server/transport/support/random.ts';
import { ApiRefusal, call, send } from './support/node-api.ts';
import { endOf, eventAfter } from './support/node-audit.ts';
import type { Tap } from './support/node-carrier.ts';
import { begin, bodyOf, digestOf, type Exchange, fetchThrough, TunnelWebSocket } from './support/node-client.ts';
import { FarPeer } from './support/node-far-peer.ts';
import { garbageConnections, garbageDatagrams, garbageTunnels } from './support/node-garbage.ts';
import { NodePerson, tokenOf, type Wrong } from './support/node-person.ts';
import { serviceA, World } from './support/node-world.ts';
import { Product } from './support/product.ts';

const mebibyte = 2 ** 20;

let world: World;
/** Open all the time. */
let witness: Session;
/** An exchange with a service that never answers; asked at once, because it takes its time. */
let silent: Promise<Exchange>;
/** A link that was good for one second, of an earlier start of the same installation. */
let expiredLink: string;

before(async () => {
  const earlier = await Product.start({ LATCHKEY_ENROLMENT_S: '1' });
  expiredLink = String((await earlier.cliJson('user', 'add', 'Late'))['url']);
  assert.equal(await earlier.stop(), 0);
  world = await World.start({}, earlier.data);
  witness = await world.session();
  silent = askSilentService();
  silent.catch(() => undefined);
});
afterEach(() => world.assertUnharmed(witness));
after(() => world?.[Symbol.asyncDispose]());

/** A service behind a peer that nobody is. */
async function askSilentService(): Promise<Exchange> {
  const key = Buffer.alloc(32, 9).toString('base64');
  const peer = ['--public-key', key, '--allowed-ips', '10.66.0.0/24', '--endpoint', '127.0.0.1:9', '--name', 'silent'];
  await world.product.cliJson('wg', 'add-peer', ...peer);
  await world.product.cliJson('service', 'add', 'silent', 'http://10.66.0.1');
  return begin(await world.session('silent'), 'silent', { target: '/' });
}

/** A refusal as a person gets it: a code, one sentence, an id; and nothing of what they sent. */
async function refused(attempt: Promise<unknown>, status: number, code: string): Promise<ApiRefusal> {
  const { error } = await attempt.then(
    () => ({ error: undefined }),
    (cause: unknown) => ({ error: cause }),
  );
  if (!(error instanceof ApiRefusal)) throw new assert.AssertionError({ message: `was not refused: ${error}` });
  assert.deepEqual([error.status, error.code], [status, code]);
  assert.match(error.sentence, /^[A-Z].{10,200}\.$/);
  assert.doesNotMatch(error.sentence, /\n|\bat \w+ \(|node:|Error:/);
  assert.match(error.correlation, /^[\w-]{8,64}$/);
  return error;
}

// ── links and passkeys ──

test('BR-4: an enrolment link that is wrong, used or expired lets nobody in and says which', async () => {
  const visitor = new NodePerson(world.port, world.canaries);
  const unknown = `${world.product.ready.hub}enrol#${base64url(randomBytes(32))}.${world.fingerprint}`;
  await refused(visitor.enrol(unknown), 404, 'enrolment_unknown');
  const { url } = await world.product.cliJson('user', 'add', 'Joan');
  await new NodePerson(world.port, world.canaries).enrol(String(url));
  await refused(visitor.enrol(String(url)), 410, 'enrolment_used');
  await refused(visitor.enrol(String(world.product.ready.enrol)), 410, 'enrolment_used');
  world.canaries.add('enrolment token', tokenOf(expiredLink));
  await refused(visitor.post('/api/enrol/begin', { token: tokenOf(expiredLink) }), 410, 'enrolment_expired');
});

for (const [what, reason, ceremony] of [
  ['of another origin', 'origin', { origin: 'http://alpha.apps.localhost' }],
  ['of another relying party', 'rp', { rpId: 'apps.localhost' }],
  ['made in a foreign frame', 'cross_origin', { crossOrigin: true }],
  ['made without verifying its user', 'user_verification', { userVerified: false }],
  ['over another challenge', 'challenge', { challenge: Buffer.alloc(32) }],
] as const satisfies [string, string, Wrong['ceremony']][]) {
  test(`BR-4: a passkey ${what} is refused, and the audit says why`, async () => {
    const from = await endOf(world.product);
    const { url } = await world.product.cliJson('user', 'add', 'Mary');
    const person = new NodePerson(world.port, world.canaries);
    await refused(person.enrol(String(url), { ceremony }), 403, 'ceremony_refused');
    const enrolment = await eventAfter(world.product, from, ({ type }) => type === 'enrol');
    assert.deepEqual([enrolment.decision, enrolment.reason], ['deny', `webauthn_${reason}`]);
    // The link is not lost by it, and what holds for making a passkey holds for using one.
    await person.enrol(String(url));
    await refused(person.signIn({ ceremony }), 403, 'ceremony_refused');
    const login = await eventAfter(world.product, enrolment.seq, ({ type }) => type === 'login');
    assert.deepEqual([login.decision, login.reason], ['deny', `webauthn_${reason}`]);
    await person.signIn();
  });
}

test('a browser that was never enrolled cannot sign in', async () => {
  await refused(new NodePerson(world.port).signIn(), 404, 'device_unknown');
});

test('requests that are no requests of ours get a code and a sentence, and nothing of themselves back', async () => {
  const marker = 'repeat-me-if-you-can';
  const bodies = [
    `{"token":"${marker}"`,
    `"${marker}"`,
    '[]',
    `{"token":{"${marker}":1}}`,
    `{"token":"x","${marker}":1}`,
  ];
  const port = world.port;
  for (const body of bodies) {
    const attempt = call(port, { method: 'POST', host: 'hub.localhost', path: '/api/enrol/begin', body });
    const { sentence } = await refused(attempt, 400, 'malformed');
    assert.doesNotMatch(sentence, new RegExp(marker));
  }
  const large = JSON.stringify({ token: 'x'.repeat(200_000) });
  await refused(
    call(port, { method: 'POST', host: 'hub.localhost', path: '/api/enrol/begin', body: large }),
    413,
    'too_large',
  );
  await refused(call(port, { host: 'hub.localhost', path: `/api/${marker}` }), 404, 'not_found');
  const foreign = { method: 'POST', host: 'hub.localhost', path: '/api/enrol/begin', body: '{}' };
  for (const origin of ['http://elsewhere.example', 'null', null])
    await refused(call(port, { ...foreign, origin }), 403, 'foreign_origin');
  assert.equal((await send(port, { host: 'elsewhere.example', path: '/' })).status, 421);
  assert.equal((await send(port, { host: 'hub.localhost', path: '/..%2f..%2fcontrol%2fkeys%2froot.key' })).status, 404);
});

// ── services that fail ──

test('an unreachable service is an error with a code, never an empty page', async () => {
  const { product } = world;
  await product.cliJson('service', 'add', 'closed', 'http://demo.wg:9');
  await product.cliJson('service', 'add', 'closed-tcp', 'tcp://demo.wg:9');
  const from = await endOf(product);
  const session = await world.session('closed');
  const exchange = await begin(session, 'closed', { target: '/' });
  assert.equal(exchange.status, 502);
  assert.deepEqual(exchange.headers[0], [':error', 'unreachable']);
  await assert.rejects(exchange.stream.read(), { code: 'unreachable' });
  const event = await eventAfter(product, from, ({ type, service }) => type === 'stream.close' && service === 'closed');
  assert.equal(event.reason, 'unreachable');
  assert.deepEqual(exchange.headers[1], [':correlation', event.correlation]);
  session.close('done');
  const tcp = await world.session('closed-tcp');
  await assert.rejects(tcp.open({ kind: 'tcp', service: 'closed-tcp' }), { code: 'unreachable' });
  tcp.close('done');
});

test('QHX-3: a service that dies in mid-download ends the download as broken, never as complete', async () => {
  const session = await world.session();
  const stop = 3 * mebibyte;
  const exchange = await begin(session, serviceA, { target: `/download?bytes=${8 * mebibyte}&stop=${stop}` });
  assert.equal(exchange.status, 200);
  let read = 0;
  await assert.rejects(
    digestOf(exchange, (bytes) => {
      read = bytes;
    }),
    { code: 'upstream_failed' },
  );
  assert.ok(read > 0 && read <= stop, `${read} bytes came`);
  assert.equal((await fetchThrough(session, serviceA, '/whoami')).status, 200);
  session.close('done');
});

test('a body without a length that breaks off is broken, and one that ends is whole', async () => {
  const cut = (response: ServerResponse) => response.write('half', () => response.destroy());
  await using far = await FarPeer.start(world.product, {
    address: '10.78.0.2',
    port: 8_080,
    serve: (request, response) => (request.url === '/cut' ? cut(response) : response.end('whole')),
  });
  await far.join(world.product, 'chunks');
  await world.product.cliJson('service', 'add', 'chunks', 'http://10.78.0.2:8080');
  const session = await world.session('chunks');
  assert.equal((await fetchThrough(session, 'chunks', '/whole')).body.toString(), 'whole');
  const broken = await begin(session, 'chunks', { target: '/cut' });
  await assert.rejects(
    async () => {
      for await (const _ of bodyOf(broken));
    },
    { code: 'upstream_failed' },
  );
  session.close('done');
});

// ── noise ──

const seed = new Random().seed;

test(`noise on the UDP ports disturbs nobody (seed ${seed})`, async () => {
  const random = new Random(seed);
  await garbageDatagrams(world.port, 'quic', random, 3_000);
  await garbageDatagrams(world.product.ready.wireguard.port, 'wireguard', random, 3_000);
});

test(`noise on the TCP port and in tunnels disturbs nobody (seed ${seed})`, async () => {
  const random = new Random(seed);
  await garbageConnections(world.port, random, 40);
  await garbageTunnels(world.port, random, 40);
});

// ── records ──

/** Damages one record of a stream on its way. */
function damage(from: 'client' | 'gateway', how: (record: Uint8Array, last: Uint8Array) => Uint8Array): Tap {
  let last: Uint8Array | undefined;
  let done = false;
  return (frame) => {
    if (done || frame.from !== from || frame.streamId === 0n) return frame.bytes;
    const before = last;
    last = frame.bytes.slice();
    if (before === undefined) return frame.bytes;
    done = true;
    return how(frame.bytes, before);
  };
}

for (const [what, how] of [
  ['with one bit changed', (record) => record.with(20, (record[20] ?? 0) ^ 1)],
  ['repeated', (_record, last) => last],
  ['with another epoch in its head', (record) => record.with(1, 1)],
] as const satisfies [string, (record: Uint8Array, last: Uint8Array) => Uint8Array][]) {
  for (const from of ['client', 'gateway'] as const) {
    test(`QZ-16: a record of the ${from} ${what} ends that session and no other`, async () => {
      const session = await world.session(serviceA, { tap: damage(from, how) });
      const exchange = begin(session, serviceA, { target: `/download?bytes=${mebibyte}` }).then((begun) =>
        digestOf(begun),
      );
      await assert.rejects(exchange, { name: 'StreamError' });
      const end = await session.closed;
      assert.deepEqual([end.code, end.byPeer], ['decrypt', from === 'client']);
      await assert.rejects(session.open({ kind: 'http', service: serviceA }), { code: 'session_closed' });
    });
  }
}

test('a WebSocket whose session is damaged is cut, not closed', async () => {
  const session = await world.session(serviceA, {
    tap: damage('client', (record) => record.with(30, (record[30] ?? 0) ^ 1)),
  });
  await assert.rejects(
    async () => {
      const socket = await TunnelWebSocket.open(session, serviceA, '/echo');
      await socket.send(Buffer.from('damaged on its way'));
      await socket.receive();
    },
    { name: 'StreamError' },
  );
  await session.closed;
});

test('a service whose peer does not answer is given up after a while, with another code', async () => {
  const exchange = await silent;
  assert.deepEqual([exchange.status, exchange.headers[0]], [504, [':error', 'timeout']]);
  await assert.rejects(exchange.stream.read(), { code: 'timeout' });
});

test('QPT-10: nothing secret of these runs stands in a log or a file', () => {
  world.assertNothingTold();
});
