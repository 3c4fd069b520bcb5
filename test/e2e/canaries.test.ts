/**
 * Secrets of every kind, used as people use them and put where they do not belong, through the real product at its most
 * talkative. None of them is anywhere afterwards: not in a log, a file, a column, an answer, a page, a metric or what a
 * part that crashed leaves behind.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { adminRequest } from '../../server/channel/admin-client.ts';
import { type ApiAnswer, send } from './support/node-api.ts';
import { eventsAfter } from './support/node-audit.ts';
import { connect, fetchThrough, jarKeyHeader } from './support/node-client.ts';
import { FarPeer } from './support/node-far-peer.ts';
import { serviceA, World } from './support/node-world.ts';
import { Person } from './support/person.ts';
import { runCli } from './support/product.ts';

let world: World;
let guest: Person;
let service: FarPeer;
/** No secret: what is looked through does hold it, or nothing was looked through. */
const guestName = `Mia ${randomBytes(9).toString('hex')}`;
const folder = mkdtempSync(join(tmpdir(), 'latchkey-canaries-'));
/** What people and programs were answered: API, command line, pages. */
const told: { where: string; text: string }[] = [];

before(async () => {
  world = await World.start({ LATCHKEY_LOG_LEVEL: 'debug' });
  guest = await Person.arrive();
});
after(async () => {
  await guest?.[Symbol.asyncDispose]();
  await service?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** A secret of this test's own making, or one that it was told. */
function canary(name: string, secret: string = randomBytes(24).toString('base64url')): string {
  world.canaries.add(name, secret);
  return secret;
}

/** A command that is refused or told no secret: what it prints is looked at. */
async function runs(...args: string[]): Promise<void> {
  const { stdout, stderr } = await world.product.cli(...args);
  told.push({ where: `latchkey ${args.slice(0, 2).join(' ')}`, text: stdout + stderr });
}

/** A page as it stands: its address, its elements with their shadow trees, what it keeps. */
async function look(page: Page, where: string): Promise<void> {
  const text = await page.evaluate(() => {
    const texts = (root: Document | ShadowRoot): string =>
      [...root.querySelectorAll('*')]
        .map((element) => element.outerHTML + (element.shadowRoot ? texts(element.shadowRoot) : ''))
        .join('\n');
    return [location.href, texts(document), JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
  });
  told.push({ where, text: text.join('\n') });
}

test('QPT-10: tokens, keys and cookies are used as they are meant to be', async () => {
  const { product, admin, canaries } = world;
  const cookie = canary('cookie of a service');
  service = await FarPeer.start(product, {
    ...{ address: '10.81.0.2', port: 8_080 },
    serve: (_, response) => response.setHeader('set-cookie', `session=${cookie}; HttpOnly; Path=/`).end('ok'),
  });
  await service.join(product, 'keeper');
  await product.cliJson('service', 'add', 'kept', 'http://10.81.0.2:8080');

  // A pre-shared key, which gateway and peer have to be told.
  const psk = randomBytes(32);
  canaries.add('pre-shared key', psk);
  writeFileSync(join(folder, 'psk'), `${psk.toString('base64')}\n`, { mode: 0o600 });
  const peer = ['--public-key', randomBytes(32).toString('base64'), '--allowed-ips', '10.82.0.0/24'];
  await runs('wg', 'add-peer', ...peer, '--preshared-key-file', join(folder, 'psk'));
  await runs('wg', 'show');
  await runs('wg', 'export');
  const { token } = await product.cliJson('connector', 'add', 'site');
  canary('connector token', String(token));

  const launched = await admin.launch('kept');
  for (const { url } of launched.answer.endpoints) {
    const ticket = new URL(url).pathname.split('/').at(2);
    if (ticket !== undefined) canary('tunnel ticket', ticket);
  }
  const session = await connect(world.port, world.fingerprint, launched);
  const jarKey = randomBytes(32);
  canaries.add('jar key', jarKey);
  const answer = await fetchThrough(session, 'kept', {
    method: 'POST',
    target: `/form?token=${canary('query of a request')}`,
    headers: [jarKeyHeader(jarKey), ['authorization', `Bearer ${canary('authorization of a request')}`]],
    body: Buffer.from(canary('body of a request')),
  });
  assert.equal(answer.status, 200);
  assert.ok(!answer.headers.some(([, value]) => value.includes(cookie)));
  session.close('done');
  await session.closed;
});

test('QPT-10: a guest knocks, makes a passkey and opens a service; a kiosk’s guest does without', async () => {
  const { product } = world;
  const made = async (...terms: string[]) => {
    const { url } = await product.cliJson('link', 'create', '--service', serviceA, ...terms);
    canary('link secret', new URL(String(url)).hash.split('.')[1]);
    return String(url);
  };
  const { hub } = guest;
  await hub.goto(await made('--approve'));
  const knocked = hub.waitForResponse((response) => response.url().endsWith('/api/link/knock'));
  await hub.getByLabel('Your name').fill(guestName);
  await hub.getByRole('button', { name: 'Knock' }).click();
  canary('knock key', ((await (await knocked).json()) as { key: string }).key);
  await look(hub, 'the page at the door');
  const { knocks } = (await product.cliJson('link', 'knocks')) as { knocks: { id: string }[] };
  await runs('link', 'approve', knocks[0]?.id ?? '');
  await hub.getByRole('heading', { name: 'Your services' }).waitFor();
  await look(hub, 'the hub');
  for (const { name, value } of await guest.context.cookies()) canary(name, value);
  for (const key of await guest.passkeys()) world.canaries.add('passkey', Buffer.from(key, 'base64'));
  const { shell } = await guest.open(serviceA);
  await look(shell, 'the shell');
  await shell.close();

  await hub.goto(await made('--kiosk'));
  await hub.getByRole('button', { name: 'Open' }).click();
  await hub.getByRole('heading', { name: 'Open to you' }).waitFor();
  await look(hub, 'the page of a kiosk’s guest');
  for (const { name, value } of await guest.context.cookies()) if (name.includes('guest')) canary(name, value);
});

/** Each is a live secret where it does not belong. */
const misplaced: readonly [what: string, send: (secret: string) => Promise<ApiAnswer>][] = [
  ['in a field nobody knows', (secret) => post('/api/enrol/begin', JSON.stringify({ token: 'x', [secret]: secret }))],
  ['in a body that is no JSON', (secret) => post('/api/enrol/begin', `{"token":"${secret}`)],
  ['as another token', (secret) => post('/api/enrol/begin', JSON.stringify({ token: secret }))],
  ['as a link', (secret) => post('/api/link/preview', JSON.stringify({ link: secret, secret }))],
  ['as another cookie', (secret) => get('/api/session', { cookie: `latchkey_guest=${secret}; ${secret}=x` })],
  ['as a signature', (secret) => post('/api/logout', '{}', { 'latchkey-signature': secret, 'latchkey-nonce': secret })],
  ['in a path', (secret) => get(`/api/${secret}`)],
  ['in a query', (secret) => get(`/api/session?token=${secret}`)],
  ['in a page’s address', (secret) => get(`/${secret}`, { accept: 'text/html' })],
  ['as a ticket', (secret) => get(`/tunnel/${secret}`)],
  ['as a host', (secret) => get('/', { host: `${secret}.apps.localhost` })],
];
const get = (path: string, headers: Record<string, string> = {}) =>
  send(world.port, { host: 'hub.localhost', path, headers });
const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  send(world.port, { host: 'hub.localhost', method: 'POST', path, body, headers });

test('QPT-10: secrets where they do not belong are refused and not repeated', async () => {
  const cookie = world.admin.cookie ?? '';
  for (const [what, attempt] of misplaced) {
    const { status, headers, text } = await attempt(cookie);
    assert.ok(status >= 400 && status < 500, `${what}: ${status}`);
    told.push({ where: what, text: JSON.stringify(headers) + text });
  }
  writeFileSync(join(folder, 'wrong'), `${canary('a wrong pre-shared key')}\n`, { mode: 0o600 });
  const peer = ['--public-key', randomBytes(32).toString('base64'), '--allowed-ips', '10.83.0.0/24'];
  await runs('wg', 'add-peer', ...peer, '--preshared-key-file', join(folder, 'wrong'));
  writeFileSync(
    join(folder, 'wg0.conf'),
    `[Interface]\nPrivateKey = ${canary('a private key')}\n[Peer]\n${canary('x')}\n`,
  );
  await runs('wg', 'import', join(folder, 'wg0.conf'));
  const wrong = await runCli(['connector', '--token', canary('a wrong connector token'), '--data', join(folder, 'c')]);
  told.push({ where: 'a connector with a wrong token', text: wrong.stdout + wrong.stderr });
  assert.notEqual(wrong.code, 0);
});

test('QPT-10: parts that are ended by a fault leave nothing behind that holds a secret', async () => {
  const { product } = world;
  const before = readdirSync(product.data, { recursive: true }).length;
  for (const part of ['gateway', 'control'] as const) {
    const back = product.restarted(part);
    process.kill(product.ready.pids[part]!, 'SIGABRT');
    await back;
  }
  // Reports and core files would stand where the product runs, which is its data folder here.
  const left = readdirSync(product.data, { recursive: true }).map(String);
  assert.deepEqual(
    left.filter((name) => /report\.|core|\.heapsnapshot$|\.heapprofile$/.test(name)),
    [],
    `of ${before} files`,
  );
});

test('QPT-10: no log, file, column, answer, page, event or metric holds any of them', async () => {
  const { canaries, product } = world;
  world.assertNothingTold();
  assert.ok(canaries.count >= 40, `only ${canaries.count} secrets were looked for`);
  const named = new Set<string>();
  for (const file of ['control/control.db', 'gateway/spool.sqlite'])
    for (const { column, text } of columnsOf(join(product.data, file))) {
      assert.deepEqual(canaries.in(text), [], `in ${file}, ${column}`);
      if (text.includes(guestName)) named.add(column);
    }
  assert.deepEqual([...named].sort(), ['audit.event', 'knocks.name']);
  told.push({ where: 'the audit', text: JSON.stringify(await eventsAfter(product, 0)) });
  told.push({ where: 'the metrics', text: await metricsOf(product.data) });
  for (const list of [
    'services',
    'peers',
    'connectors',
    'users',
    'devices',
    'links',
    'knocks',
    'sessions',
    'receipts',
  ]) {
    const answer = await adminRequest(join(product.data, 'admin.sock'), 'GET', `/admin/${list}`);
    told.push({ where: `the list of ${list}`, text: JSON.stringify(answer) });
  }
  told.push({ where: 'the console of the guest’s pages', text: guest.console.join('\n') });
  for (const { where, text } of told) assert.deepEqual(canaries.in(text), [], where);
  const about = (part: string) => told.find(({ where }) => where === part)?.text ?? '';
  assert.match(about('the metrics'), /^latchkey_control_audit_events_total\{[^}]+\} [1-9]/m);
  assert.match(about('the page at the door'), /class="code"/);
  assert.ok(about('the audit').includes(guestName));
});

/** Every value of every table, by column. */
function* columnsOf(file: string): Generator<{ column: string; text: Buffer }> {
  using database = new DatabaseSync(file, { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  assert.ok(tables.length > 0, `${file} has no tables`);
  for (const { name } of tables)
    for (const row of database.prepare(`SELECT * FROM "${name}"`).all())
      for (const [column, value] of Object.entries(row))
        yield { column: `${name}.${column}`, text: Buffer.from(value instanceof Uint8Array ? value : String(value)) };
}

function metricsOf(data: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(data, 'admin.sock'), path: '/admin/metrics' }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    });
    asked.on('error', reject);
    asked.end();
  });
}
