/** Who lost a device comes back by another one, or by an administrator's one-time link; and what of before is out then. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { unbase64url } from '../../../protocol/bytes.ts';
import { verifyRevocation } from '../../../protocol/revocation.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { Browser } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken } from './far-gateway.ts';
import { Installation } from './installation.ts';

describe('recovery', () => {
  let installation: Installation;
  let gateway: FarGateway;
  let admin: Browser;
  before(async () => {
    installation = await new Installation().start({ gateway: supervisorToken });
    gateway = await gatewayWithSite(installation);
    await installation.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' });
    await installation.admin('PUT', '/admin/policies', {
      text: 'permit (principal in Group::"staff", action, resource);',
    });
    admin = new Browser(installation);
    await admin.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
  });
  after(async () => {
    gateway.channel.close();
    await installation.stop();
    installation.remove();
  });

  const error = ({ status, body }: { status: number; body: { error?: string } }) => [status, body.error];
  async function person(name: string) {
    const { body } = await installation.admin('POST', '/admin/enrolments', { name, group: 'staff' });
    const browser = new Browser(installation);
    await browser.enrol(body.url);
    return { browser, user: body.user as string };
  }
  async function anotherDevice(user: string) {
    const browser = new Browser(installation);
    const { body } = await installation.admin('POST', '/admin/enrolments', { user });
    return { browser, id: (await browser.enrol(body.url)).body.device.id as string };
  }
  const recoveryLink = (user: string) => installation.admin('POST', '/admin/enrolments', { user, recovery: true });
  const recovers = async (user: string) =>
    (await installation.events('admin')).filter(
      ({ detail, subject }) => detail.operation === 'user.recover' && subject === user,
    );

  test('BR-4: who lost one device takes it out by the passkey of another, and by nothing less', async () => {
    const { browser: phone, user } = await person('Ada');
    const { browser: laptop, id } = await anotherDevice(user);
    assert.deepEqual(error(await phone.post('/api/devices/revoke', { device: id })), [401, 'signature_invalid']);
    assert.equal((await phone.postSigned('/api/devices/revoke', { device: id })).status, 200);
    assert.deepEqual(error(await laptop.get('/api/session')), [401, 'unauthenticated']);
    assert.deepEqual(error(await laptop.beginLogin()), [404, 'device_unknown']);
    assert.equal((await phone.get('/api/session')).status, 200);
  });

  test('QZ-7: a recovery link lets one new browser in, and everything of before is out at once', async () => {
    const { browser: phone, user } = await person('Bob');
    const { browser: laptop } = await anotherDevice(user);
    const { answer } = await phone.launch('wiki');
    assert.equal(answer.status, 200);
    const unused = (await installation.admin('POST', '/admin/enrolments', { user })).body.url;
    const { store } = installation.control.context;
    await store
      .insertInto('identities')
      .values({ issuer: 'https://a.example', subject: 'bob', user_id: user, created_at: 1 })
      .execute();

    const { body } = await recoveryLink(user);
    assert.match(body.url, /\/regain#/);
    // Making the link takes nothing away; using it does.
    assert.equal((await phone.get('/api/session')).status, 200);
    gateway.heard.length = 0;
    const tablet = new Browser(installation);
    const entered = await tablet.enrol(body.url);
    assert.deepEqual([entered.status, entered.body.user.id], [200, user]);
    const told = await gateway.next('revocation');
    const { publicKey } = installation.control.context.pki.signer('revocation');
    const { revoked } = await verifyRevocation(nodeCrypto, unbase64url(String(told['object'])), publicKey);
    assert.equal(revoked.filter(({ kind }) => kind === 'device').length >= 2, true);
    for (const lost of [phone, laptop]) {
      assert.deepEqual(error(await lost.get('/api/session')), [401, 'unauthenticated']);
      assert.deepEqual(error(await lost.beginLogin()), [403, 'device_replaced']);
    }
    assert.deepEqual(
      error(await laptop.post('/api/enrol/begin', { token: new URL(unused).hash.slice(1).split('.')[0] })),
      [404, 'enrolment_unknown'],
    );
    assert.equal((await store.selectFrom('identities').selectAll().where('user_id', '=', user).execute()).length, 0);
    const keys = await store.selectFrom('credentials').select('revoked_at').where('user_id', '=', user).execute();
    assert.deepEqual(keys.filter(({ revoked_at }) => revoked_at === null).length, 1);

    const [event, ...more] = await recovers(user);
    assert.deepEqual([more.length, event.detail.devices, event.detail.sessions, event.detail.accounts], [0, 2, 2, 1]);
    const session = (await tablet.get('/api/session')).body;
    assert.deepEqual(session.recovered, { at: installation.clock.now(), devices: 2 });
    assert.equal((await tablet.launch('wiki')).answer.status, 200);
    installation.clock.leap(8 * 86_400_000);
    await tablet.login();
    assert.equal((await tablet.get('/api/session')).body.recovered, undefined);
  });

  test('BR-4: a recovery link is good once, for an hour, and a new one takes the place of the one before', async () => {
    const { browser, user } = await person('Cleo');
    const [first, second] = [await recoveryLink(user), await recoveryLink(user)];
    const refused = (link: { body: { url: string } }) =>
      new Browser(installation).enrol(link.body.url).then(
        () => 'taken',
        (thrown: { answer: { body: { error: string } } }) => thrown.answer.body.error,
      );
    assert.equal(await refused(first), 'enrolment_unknown');
    assert.equal(second.body.expires, installation.clock.now() + 3_600_000);
    installation.clock.leap(3_600_000);
    assert.equal(await refused(second), 'enrolment_expired');
    assert.equal((await browser.get('/api/session')).status, 200);
    const third = await recoveryLink(user);
    const racing = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const one = new Browser(installation);
        return one.post('/api/enrol/finish', await one.prepareEnrolment(third.body.url));
      }),
    );
    assert.deepEqual(racing.map(({ status }) => status).sort(), [200, 410, 410, 410, 410, 410]);
    assert.equal((await recovers(user)).length, 1);
    assert.equal(await refused(third), 'enrolment_used');
  });

  test('QZ-9: nobody makes a recovery link for themselves, and it cannot make a person or take over a role', async () => {
    const { browser, user } = await person('Dora');
    assert.deepEqual(error(await browser.postSigned('/api/devices/invite', { recovery: true })), [400, 'malformed']);
    assert.deepEqual(error(await browser.postSigned('/api/admin/enrolments', { user, recovery: true })), [
      403,
      'role_needed',
    ]);
    for (const body of [{ name: 'Eve', recovery: true }, { recovery: true }])
      assert.deepEqual(error(await installation.admin('POST', '/admin/enrolments', body)), [400, 'user_malformed']);
    await admin.login();
    const { body } = await admin.get('/api/session');
    await installation.admin('POST', '/admin/roles', { user, role: 'manager', held: true });
    const overAdmin = { user: body.user.id, recovery: true };
    assert.deepEqual(error(await browser.postSigned('/api/admin/enrolments', overAdmin)), [403, 'role_needed']);
  });
});
