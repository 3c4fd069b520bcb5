import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { base64url } from '../../../protocol/bytes.ts';
import { encodeRequestHead, ResponseHeadReader } from '../../../protocol/exchange/http.ts';
import {
  encodeCloseMessage,
  encodeWebSocketMessage,
  opcode,
  WebSocketMessageReader,
} from '../../../protocol/exchange/websocket.ts';
import { signSnapshot } from '../../../protocol/snapshot.ts';
import type { Stream } from '../../../protocol/stream.ts';
import { generateComposite } from '../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { ticketPath } from '../transport/support/engines.ts';
import { connectQuic } from '../transport/support/h3-client.ts';
import { fetchThrough } from './world/exchange.ts';
import { connectWebSocket } from './world/web-socket.ts';
import { World } from './world/world.ts';

let world: World;
const requests: IncomingMessage[] = [];
const blob = randomBytes(1 << 20);

before(async () => {
  world = await World.open(
    (request, response) => {
      requests.push(request);
      if (request.url === '/blob') {
        for (let i = 0; i < 16; i++) response.write(blob);
        response.end();
      } else if (request.url === '/sign-in') {
        response.writeHead(200, { 'set-cookie': 'sid=in; HttpOnly' }).end('welcome');
      } else if (request.url === '/cut') {
        response.writeHead(200, { 'content-length': 1_000_000 });
        response.write('half');
        setImmediate(() => request.socket.destroy(new Error('cut')));
      } else if (request.url === '/never') response.writeHead(200).flushHeaders();
      else response.end(`you are ${request.headers['x-latchkey-user']}`);
    },
    [
      {},
      { name: 'mail' },
      { name: 'old' },
      { name: 'ssh', scheme: 'tcp', port: 22 },
      { name: 'dns', scheme: 'udp', port: 53 },
      { name: 'dead', port: 81 },
      { name: 'moved', wireguardKey: Buffer.alloc(32, 9).toString('base64') },
      { name: 'nowhere', address: '100.100.9.9' },
    ],
  );
  const webSockets = new WebSocketServer({ noServer: true });
  world.far.http.on('upgrade', (request, socket, head) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (data) => webSocket.send(`echo ${data}`));
    });
  });
  const dns = world.far.openUdp(53);
  dns.onDatagram = (datagram, from) => void dns.send(Buffer.concat([Buffer.from('echo '), datagram]), from);
  world.far.plane.listen({ port: 22 }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
});

after(() => world.close());

test('BR-7: a page comes from a service that listens only behind WireGuard', async () => {
  const session = await world.client();
  const { status, body } = await fetchThrough(session, '/hello?q=1');
  assert.equal(status, 200);
  assert.equal(body.toString(), 'you are ada');
  session.close('done');
});

test('BR-7: 16 MiB arrive whole through tunnel and WireGuard', async () => {
  const session = await world.client();
  const { body } = await fetchThrough(session, '/blob');
  const expected = createHash('sha256');
  for (let i = 0; i < 16; i++) expected.update(blob);
  assert.equal(createHash('sha256').update(body).digest('hex'), expected.digest('hex'));
  session.close('done');
});

test('BR-1: a cookie sign-in belongs to the person and the device, not to the session', async () => {
  const jarKey: [string, string] = [':jar-key', Buffer.alloc(32, 5).toString('base64url')];
  const first = await world.client();
  const { headers } = await fetchThrough(first, '/sign-in', { headers: [jarKey] });
  assert.doesNotMatch(JSON.stringify(headers), /sid=/);
  first.close('done');
  await first.closed;
  const second = await world.client();
  await fetchThrough(second, '/after', { headers: [jarKey] });
  assert.equal(requests.at(-1)?.headers.cookie, 'sid=in');
  const phone = await world.client({ svid: { spiffeId: 'spiffe://latchkey.local/user/ada/device/phone' } });
  await fetchThrough(phone, '/after', { headers: [jarKey] });
  assert.equal(requests.at(-1)?.headers.cookie, undefined);
  second.close('done');
  phone.close('done');
});

test('QPT-9: a session has one jar: another key in it is refused, and the session goes on', async () => {
  const session = await world.client();
  const withKey = (byte: number) =>
    fetchThrough(session, '/x', { headers: [[':jar-key', Buffer.alloc(32, byte).toString('base64url')]] });
  assert.equal((await withKey(41)).status, 200);
  const before = requests.length;
  await assert.rejects(withKey(42), { code: 'protocol' });
  assert.equal(requests.length, before);
  assert.equal((await withKey(41)).status, 200);
  session.close('done');
});

test('BR-1: a WebSocket goes through the whole chain', async () => {
  const session = await world.client();
  const stream = await session.open({ kind: 'websocket', service: 'wiki' });
  await stream.write(encodeRequestHead({ method: 'GET', target: '/ws', headers: [] }));
  await stream.write(encodeWebSocketMessage(opcode.text, Buffer.from('hello')));
  const head = new ResponseHeadReader();
  const messages = new WebSocketMessageReader();
  let rest: Uint8Array | undefined;
  while (rest === undefined) rest = head.push((await stream.read())!);
  assert.equal(head.head.status, 101);
  messages.push(rest);
  let message = messages.next();
  while (message === undefined) {
    messages.push((await stream.read())!);
    message = messages.next();
  }
  assert.equal(Buffer.from(message.payload).toString(), 'echo hello');
  await stream.write(encodeCloseMessage({ code: 1000, reason: '' }));
  session.close('done');
});

test('BR-1: a TCP service gets bytes both ways', async () => {
  const session = await world.client({ svid: { service: 'ssh' } });
  const stream = await session.open({ kind: 'tcp', service: 'ssh' });
  await stream.write(Buffer.from('SSH-2.0-test'));
  assert.equal(Buffer.from((await stream.read())!).toString(), 'SSH-2.0-test');
  stream.reset('cancelled');
  session.close('done');
});

// ── over real transports ──

for (const transport of ['loopback', 'WebSocket', 'WebTransport'] as const)
  test(`BR-7: a UDP service gets datagrams both ways, over ${transport}`, async (t) => {
    const port = world.gateway.endpoints.udpPort;
    if (transport === 'WebTransport' && port === undefined) return t.skip('no WebTransport engine loads here');
    const carriers = {
      loopback: async () => world.loopback(),
      WebSocket: () => connectWebSocket(world),
      WebTransport: () => connectQuic(port!, world.shellOrigin, { path: ticketPath(world.gateway.endpoints) }),
    };
    const session = await world.client({ svid: { service: 'dns' }, carrier: await carriers[transport]() });
    const flow = await session.open({ kind: 'udp', service: 'dns' });
    for (const content of ['', 'query', 'q'.repeat(1_000), 'q'.repeat(1_300)]) {
      // A datagram may be lost anywhere, and is then asked again.
      const again = setInterval(() => void flow.write(Buffer.from(content)), 2_000);
      try {
        await flow.write(Buffer.from(content));
        await readUntil(flow, `echo ${content}`);
      } finally {
        clearInterval(again);
      }
    }
    assert.equal(session.datagramDrops === undefined, transport !== 'WebTransport');
    await flow.finish();
    await readToEnd(flow);
    session.close('done');
  });

/** Reads on until a datagram says this: one that was asked again may be answered twice. */
async function readUntil(flow: Stream, content: string): Promise<void> {
  for (let read = await flow.read(); Buffer.from(read!).toString() !== content; read = await flow.read())
    assert.notEqual(read, null, `ended before "${content}"`);
}

async function readToEnd(flow: Stream): Promise<void> {
  while ((await flow.read()) !== null);
}

test('BR-6: the same over WebSocket', async () => {
  const session = await world.client({ carrier: await connectWebSocket(world) });
  assert.equal((await fetchThrough(session, '/x')).body.toString(), 'you are ada');
  session.close('done');
});

test('BR-6: the same over WebTransport', async (t) => {
  const port = world.gateway.endpoints.udpPort;
  if (port === undefined) return t.skip('no WebTransport engine loads here');
  const session = await world.client({
    carrier: await connectQuic(port, world.shellOrigin, { path: ticketPath(world.gateway.endpoints) }),
  });
  assert.equal((await fetchThrough(session, '/x')).body.toString(), 'you are ada');
  session.close('done');
});

test('BR-6: tells the control plane where it can be reached and by which certificates', () => {
  const { endpoints } = world.authority.hello!;
  const webSocket = endpoints.find(({ transport }) => transport === 'websocket');
  assert.equal(webSocket?.url, 'ws://shell.apps.localhost:0/tunnel');
  const webTransport = endpoints.find(({ transport }) => transport === 'webtransport');
  if (world.gateway.endpoints.udpPort !== undefined) {
    const { ticketKey, udpPort } = world.gateway.endpoints;
    assert.equal(webTransport?.url, `https://127.0.0.1:${udpPort}/tunnel${ticketKey === undefined ? '' : '/'}`);
    assert.equal(world.authority.hello?.ticketKey, ticketKey && base64url(ticketKey));
    assert.ok((webTransport?.certHashes.length ?? 0) >= 1);
  }
});

// ── who may ──

test('QHX-6: a hand-made OPEN for another service is refused, with the deciding policy in the audit', async () => {
  const cases: [spiffeId: string, own: string, asked: string, policies: string[], code: string][] = [
    ['spiffe://latchkey.local/user/ada/device/laptop', 'wiki', 'mail', ['credential-scope'], 'denied'],
    ['spiffe://latchkey.local/user/ada/device/laptop', 'wiki', 'old', ['out-of-use'], 'denied'],
    ['spiffe://latchkey.local/user/ada/device/laptop', 'old', 'old', ['out-of-use'], 'denied'],
    ['spiffe://latchkey.local/user/bob/device/tower', 'mail', 'wiki', ['default-deny'], 'denied'],
    ['spiffe://latchkey.local/user/bob/device/tower', 'mail', 'mail', ['default-deny'], 'denied'],
    ['spiffe://latchkey.local/user/ada/device/laptop', 'wiki', 'unheard-of', ['default-deny'], 'denied'],
  ];
  for (const [spiffeId, service, askedFor, policies, code] of cases) {
    const session = await world.client({ svid: { spiffeId, service, serial: randomBytes(16) } }).catch(() => undefined);
    // A session for a service that policy denies ends at once; the refusal is then the session's.
    if (session === undefined) continue;
    const refusal = await session.open({ kind: 'http', service: askedFor }).then(
      () => assert.fail('opened'),
      (error: { code: string; correlation?: string }) => error,
    );
    if (refusal.code === 'session_closed') {
      assert.equal((await session.closed).code, 'denied');
      continue;
    }
    assert.equal(refusal.code, code);
    const event = await world.authority.event(({ correlation }) => correlation === refusal.correlation);
    assert.equal(event.type, 'stream.open');
    assert.equal(event.decision, 'deny');
    assert.equal(event.actor, spiffeId);
    assert.equal(event.service, askedFor);
    assert.deepEqual(event.policies, policies);
    session.close('done');
  }
});

test('QZ-39: every stream and every request leaves its decision and the rule behind it', async () => {
  const session = await world.client();
  await fetchThrough(session, '/audited?token=secret');
  const request = await world.authority.event(({ detail }) => detail?.['path'] === '/audited');
  assert.equal(request.decision, 'allow');
  assert.deepEqual(request.policies, ['admins']);
  const open = await world.authority.event(
    ({ type, correlation }) => type === 'stream.open' && correlation === request.correlation,
  );
  assert.deepEqual(open.policies, ['admins']);
  assert.ok(world.authority.events.indexOf(open) < world.authority.events.indexOf(request), 'in order');
  assert.doesNotMatch(JSON.stringify(world.authority.events), /token=secret/);
  session.close('done');
});

test('QHX-6: policy is asked again for each request inside an open stream', async () => {
  const session = await world.client();
  const before = requests.length;
  await assert.rejects(fetchThrough(session, '/secret/plans'), { code: 'denied' });
  assert.equal(requests.length, before);
  const event = await world.authority.event(({ detail }) => detail?.['path'] === '/secret/plans');
  assert.deepEqual(event.policies, ['no-secrets']);
  assert.equal((await fetchThrough(session, '/public')).status, 200);
  session.close('done');
});

for (const [service, kind, code] of [
  ['dead', 'http', 'unreachable'],
  ['moved', 'http', 'wrong_peer'],
  ['nowhere', 'http', 'wrong_peer'],
  ['wiki', 'tcp', 'protocol'],
  ['ssh', 'http', 'protocol'],
  ['dns', 'http', 'protocol'],
] as const)
  test(`BR-7: ${kind} to the service "${service}" fails as ${code} and leaves a trace under its correlation id`, async () => {
    const session = await world.client({ svid: { service } });
    if (kind === 'tcp' || service === 'ssh' || service === 'dns')
      await assert.rejects(session.open({ kind, service }), { code });
    else await assert.rejects(fetchThrough(session, '/', { service }), { code });
    assert.equal(session.state.phase, 'open');
    const closing = await world.authority.event(
      (event) => event.service === service && event.reason !== undefined && event.type.startsWith('stream.'),
    );
    assert.match(closing.correlation ?? '', /^[0-9a-f]{32}$/);
    session.close('done');
  });

test('BR-7: an unreachable TCP service is a refusal with a correlation id, not a broken connection', async () => {
  const session = await world.client({ svid: { service: 'ssh' } });
  await world.publish(world.content([{ name: 'ssh', scheme: 'tcp', port: 23 }, {}]));
  const refusal = await session.open({ kind: 'tcp', service: 'ssh' }).then(
    () => assert.fail('opened'),
    (error: { code: string; correlation: string }) => error,
  );
  assert.equal(refusal.code, 'unreachable');
  assert.match(refusal.correlation, /^[0-9a-f]{32}$/);
  session.close('done');
  await world.publish(allServices());
});

function allServices() {
  return world.content([
    {},
    { name: 'mail' },
    { name: 'old' },
    { name: 'ssh', scheme: 'tcp', port: 22 },
    { name: 'dns', scheme: 'udp', port: 53 },
    { name: 'dead', port: 81 },
  ]);
}

test('BR-7: a service that dies in mid-download fails the download and nothing else', async () => {
  const session = await world.client();
  const other = await world.client();
  await assert.rejects(fetchThrough(session, '/cut'), { code: 'upstream_failed' });
  assert.equal((await fetchThrough(session, '/x')).status, 200);
  assert.equal((await fetchThrough(other, '/x')).status, 200);
  session.close('done');
  other.close('done');
});

// ── while sessions live ──

test('QHX-6: a new policy ends the sessions it denies, at once', async () => {
  const session = await world.client();
  const stays = await world.client({ svid: { service: 'mail' } });
  const download = fetchThrough(session, '/never');
  download.catch(() => undefined);
  await world.authority.event(({ detail }) => detail?.['path'] === '/never');
  const content = allServices();
  const forbid = 'forbid (principal, action, resource == Service::"wiki");';
  await world.publish({ ...content, policies: { ...content.policies, 'wiki-closed': forbid } });
  assert.equal((await session.closed).code, 'denied');
  await assert.rejects(download, { code: 'session_closed' });
  assert.equal(stays.state.phase, 'open');
  stays.close('done');
  await world.publish(content);
});

test('QHX-6: a service that vanishes takes its sessions with it', async () => {
  const session = await world.client({ svid: { service: 'mail' } });
  await world.publish(world.content([{}]));
  assert.equal((await session.closed).code, 'denied');
  await world.publish(allServices());
});

test('QZ-39: revocation ends sessions of that device, refuses new ones, and leaves the others', async () => {
  const spiffeId = 'spiffe://latchkey.local/user/ada/device/stolen';
  const session = await world.client({ svid: { spiffeId } });
  const stays = await world.client();
  await world.authority.revoke([{ kind: 'device', id: new TextEncoder().encode('stolen') }], 5n);
  assert.equal((await session.closed).code, 'revoked');
  await assert.rejects(world.client({ svid: { spiffeId } }));
  const event = await world.authority.event(({ type, actor }) => type === 'session.refused' && actor === spiffeId);
  assert.equal(event.reason, 'revoked');
  assert.equal((await fetchThrough(stays, '/x')).status, 200);
  await world.authority.revoke([], 4n);
  await assert.rejects(world.client({ svid: { spiffeId } }), 'an older revocation takes nothing back');
  stays.close('done');
});

test('BR-4: a session goes on with the next credential of the same person, and with no other', async () => {
  const session = await world.client();
  const mine = { sessionPublicKey: session.signer.publicKey };
  const next = await world.authority.issue({ ...mine, serial: new Uint8Array(16).fill(7) });
  await session.reauth(next);
  await world.authority.event(
    ({ type, detail }) => type === 'session.reauth' && detail?.['serial'] === '07'.repeat(16),
  );
  assert.equal((await fetchThrough(session, '/x')).status, 200);
  for (const over of [
    { service: 'mail' },
    { spiffeId: 'spiffe://latchkey.local/user/bob/device/laptop' },
    { deviceKeyHash: new Uint8Array(32).fill(9) },
    { sessionPublicKey: generateComposite().signer.publicKey },
  ]) {
    const other = await world.client();
    const bad = await world.authority.issue({ sessionPublicKey: other.signer.publicKey, ...over });
    await assert.rejects(other.reauth(bad));
    assert.equal((await other.closed).code, 'bad_svid');
  }
  session.close('done');
});

// ── what is not believed ──

test('QHX-4: credentials that are expired, of a stranger, altered or for an unknown service do not get in', async () => {
  const { signer } = generateComposite();
  const mine = { sessionPublicKey: signer.publicKey };
  await assert.rejects(world.client({ svid: { notAfter: Date.now() - 1 } }));
  await assert.rejects(world.client({ svid: { service: 'unheard-of' } }));
  await assert.rejects(world.client({ svid: { spiffeId: 'spiffe://other.domain/user/ada/device/laptop' } }));
  await assert.rejects(world.client({ svid: { spiffeId: 'spiffe://latchkey.local/connector/x' } }));
  await assert.rejects(world.client({ svid: { postureHash: new Uint8Array(32) } }));
  await assert.rejects(world.client({ rawSvid: await world.authority.issue(mine, generateComposite().signer) }));
  // Another's credential, good in itself: the handshake asks for its key.
  await assert.rejects(world.client({ rawSvid: await world.authority.issue(mine) }));
  assert.equal(world.gateway.sessions.counts.halfOpen, 0);
});

test('QZ-21, QHX-4: a snapshot that is forged, or older than the one in force, changes nothing, and a forged one is an alarm', async () => {
  const empty = JSON.stringify(world.content([]));
  const forged = (epoch: bigint, signer = generateComposite().signer) =>
    signSnapshot(nodeCrypto, signer, { epoch, issuedAt: Date.now(), notAfter: Date.now() + 1_000_000, content: empty });
  const session = await world.client();
  world.authority.sendObject('snapshot', await forged(1_000n));
  world.authority.sendObject('snapshot', await forged(0n, world.authority.roles.policy));
  world.authority.sendObject('snapshot', randomBytes(5_000));
  await world.publish(allServices());
  assert.equal((await fetchThrough(session, '/x')).status, 200);
  session.close('done');
  const ofAlarm = ({ type }: { type: string }) => type === 'gateway.alarm';
  await world.authority.event((event) => ofAlarm(event) && event.reason === 'malformed');
  const alarms = world.authority.events.filter(ofAlarm);
  assert.deepEqual(
    alarms.map(({ reason, decision, detail }) => [reason, decision, detail?.['message']]),
    [
      ['wrong_signer', 'deny', 'snapshot'],
      ['malformed', 'deny', 'snapshot'],
    ],
  );
  assert.equal(world.logged.filter(({ msg }) => /was not accepted/.test(String(msg))).length, 2);
});

test('QHX-4: with a snapshot past its freshness nobody new comes in, and who is in stays', async () => {
  const session = await world.client();
  await world.publish({ ...allServices(), subnets: [] }, 61_000);
  await assert.rejects(world.client());
  await world.authority.event(({ type, reason }) => type === 'session.refused' && reason === 'policy_stale');
  assert.equal((await fetchThrough(session, '/x')).status, 200);
  await world.publish(allServices());
  session.close('done');
});

test('QPT-9: garbage on the UDP port, the TCP port and inside a carrier disturbs nobody', async () => {
  const session = await world.client();
  const udp = createSocket('udp4');
  const port = world.gateway.endpoints.udpPort;
  if (port !== undefined)
    for (let i = 0; i < 50; i++)
      await new Promise((resolve) => udp.send(randomBytes(20 + 25 * i), port, '127.0.0.1', resolve));
  for (let i = 0; i < 20; i++)
    await new Promise((resolve) => udp.send(randomBytes(148), world.gateway.wireguard.port, '127.0.0.1', resolve));
  udp.close();

  const tcp = await world.rawTcp();
  tcp.on('error', () => undefined);
  tcp.resume();
  tcp.write(randomBytes(500));
  await once(tcp, 'close');

  const webSocket = await connectWebSocket(world);
  webSocket.raw.send(randomBytes(300));
  await once(webSocket.raw, 'close');

  const carrier = world.loopback();
  const control = carrier.open(0n);
  await control.send(Uint8Array.of(0x01, 0, 0, 4, 1, 2, 3, 4));
  assert.equal(await control.receive().catch(() => null), null, 'a sender who proves nothing hears nothing');

  assert.equal((await fetchThrough(session, '/x')).status, 200);
  session.close('done');
});

test('QPT-9: a tampered record closes its session and no other', async () => {
  let armed = false;
  const carrier = world.loopback({
    fault: ({ from, bytes }) => {
      if (!armed || from !== 'client') return [bytes];
      const bad = bytes.slice();
      bad[bad.length - 1]! ^= 1;
      return [bad];
    },
  });
  const victim = await world.client({ carrier });
  const other = await world.client();
  assert.equal((await fetchThrough(victim, '/x')).status, 200);
  armed = true;
  await assert.rejects(fetchThrough(victim, '/x'));
  assert.equal((await victim.closed).code, 'decrypt');
  assert.equal((await fetchThrough(other, '/x')).status, 200);
  other.close('done');
});

test('QPT-9: the TCP side serves the tunnel and nothing else', async () => {
  const ask = async (head: string) => {
    const socket = await world.rawTcp();
    socket.write(head);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return Number(answer.toString().split(' ')[1]);
  };
  const host = new URL(world.shellOrigin).host;
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  assert.equal(await ask(`GET /other HTTP/1.1\r\nHost: ${host}\r\n\r\n`), 404);
  assert.equal(await ask(`GET /tunnel HTTP/1.1\r\nHost: ${host}\r\n\r\n`), 426);
  assert.equal(await ask('GET /tunnel HTTP/1.1\r\nHost: evil.example\r\n\r\n'), 421);
  assert.equal(await ask(`GET /tunnel HTTP/1.1\r\nHost: evil.example\r\n${upgrade}\r\n`), 421);
  assert.equal(
    await ask(`GET /other HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${world.shellOrigin}\r\n${upgrade}\r\n`),
    404,
  );
  assert.equal(
    await ask(`GET /tunnel HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://evil.example\r\n${upgrade}\r\n`),
    403,
  );
});

test('QPT-10: keys, cookies and tokens stand in no event, and the key file is for its owner alone', async () => {
  assert.doesNotMatch(JSON.stringify(world.authority.events), /sid=|BQUFBQUF|token of this test/);
  const folder = join(world.config.data, 'gateway');
  assert.equal(statSync(join(folder, 'identity.json')).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test('BR-7: a gateway that starts again is the same gateway, and takes clients back', async () => {
  const { publicKey, wireguardKey, stealthKey } = world.authority.hello!;
  const session = await world.client();
  await world.gateway.close();
  assert.equal((await session.closed).code, 'going_away');
  await world.start();
  const again = world.authority.hello!;
  assert.deepEqual([again.publicKey, again.wireguardKey, again.stealthKey], [publicKey, wireguardKey, stealthKey]);
  const next = await world.client();
  assert.equal((await fetchThrough(next, '/back')).status, 200);
  next.close('done');
});
