/** The admin API as administrators' pages call it: who is let in, to what, and whose doing it then is. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requestMessage } from '../../../protocol/challenges.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { Browser } from './browser.ts';
import { type Answer, Installation } from './installation.ts';

let installation: Installation;
/** Holds the first administrator's role. */
let manager: Browser;
/** Holds none. */
let person: Browser;
const ids = new Map<Browser, string>();

before(async () => {
  installation = await new Installation().start();
  const first = await installation.admin('POST', '/admin/enrolments/first', {});
  manager = await enrolled(first.body.url);
  person = await enrolled((await installation.admin('POST', '/admin/enrolments', { name: 'Grace' })).body.url);
});
after(async () => {
  await installation.stop();
  installation.remove();
});

async function enrolled(link: string): Promise<Browser> {
  const browser = new Browser(installation);
  const { body } = await browser.enrol(link);
  ids.set(browser, body.user.id);
  return browser;
}

/** With the role alone, and no other. */
async function only(browser: Browser, role?: string): Promise<void> {
  for (const each of ['manager', 'pki', 'notary', 'policy']) {
    const change = { user: ids.get(browser), role: each, held: each === role };
    assert.equal((await installation.admin('POST', '/admin/roles', change)).status, 200);
  }
}

/** A change as the page sends it: signed by the device key. */
function change(browser: Browser, method: string, path: string, body?: object): Promise<Answer> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const nonce = crypto.getRandomValues(new Uint8Array(16));
  const time = installation.clock.now();
  const message = requestMessage(method, path, nodeCrypto.sha256(Buffer.from(text)), nonce, time);
  return installation.browse(installation.hub, {
    ...{ method, path, ...(body !== undefined && { body: text }) },
    headers: {
      cookie: `${browser.cookieName}=${browser.cookie}`,
      'latchkey-signature': browser.signAsDevice(message),
      'latchkey-nonce': Buffer.from(nonce).toString('base64url'),
      'latchkey-time': String(time),
    },
  });
}

/** Who reads it and who changes it; the first line of each area is enough, as the whole area has one guard. */
const areas: readonly [area: string, method: string, body: object, reads: string[], changes: string[]][] = [
  ['users', 'POST', { name: '' }, ['manager', 'policy'], ['manager']],
  ['devices/none', 'DELETE', {}, [], ['manager']],
  ['links', 'POST', {}, ['manager'], ['manager']],
  ['knocks/none/approve', 'POST', {}, [], ['manager']],
  ['sessions/none', 'DELETE', {}, [], ['manager']],
  ['services', 'POST', {}, ['manager', 'pki', 'notary', 'policy'], ['manager']],
  ['connectors', 'POST', {}, ['manager', 'pki'], ['pki']],
  ['peers', 'POST', {}, ['manager', 'pki'], ['pki']],
  ['federations', 'POST', {}, ['manager', 'pki'], ['pki']],
  ['svids', 'POST', {}, [], ['pki']],
  ['policies', 'PUT', {}, ['policy'], ['policy']],
  ['keys', 'POST', {}, ['pki', 'notary'], []],
  ['audit', 'POST', {}, ['notary'], []],
  ['audit/verify', 'POST', {}, [], ['notary']],
  ['receipts', 'POST', {}, ['notary'], []],
  ['roles', 'POST', { user: 'x', role: 'policy', held: true }, [], []],
];

test('QHX-8: each area is read and changed by the roles whose duty it is, and by nobody else', async () => {
  for (const role of [undefined, 'manager', 'pki', 'notary', 'policy']) {
    await only(person, role);
    for (const [area, method, body, reads, changes] of areas) {
      const path = `/api/admin/${area}`;
      const changed = await change(person, method, path, method === 'DELETE' ? undefined : body);
      const isHis = role !== undefined && changes.includes(role);
      assert.equal(changed.body.error === 'role_needed', !isHis, `${role} ${method} ${area}: ${changed.text}`);
      if (area.includes('/')) continue;
      const { status } = await person.get(path);
      assert.equal(status === 200, role !== undefined && reads.includes(role), `${role} reads ${area}: ${status}`);
    }
  }
  await only(person);
});

test('QHX-8: the first administrator holds one role, and the hub tells each person theirs', async () => {
  assert.deepEqual((await manager.get('/api/session')).body.roles, ['manager']);
  assert.deepEqual((await person.get('/api/session')).body.roles, []);
});

test('QHX-8: a manager makes no link into the place of somebody who holds a role', async () => {
  await only(person, 'policy');
  const refused = await change(manager, 'POST', '/api/admin/enrolments', { user: ids.get(person) });
  assert.deepEqual([refused.status, refused.body.error], [403, 'role_needed']);
  await only(person);
  const made = await change(manager, 'POST', '/api/admin/enrolments', { user: ids.get(person) });
  assert.equal(made.status, 200);
});

test('QHX-8: a manager who may not open everything gives nobody a group that may, and takes nobody’s place who is in one', async () => {
  const text =
    '@id("admins") permit (principal in Group::"admins", action, resource); @id("ops") permit (principal in Group::"ops", action, resource) when { context.amr.contains("passkey") }; @id("staff") permit (principal in Group::"staff", action, resource in Namespace::"office");';
  assert.equal((await installation.admin('PUT', '/admin/policies', { text })).body.state, 'inForce');
  await only(person, 'manager');
  const { user } = (await installation.admin('POST', '/admin/enrolments', { name: 'Root', group: 'ops' })).body;
  const { user: named } = (await installation.admin('POST', '/admin/enrolments', { name: 'Named' })).body;
  const byName = `${text} permit (principal == User::"${named}", action, resource);`;
  assert.equal((await installation.admin('PUT', '/admin/policies', { text: byName })).body.state, 'inForce');
  const refused: [path: string, body: object][] = [
    ['users', { name: 'Eve', group: 'admins' }],
    ['users', { name: 'Eve', group: 'ops' }],
    ['enrolments', { name: 'Eve', group: 'admins' }],
    ['enrolments', { name: 'Eve', group: 'ops' }],
    ['enrolments', { user }],
    ['enrolments', { user, recovery: true }],
    ['enrolments', { user: named }],
  ];
  for (const [path, body] of refused) {
    const answer = await change(person, 'POST', `/api/admin/${path}`, body);
    assert.deepEqual([answer.status, answer.body.error], [403, 'group_needed'], JSON.stringify(body));
  }
  const { body } = await manager.get('/api/admin/users?search=Eve');
  assert.equal(body.total, 0);
  // What opens some services is for a manager to give; what opens all is for whoever is in it.
  for (const [by, group] of [
    [person, 'staff'],
    [person, 'nothing-yet'],
    [manager, 'admins'],
  ] as const)
    assert.equal((await change(by, 'POST', '/api/admin/users', { name: 'Ivo', group })).status, 200, group);
  await only(person);
});

test('QHX-8: why somebody was taken out is for managers; whoever writes policies sees that they are', async () => {
  const { id } = (await installation.admin('POST', '/admin/users', { name: 'Taken out' })).body;
  assert.equal((await installation.admin('DELETE', `/admin/users/${id}?reason=left`)).status, 200);
  for (const [role, reason] of [
    ['manager', 'left'],
    ['policy', undefined],
  ] as const) {
    await only(person, role);
    const [shown] = (await person.get('/api/admin/users?search=Taken')).body.users;
    assert.deepEqual([shown.disabled, shown.reason], [true, reason], role);
  }
  await only(person);
});

test('QZ-23: without the cookie, or with the cookie and without the device key, nothing is read or changed', async () => {
  const { hub } = installation;
  assert.equal((await installation.browse(hub, { path: '/api/admin/users' })).body.error, 'unauthenticated');
  const headers = { cookie: `${manager.cookieName}=${manager.cookie}` };
  const unsigned = await installation.browse(hub, {
    ...{ method: 'POST', path: '/api/admin/users', body: { name: 'Eve' }, headers },
  });
  assert.equal(unsigned.body.error, 'signature_invalid');
  const foreign = await installation.browse(hub, {
    ...{ method: 'POST', path: '/api/admin/users', body: { name: 'Eve' } },
    headers: { ...headers, origin: installation.shell },
  });
  assert.equal(foreign.body.error, 'foreign_origin');
});

test('QZ-37, QPT-8: what an administrator changes by a page stands in the audit as theirs, and who was taken out with when and why', async () => {
  const added = await change(manager, 'POST', '/api/admin/users', { name: 'Ida' });
  assert.equal(added.status, 200, added.text);
  const removed = await change(manager, 'DELETE', `/api/admin/users/${added.body.id}?reason=left`);
  assert.equal(removed.status, 200, removed.text);
  const [kept] = (await manager.get('/api/admin/users?search=Ida')).body.users;
  assert.deepEqual([kept.disabled, kept.disabledAt, kept.reason], [true, installation.clock.now(), 'left']);
  const own = (await installation.events('admin')).filter(({ subject }) => subject === added.body.id);
  const { device } = (await manager.get('/api/session')).body;
  const spiffeId = `spiffe://latchkey.local/user/${ids.get(manager)}/device/${device.id}`;
  assert.deepEqual(
    own.map(({ actor, detail }) => [actor, detail.operation]),
    [
      [spiffeId, 'user.add'],
      [spiffeId, 'user.disable'],
    ],
  );
});

test('lists are searched and cut by the store', async () => {
  for (const name of ['Zed 100%', 'Zed 1000', 'zed_two', 'Zöe']) {
    installation.clock.leap(1);
    await change(manager, 'POST', '/api/admin/users', { name });
  }
  const names = async (query: string) => {
    const { body } = await manager.get(`/api/admin/users?${query}`);
    return [body.total, ...body.users.map(({ name }: { name: string }) => name)];
  };
  assert.deepEqual(await names('search=zed'), [3, 'Zed 100%', 'Zed 1000', 'zed_two']);
  assert.deepEqual(await names('search=zed&limit=1&offset=1'), [3, 'Zed 1000']);
  assert.deepEqual(await names('search=100%25'), [1, 'Zed 100%']);
  assert.deepEqual(await names('search=zed_'), [1, 'zed_two']);
  assert.deepEqual(await names("search='%20OR%201=1%20--"), [0]);
  for (const list of ['devices', 'links', 'sessions']) {
    const { body } = await manager.get(`/api/admin/${list}?search=nothing-is-called-so&limit=10`);
    assert.deepEqual([body.total, body[list]], [0, []]);
  }
  for (const query of ['limit=0', 'limit=501', 'offset=-1', 'offset=x', `search=${'x'.repeat(129)}`])
    assert.equal((await manager.get(`/api/admin/users?${query}`)).body.error, 'malformed', query);
});

test('the OpenAPI document of the hub names the admin API', async () => {
  const { body } = await manager.get('/api/openapi.json');
  for (const path of ['/api/admin/users', '/api/admin/links', '/api/admin/sessions/{name}', '/api/session'])
    assert.ok(path in body.paths, path);
});

test('QHX-8: a manager does not become the first administrator of an installation that has none left', async () => {
  await only(person, 'manager');
  assert.equal((await installation.admin('DELETE', `/admin/users/${ids.get(manager)}?reason=left`)).status, 200);
  const asked = await change(person, 'POST', '/api/admin/enrolments/first', {});
  assert.deepEqual([asked.status, asked.body.error], [403, 'role_needed']);
  // Who may open the data folder can.
  assert.match((await installation.admin('POST', '/admin/enrolments/first', {})).body.url, /enrol#/);
});
