import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Revocation, verifyRevocation } from '../../../protocol/revocation.ts';
import { planSvid } from '../../../server/control/credential.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { Browser } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken } from './far-gateway.ts';
import { Installation } from './installation.ts';

describe('a revocation epoch', () => {
  let installation: Installation;
  let gateway: FarGateway;
  let browser: Browser;
  let device: string;
  beforeEach(async () => {
    installation = await new Installation().start({ gateway: supervisorToken });
    gateway = await gatewayWithSite(installation);
    await installation.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' });
    browser = new Browser(installation);
    const { body } = await browser.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
    device = body.device.id;
    assert.equal((await browser.launch('wiki')).answer.status, 200);
  });
  afterEach(async () => {
    gateway.channel.close();
    await installation.stop();
    installation.remove();
  });

  /** Credentials beside the one of the launch. */
  const plan = async (count: number) => {
    const { context } = installation.control;
    const launch = await context.store.selectFrom('launches').selectAll().executeTakeFirstOrThrow();
    await context.audit.transact(async (transaction) => {
      for (let i = 0; i < count; i++) await planSvid(context, transaction, launch, 1);
    });
  };
  const current = async (): Promise<Revocation> => {
    const { context, desk } = installation.control;
    const { publicKey } = context.pki.signer('revocation');
    return verifyRevocation(nodeCrypto, await desk.revocations.current(), publicKey);
  };

  test('lists up to 256 credentials of a device one by one', async () => {
    await plan(255);
    await browser.postSigned('/api/logout', {});
    const { revoked } = await current();
    assert.equal(revoked.filter(({ kind }) => kind === 'session').length, 256);
    assert.equal(revoked.filter(({ kind }) => kind === 'device').length, 0);
  });

  test('QPT-9: lists a device that has more of them as a whole, so that no one fills it', async () => {
    await plan(256);
    await browser.postSigned('/api/logout', {});
    const { revoked } = await current();
    assert.equal(revoked.filter(({ kind }) => kind === 'session').length, 0);
    const listed = revoked.filter(({ kind }) => kind === 'device').map(({ id }) => Buffer.from(id).toString());
    assert.deepEqual(listed, [device]);
  });

  test('names a device that signed out, with or without a tunnel, until its person signs in again', async () => {
    const signedOut = async () =>
      (await current()).revoked.filter(({ kind }) => kind === 'signOut').map(({ id }) => Buffer.from(id).toString());
    await browser.login();
    assert.deepEqual(await signedOut(), []);
    await browser.postSigned('/api/logout', {});
    assert.deepEqual(await signedOut(), [device]);
    installation.clock.leap(1);
    await browser.login();
    assert.deepEqual(await signedOut(), []);
  });

  test('QPT-9: launches of one person are slowed down, those of another are not', async () => {
    const begin = async (one: Browser) => (await one.postSigned('/api/launch/begin', { service: 'wiki' })).status;
    const { body } = await installation.admin('POST', '/admin/enrolments', { name: 'Bob' });
    const bob = new Browser(installation);
    await bob.enrol(body.url);
    let begun = 1;
    while ((await begin(browser)) === 200) begun += 1;
    assert.equal(begun, 60);
    assert.equal(await begin(browser), 429);
    assert.equal(await begin(bob), 200);
    installation.clock.advance(1_000);
    assert.equal(await begin(browser), 200);
  });

  test('QPT-9: renewals of one person are slowed down', async () => {
    const { answer, session } = await browser.launch('wiki');
    assert.equal(answer.status, 200);
    const { context } = installation.control;
    const row = await context.store
      .selectFrom('svids')
      .innerJoin('launches', 'launches.id', 'svids.launch_id')
      .select('svids.serial')
      .where('launches.session_public_key', '=', session.publicKey)
      .executeTakeFirstOrThrow();
    let renewed = 0;
    for (;;) {
      installation.clock.leap(1);
      const { status, body } = await browser.renew(await browser.prepareRenewal(session, row.serial));
      if (status !== 200) {
        assert.equal(body.error, 'rate_limited');
        break;
      }
      renewed += 1;
    }
    assert.equal(renewed, 58);
  });
});
