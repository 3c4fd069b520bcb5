/**
 * `latchkey connector` beside a service: joins over TLS by a token that works once, publishes what it was told to, comes
 * again without the token, and lets nobody but the gateway in.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { parseConnectorToken } from '../../server/channel/connector-token.ts';
import { tlsFloor } from '../../server/channel/mutual-tls.ts';
import { begin, bodyOf, fetchThrough } from './support/node-client.ts';
import { ConnectorProcess } from './support/node-connector.ts';
import { World } from './support/node-world.ts';
import { runCli } from './support/product.ts';

let world: World;
let service: Server;
let target: string;
let folder: string;
let token: string;
let connector: ConnectorProcess;

before(async () => {
  const data = mkdtempSync(join(tmpdir(), 'latchkey-'));
  const yaml = 'channel: { port: 0, bind: 127.0.0.1, host: 127.0.0.1 }\nwireguard: { pskRenewS: 2 }\n';
  writeFileSync(join(data, 'latchkey.yaml'), yaml, { mode: 0o600 });
  world = await World.start({}, data);
  folder = mkdtempSync(join(tmpdir(), 'connector-'));
  const notes = randomBytes(3 * 2 ** 20);
  service = createServer((request, response) => {
    if (request.url === '/notes') response.end(notes);
    else if (request.url === '/held') void holdBack(response);
    else request.pipe(response);
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  target = `127.0.0.1:${(service.address() as AddressInfo).port}`;
});
after(async () => {
  await connector?.[Symbol.asyncDispose]();
  service?.close();
  await world?.[Symbol.asyncDispose]();
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

/** Half of an answer at once, and the rest when the test says so. */
const rest = Promise.withResolvers<void>();
async function holdBack(response: ServerResponse): Promise<void> {
  response.write('half');
  await rest.promise;
  response.end(' and half');
}

async function open(name: string): Promise<void> {
  const session = await world.session(name);
  const answer = await fetchThrough(session, name, '/notes');
  assert.equal(answer.status, 200);
  assert.equal(answer.body.length, 3 * 2 ** 20);
  session.close('done');
}

test('QPT-11: one command publishes a service, which opens through both layers', async () => {
  token = String((await world.product.cliJson('connector', 'add', 'site'))['token']);
  world.canaries.add('connector token', parseConnectorToken(token)?.secret ?? '');
  connector = await ConnectorProcess.start(folder, ['--token', token, '--expose', `notes=${target}`]);
  assert.deepEqual([connector.ready.name, connector.ready.services], ['site', ['notes']]);
  await open('notes');
  const { connectors } = (await world.product.cliJson('connector', 'list')) as {
    connectors: Record<string, unknown>[];
  };
  const site = connectors.find(({ name }) => name === 'site');
  assert.deepEqual([site?.['connected'], site?.['evidence']], [true, 'weak']);
});

test('QHX-7: the token worked once', async () => {
  const other = mkdtempSync(join(tmpdir(), 'connector-'));
  try {
    await assert.rejects(ConnectorProcess.start(other, ['--token', token]), /token_unknown|name_in_use/);
  } finally {
    rmSync(other, { recursive: true });
  }
});

test('QPT-11: a connector that is killed comes again by what it kept, without or with the used token', async () => {
  await connector.stop('SIGKILL');
  connector = await ConnectorProcess.start(folder, ['--expose', `notes=${target}`]);
  await open('notes');
  assert.equal(await connector.stop(), 0);
  connector = await ConnectorProcess.start(folder, ['--token', token, '--expose', `notes=${target}`]);
  await open('notes');
});

interface Shown {
  readonly publicKey: string;
  readonly retiring?: { publicKey: string; until: number; peers: readonly string[] };
  readonly peers: readonly { name: string; protection: string; live?: Record<string, number> }[];
}
const show = async () => (await world.product.cliJson('wg', 'show')) as unknown as Shown;

test('QPT-7: the WireGuard key is rotated with a backup, after a look at what that means, and the connector follows', async () => {
  const plain = randomBytes(32).toString('base64');
  await world.product.cliJson(
    'wg',
    'add-peer',
    '--public-key',
    plain,
    '--allowed-ips',
    '10.99.0.0/24',
    '--name',
    'router',
  );
  const before = await show();
  const fares = new Map(before.peers.map((peer) => [peer.name, peer]));
  assert.equal(fares.get('router')?.protection, 'classical');
  assert.equal(fares.get('site')?.protection, 'exchanged');
  assert.ok((fares.get('site')?.live?.['pskEpoch'] ?? 0) >= 1);
  assert.ok((fares.get('site')?.live?.['bytesIn'] ?? 0) > 3 * 2 ** 10);

  const look = await world.product.cliJson('wg', 'rotate-key', '--dry-run');
  assert.deepEqual([look['from'], look['to'], look['toTell']], [before.publicKey, undefined, ['router']]);
  assert.equal((await show()).publicKey, before.publicKey);
  const session = await world.session('notes');
  const held = await begin(session, 'notes', { target: '/held' });
  const done = await world.product.cliJson('wg', 'rotate-key');
  assert.equal(done['from'], before.publicKey);
  const backup = join(world.product.data, 'gateway', String(done['backup']));
  assert.equal(statSync(backup).mode & 0o777, 0o600);
  assert.notDeepEqual(
    JSON.parse(readFileSync(backup, 'utf8')),
    JSON.parse(readFileSync(join(backup, '../identity.json'), 'utf8')),
  );
  // At once: the way to the services is not cut for a moment.
  await open('notes');
  rest.resolve();
  const body: Uint8Array[] = [];
  for await (const chunk of bodyOf(held)) body.push(chunk);
  assert.equal(Buffer.concat(body).toString('utf8'), 'half and half');
  session.close('done');
  const after = await show();
  assert.equal(after.publicKey, done['to']);
  // The connector has moved by itself; the router has to be told, and may use the old key until then.
  assert.deepEqual(after.retiring, { publicKey: before.publicKey, until: done['oldUntil'], peers: [plain] });
  for (const how of [['--dry-run'], []]) {
    const second = await world.product.cli('wg', 'rotate-key', ...how);
    assert.notEqual(second.code, 0);
    assert.match(second.stderr, /still served to router\b/);
  }

  const ended = await world.product.cliJson('wg', 'rotate-key', '--no-overlap');
  assert.deepEqual([ended['from'], ended['oldUntil']], [done['to'], undefined]);
  await open('notes');
  const last = await show();
  assert.deepEqual([last.publicKey, last.retiring], [ended['to'], undefined]);
});

test('QPT-8: a peer that is removed is archived with when and why', async () => {
  const { publicKey } = (await show()).peers.find(({ name }) => name === 'router') as unknown as { publicKey: string };
  await world.product.cliJson('wg', 'remove-peer', publicKey, '--reason', 'sold');
  assert.equal(
    (await show()).peers.some(({ name }) => name === 'router'),
    false,
  );
  const { peers } = (await world.product.cliJson('wg', 'show', '--archived')) as { peers: Record<string, unknown>[] };
  const router = peers.find(({ name }) => name === 'router');
  assert.deepEqual([router?.['publicKey'], router?.['reason'], router?.['connector']], [publicKey, 'sold', false]);
  assert.equal(typeof router?.['archivedAt'], 'number');
});

test('QPT-1: what a connector kept is worth nothing without the key of its certificate', async () => {
  const thief = mkdtempSync(join(tmpdir(), 'connector-'));
  try {
    const kept = JSON.parse(readFileSync(join(folder, 'connector', 'connector.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const { svid: _, ...without } = kept;
    mkdirSync(join(thief, 'connector'), { mode: 0o700 });
    const put = (name: string, content: string | Buffer) =>
      writeFileSync(join(thief, 'connector', name), content, { mode: 0o600 });
    put('connector.json', JSON.stringify(without));
    put('wireguard.pem', readFileSync(join(folder, 'connector', 'wireguard.pem')));
    await assert.rejects(ConnectorProcess.start(thief, []), /token_unknown/);
  } finally {
    rmSync(thief, { recursive: true });
  }
});

test('QHX-6: a name that is a service of another peer is not given away', async () => {
  const taken = String((await world.product.cliJson('connector', 'add', 'other'))['token']);
  const other = mkdtempSync(join(tmpdir(), 'connector-'));
  try {
    const attempt = ConnectorProcess.start(other, ['--token', taken, '--expose', `alpha=${target}`]);
    await assert.rejects(attempt, /name_in_use/);
  } finally {
    rmSync(other, { recursive: true });
  }
});

test('QHX-4: the door of the control plane speaks X25519MLKEM768 or not at all, and a stranger joins nothing', async () => {
  const [host, port] = (parseConnectorToken(token)?.control ?? '').split(':');
  const at = { host: host ?? '', port: Number(port), rejectUnauthorized: false };
  const classical = connectTls({ ...at, ...tlsFloor, ecdhCurve: 'X25519' });
  const [error] = await once(classical, 'error');
  assert.match(String(error), /handshake/);
  const stranger = connectTls({ ...at, ...tlsFloor });
  await once(stranger, 'secureConnect');
  stranger.write('GET / HTTP/1.1\r\n\r\n');
  stranger.on('error', () => {});
  stranger.resume();
  await once(stranger, 'close');
});

test('QPT-9: bad input is refused in one sentence', async () => {
  for (const [args, code] of [
    [['--token', 'lkc1.nonsense'], 'token_malformed'],
    [['--token', token.slice(0, -20)], 'token_malformed'],
    [[], 'token_missing'],
    [['--token', token, '--expose', 'notes'], 'expose_malformed'],
    [['--token', token, '--expose', 'Notes=127.0.0.1:80'], 'expose_malformed'],
    [['--token', token, '--expose', 'notes=127.0.0.1:99999'], 'expose_malformed'],
    [['--token', token, '--expose', 'notes=udp://127.0.0.1:80'], 'expose_malformed'],
    [['--token', token, '--expose', 'a=127.0.0.1:80', '--expose', 'a=127.0.0.1:81'], 'expose_malformed'],
  ] as const) {
    const empty = mkdtempSync(join(tmpdir(), 'connector-'));
    const outcome = await runCli(['connector', '--json', '--data', empty, ...args]);
    rmSync(empty, { recursive: true });
    assert.equal(outcome.code, 1, args.join(' '));
    const said = JSON.parse(outcome.stderr.trim().split('\n').at(-1) ?? '{}') as { error: string; message: string };
    assert.equal(said.error, code, args.join(' '));
    assert.ok(!outcome.stderr.includes(parseConnectorToken(token)?.secret ?? 'none'));
  }
  const bad = await world.product.cli('connector', 'add', 'Bad Name', '--json');
  assert.match(bad.stderr, /name_malformed/);
});

test('QPT-10: nothing secret of these runs stands in a log', () => {
  assert.deepEqual(world.canaries.in(connector.log), []);
  world.assertNothingTold();
});
