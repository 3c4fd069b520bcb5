import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { planSvid } from '../../../server/control/credential.ts';
import { Browser } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken } from './far-gateway.ts';
import { Installation } from './installation.ts';

describe('a credential that is planned', () => {
  let installation: Installation;
  let gateway: FarGateway;
  let browser: Browser;
  beforeEach(async () => {
    installation = await new Installation().start({ gateway: supervisorToken });
    gateway = await gatewayWithSite(installation);
    await installation.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' });
    browser = new Browser(installation);
    await browser.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
    assert.equal((await browser.launch('wiki')).answer.status, 200);
  });
  afterEach(async () => {
    gateway.channel.close();
    await installation.stop();
    installation.remove();
  });

  const plan = async () => {
    const { context } = installation.control;
    const launch = await context.store.selectFrom('launches').selectAll().executeTakeFirstOrThrow();
    return context.audit.transact((transaction) => planSvid(context, transaction, launch, 1));
  };
  const planned = async () =>
    (await installation.control.context.store.selectFrom('svids').select('serial').execute()).length;

  test('QHX-7: is written while launch and lease stand', async () => {
    await plan();
    assert.equal(await planned(), 2);
  });

  for (const table of ['launches', 'leases'] as const) {
    test(`QHX-7: is refused when the ${table} ended after they were checked`, async () => {
      await installation.control.context.store.updateTable(table).set({ revoked_at: 1 }).execute();
      await assert.rejects(plan(), { code: 'lease_ended' });
      assert.equal(await planned(), 1);
    });
  }
});
