import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { dataPaths } from '../../../server/config.ts';
import { Browser } from './browser.ts';
import { Installation } from './installation.ts';

describe('admin API', () => {
  let installation: Installation;
  beforeEach(async () => {
    installation = await new Installation().start();
  });
  afterEach(async () => {
    await installation.stop();
    installation.remove();
  });

  test('is there for the owner of the data folder and not on any port', async () => {
    assert.equal(statSync(dataPaths.adminSocket(installation.config)).mode & 0o777, 0o600);
    for (const origin of [installation.hub, installation.shell]) {
      assert.equal((await installation.browse(origin, { path: '/admin/status' })).status, 404);
    }
  });

  const policies: [object, number, string][] = [
    [{ text: 'permit (principal' }, 400, 'policy_syntax'],
    [{ text: 'permit (principal, action, resource) when { context.nothing };' }, 400, 'policy_invalid'],
    [{ text: 'permit (principal == ?principal, action, resource);' }, 400, 'policy_template'],
    [{ map: { 'default-deny': 'permit (principal, action, resource);' } }, 400, 'policy_id'],
    [{ map: { a: 1 } }, 400, 'malformed'],
    [{}, 400, 'malformed'],
  ];
  for (const [body, status, code] of policies) {
    test(`the policies ${JSON.stringify(body)} are refused: ${code}; the old ones stay`, async () => {
      const answer = await installation.admin('PUT', '/admin/policies', body);
      assert.deepEqual([answer.status, answer.body.error], [status, code]);
      const { body: kept } = await installation.admin('GET', '/admin/policies');
      assert.deepEqual(Object.keys(kept.policies), ['admins']);
    });
  }

  test('new policies take the place of the old, as one audited change', async () => {
    const text =
      '@id("first") permit (principal in Group::"admins", action, resource); forbid (principal, action == Action::"launch", resource);';
    const { body } = await installation.admin('PUT', '/admin/policies', { text });
    assert.deepEqual(body.policies, ['first', 'policy1']);
    const [change] = await installation.events('policy.change');
    assert.equal(change.detail.policies, 'first policy1');
    assert.match(change.detail.digest, /^[0-9a-f]{64}$/);
  });

  const people: [object, number, string][] = [
    [{}, 400, 'user_malformed'],
    [{ name: '' }, 400, 'user_malformed'],
    [{ name: ' padded ' }, 400, 'user_malformed'],
    [{ name: 'two\nlines' }, 400, 'user_malformed'],
    [{ name: 'turned \u202e round' }, 400, 'user_malformed'],
    [{ name: 'x'.repeat(65) }, 400, 'user_malformed'],
    [{ name: 'Bob', group: 'No Group' }, 400, 'user_malformed'],
    [{ user: 'nobody' }, 404, 'user_unknown'],
    [{ name: 'Bob', admin: true }, 400, 'malformed'],
  ];
  for (const [body, status, code] of people) {
    test(`QPT-9: a link for ${JSON.stringify(body).slice(0, 60)} is refused: ${code}`, async () => {
      const answer = await installation.admin('POST', '/admin/enrolments', body);
      assert.deepEqual([answer.status, answer.body.error], [status, code]);
    });
  }

  test('people are listed with groups and devices; a name may be anything printable', async () => {
    const name = "Zoë O'Hara; DROP TABLE users 🗝";
    const link = await installation.admin('POST', '/admin/enrolments', { name, group: 'readers' });
    assert.equal(link.status, 200);
    await new Browser(installation).enrol(link.body.url);
    const { body } = await installation.admin('GET', '/admin/users');
    const [user] = body.users;
    assert.deepEqual([user.name, user.groups, user.enrolled, user.devices.length], [name, ['readers'], true, 1]);
  });

  test('status counts what is there', async () => {
    const { body } = await installation.admin('GET', '/admin/status');
    assert.equal(body.hub, 'http://hub.localhost:8700/');
    assert.deepEqual([body.services, body.gateway], [0, false]);
    assert.equal(body.events, (await installation.events()).length);
  });

  test('the audit log is read page by page, and by type', async () => {
    for (const name of ['a', 'b', 'c']) await installation.admin('POST', '/admin/users', { name });
    const first = (await installation.admin('GET', '/admin/audit?limit=2')).body;
    assert.deepEqual(
      first.events.map(({ seq }: { seq: number }) => seq),
      [1, 2],
    );
    const second = (await installation.admin('GET', `/admin/audit?limit=2&after=${first.next}`)).body;
    assert.deepEqual(
      second.events.map(({ seq }: { seq: number }) => seq),
      [3, 4],
    );
    assert.equal((await installation.events('admin')).length, 3);
    for (const query of ['limit=0', 'limit=x', 'after=-1', 'type=nothing']) {
      assert.equal((await installation.admin('GET', `/admin/audit?${query}`)).body.error, 'malformed');
    }
  });

  test('an address that is not there, and a body that is none, are refused', async () => {
    assert.equal((await installation.admin('GET', '/admin/nothing')).body.error, 'not_found');
    assert.equal((await installation.admin('GET', '/')).body.error, 'not_found');
    assert.equal((await installation.admin('PUT', '/admin/services', {})).body.error, 'method_not_allowed');
  });
});
