import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { unbase64url } from '../../../protocol/bytes.ts';
import { decodeSvid } from '../../../protocol/svid.ts';
import { verifyAudit } from '../../../server/audit/verify.ts';
import { storePlace } from '../../../server/store/paths.ts';
import { onPostgres } from '../../support/postgres.ts';
import { Browser } from './browser.ts';
import { FarGateway, wireguardKey } from './far-gateway.ts';
import { Installation } from './installation.ts';

test('a restart keeps people, leases, launches, services, policies, gateways and the chain', async () => {
  const installation = await new Installation().start({ gateway: 'a-token-of-the-supervisor' });
  const gateway = new FarGateway(installation, 'a-token-of-the-supervisor');
  const { id } = await gateway.next('welcome');
  await installation.admin('POST', '/admin/peers', { publicKey: wireguardKey(), allowedIps: ['10.7.0.0/24'] });
  await installation.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' });
  const browser = new Browser(installation);
  await browser.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
  const { answer, session } = await browser.launch('wiki');
  const spent = browser.signed('/api/launch/begin', { service: 'wiki' });
  await browser.post('/api/launch/begin', { service: 'wiki' }, spent);
  const { fingerprint, policyEpoch } = (await installation.admin('GET', '/admin/status')).body;
  const before = await installation.events();

  await installation.stop();
  const report = await verifyAudit(installation.data, 0, storePlace(installation.config));
  assert.deepEqual(report.ok && [report.events, report.fingerprint], [before.length + 2, fingerprint]);

  await installation.start();
  // The gateway comes back by itself, with the credential of its welcome and without any token.
  assert.equal((await gateway.next('welcome')).id, id);
  const status = (await installation.admin('GET', '/admin/status')).body;
  assert.equal(status.fingerprint, fingerprint);
  // The same policy, so nothing new to the gateways.
  assert.equal(status.policyEpoch, policyEpoch);
  assert.equal(installation.control.services, 1);
  assert.equal((await browser.get('/api/session')).status, 200);
  const { serial } = decodeSvid(unbase64url(answer.body.svid));
  assert.equal((await browser.renew(await browser.prepareRenewal(session, serial))).status, 200);
  assert.equal((await browser.launch('wiki')).answer.status, 200);
  // What was spent before stays spent.
  const replayed = await browser.post('/api/launch/begin', { service: 'wiki' }, spent);
  assert.equal(replayed.body.error, 'request_replayed');
  const after = await installation.events();
  assert.deepEqual(after.slice(0, before.length), before);

  gateway.channel.close();
  await installation.stop();
  assert.equal((await verifyAudit(installation.data, 0, storePlace(installation.config))).ok, true);
  installation.remove();
});

test('QZ-8: an edited event is found in the log of a whole installation, by position', {
  skip: onPostgres,
}, async () => {
  const installation = await new Installation().start();
  for (const name of ['a', 'b', 'c']) await installation.admin('POST', '/admin/users', { name });
  const victim = (await installation.events('admin'))[1].seq;
  await installation.stop();
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(join(installation.data, 'control', 'control.db'));
  database.prepare("UPDATE audit SET event = json_set(event, '$.actor', 'nobody') WHERE seq = ?").run(victim);
  database.close();
  const report = await verifyAudit(installation.data, 0, storePlace(installation.config));
  assert.deepEqual(!report.ok && [report.fault, report.position], ['edited', victim]);
  installation.remove();
});

test('QPT-10: no token, cookie, nonce or pre-shared key stands in the database, the log or a file in the clear', async () => {
  const installation = await new Installation().start({ gateway: 'a-token-of-the-supervisor' });
  const browser = new Browser(installation);
  const { url } = (await installation.admin('POST', '/admin/enrolments/first', {})).body;
  await browser.enrol(url);
  const secrets = [new URL(url).hash.slice(1).split('.')[0]!, browser.cookie!, 'a-token-of-the-supervisor'];
  const gateway = new FarGateway(installation, 'a-token-of-the-supervisor');
  secrets.push((await gateway.next('welcome')).resume);
  gateway.channel.close();
  await installation.stop();
  const files = readdirSync(installation.data, { recursive: true, encoding: 'utf8' })
    .map((name) => join(installation.data, name))
    .filter((path) => statSync(path).isFile());
  assert.ok(files.length > 10);
  for (const secret of secrets) {
    for (const path of files) assert.ok(!readFileSync(path).includes(secret), path);
    for (const line of installation.logged) assert.ok(!line.includes(secret), line);
  }
  installation.remove();
});

test('QHX-8: that an unsigned retention of an older release is in force no more stands in the audit, once', async () => {
  const installation = await new Installation().start();
  const told = async () =>
    (await installation.events('admin'))
      .filter(({ detail }) => detail.operation === 'retention.unsigned')
      .map(({ detail }) => [detail.from, detail.to]);
  assert.deepEqual(await told(), []);
  await installation.control.context.store.insertInto('unsigned_retention').values({ days: 90 }).execute();
  for (let start = 0; start < 2; start++) {
    await installation.stop();
    await installation.start();
  }
  assert.deepEqual(await told(), [['90d', 'forever']]);
  assert.equal((await installation.admin('GET', '/admin/retention')).body.days, null);
  await installation.stop();
  installation.remove();
});

test('everything the control plane keeps is for its owner alone', async () => {
  const installation = await new Installation().start();
  await installation.admin('POST', '/admin/users', { name: 'a' });
  const folder = join(installation.data, 'control');
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
  }
  await installation.stop();
  installation.remove();
});
