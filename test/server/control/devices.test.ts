/** Several devices of one person: each with a key and a passkey of its own, none deleted. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Browser } from './browser.ts';
import { bind } from './guest.ts';
import { Installation } from './installation.ts';

describe('devices', () => {
  let installation: Installation;
  let ada: Browser;
  let user: string;
  let device: string;
  before(async () => {
    installation = await new Installation().start();
    ada = new Browser(installation);
    const entered = await ada.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
    user = entered.body.user.id;
    device = entered.body.device.id;
  });
  after(async () => {
    await installation.stop();
    installation.remove();
  });

  const error = ({ status, body }: { status: number; body: { error?: string } }) => [status, body.error];
  const shown = async (id: string, query = '') =>
    (await installation.admin('GET', `/admin/devices${query}`)).body.devices.find(
      (one: { id: string }) => one.id === id,
    );
  const another = async (more: object = {}) => {
    // Lists are in the order of time.
    installation.clock.leap(1);
    const { body } = await installation.admin('POST', '/admin/enrolments', { user, ...more });
    const browser = new Browser(installation);
    const answer = await browser.enrol(body.url);
    return { browser, answer, id: answer.body.device.id as string };
  };

  test('BR-4: a person has several devices, each with a passkey of its own, and says which is which', async () => {
    const { browser, id } = await another();
    const names = async (one: Browser) => (await one.get('/api/devices')).body.devices.map((d: { id: string }) => d.id);
    assert.deepEqual(await names(ada), [device, id]);
    assert.deepEqual(await names(browser), [device, id]);
    assert.equal((await ada.postSigned('/api/devices/name', { device: id, name: 'Phone' })).status, 200);
    assert.deepEqual([(await shown(id)).name, (await shown(id)).state], ['Phone', 'approved']);
    for (const name of ['', '\u202eenohP', 'a\r\nSet-Cookie: x', 'x'.repeat(65)])
      assert.deepEqual(error(await ada.postSigned('/api/devices/name', { device: id, name })), [400, 'user_malformed']);
  });

  test('QZ-9: a device that a person asked for themselves signs in only when an administrator has approved it', async () => {
    const { body } = await ada.postSigned('/api/devices/invite', {});
    const second = new Browser(installation);
    const joined = await second.enrol(body.url);
    assert.deepEqual([joined.status, joined.headers['set-cookie']], [200, undefined]);
    const { id } = joined.body.device;
    assert.deepEqual(error(await second.beginLogin()), [403, 'device_waits']);
    assert.equal((await shown(id)).state, 'waiting');
    assert.equal((await installation.admin('POST', `/admin/devices/${id}/approve`, {})).status, 200);
    assert.equal((await second.login()).status, 200);
    assert.deepEqual(error(await installation.admin('POST', `/admin/devices/${id}/approve`, {})), [
      404,
      'device_unknown',
    ]);
  });

  test('BR-4: who lost a device takes it out from another; who lost all gets an administrator’s link', async () => {
    const { browser: phone, id } = await another();
    assert.equal((await ada.postSigned('/api/devices/revoke', { device: id })).status, 200);
    assert.equal((await phone.get('/api/session')).status, 401);
    assert.deepEqual(error(await phone.beginLogin()), [404, 'device_unknown']);
    assert.deepEqual(error(await ada.postSigned('/api/devices/revoke', { device: id })), [404, 'device_unknown']);
    const { answer } = await another({ approval: false });
    assert.equal(answer.status, 200);
  });

  test('QPT-8: a revoked device keeps its reason, and is archived and never deleted', async () => {
    const { id } = await another();
    assert.deepEqual(error(await installation.admin('POST', `/admin/devices/${id}/archive`, {})), [
      404,
      'device_unknown',
    ]);
    await installation.admin('DELETE', `/admin/devices/${id}?reason=left%20in%20a%20taxi`);
    assert.equal((await installation.admin('POST', `/admin/devices/${id}/archive`, {})).status, 200);
    assert.equal(await shown(id), undefined);
    const kept = await shown(id, '?archived=true');
    assert.deepEqual([kept.state, kept.reason, kept.archived], ['revoked', 'left in a taxi', true]);
    const operations = (await installation.events('admin'))
      .filter(({ detail }) => detail.device === id)
      .map(({ detail }) => [detail.operation, detail.why]);
    assert.deepEqual(operations, [
      ['device.revoke', 'left in a taxi'],
      ['device.archive', undefined],
    ]);
  });

  test('QZ-9: nobody names, revokes or asks for devices of others, and a guest for none', async () => {
    const { body } = await installation.admin('POST', '/admin/enrolments', { name: 'Bob' });
    const bob = new Browser(installation);
    await bob.enrol(body.url);
    for (const [path, more] of [
      ['/api/devices/name', { name: 'mine' }],
      ['/api/devices/revoke', {}],
    ] as const)
      assert.deepEqual(error(await bob.postSigned(path, { device, ...more })), [404, 'device_unknown']);
    // With the cookie alone nothing changes.
    assert.deepEqual(error(await bob.post('/api/devices/invite', {})), [401, 'signature_invalid']);
    await installation.control.context.store
      .insertInto('services')
      .values({
        ...{
          name: 'wiki',
          title: 'wiki',
          url: 'http://10.7.0.5',
          scheme: 'http',
          address: '10.7.0.5',
          port: 80,
          path: '/',
        },
        ...{
          upstream_host: '10.7.0.5',
          wireguard_key: 'x',
          demo: 0,
          inner_tls: 0,
          created_at: 1,
          host: 'public',
          cors_from: '[]',
          namespace: 'default',
          labels: '[]',
        },
      })
      .execute();
    const link = await installation.admin('POST', '/admin/links', { services: ['wiki'], ttlS: 60, uses: 1 });
    const guest = new Browser(installation);
    assert.equal((await bind(guest, link.body.url)).status, 200);
    assert.deepEqual(error(await guest.postSigned('/api/devices/invite', {})), [401, 'unauthenticated']);
  });
});
