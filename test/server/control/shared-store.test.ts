/** Two control planes on one PostgreSQL: each with its own gateway, anchors and sockets, and one store. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { unbase64url } from '../../../protocol/bytes.ts';
import { type Revocation, verifyRevocation } from '../../../protocol/revocation.ts';
import { verifySnapshot } from '../../../protocol/snapshot.ts';
import { verifyAudit } from '../../../server/audit/verify.ts';
import { newEvent } from '../../../server/control/identifiers.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { newDatabase, noPostgres, query } from '../../support/postgres.ts';
import { Browser } from './browser.ts';
import { FarGateway, wireguardKey } from './far-gateway.ts';
import { KioskGuest } from './guest.ts';
import { Installation } from './installation.ts';

const tokens = ['a-token-of-one-supervisor', 'a-token-of-another'] as const;

describe('two control planes on one PostgreSQL', { skip: noPostgres }, () => {
  let first: Installation;
  let second: Installation;
  let gateways: [FarGateway, FarGateway];

  before(async () => {
    const store = await newDatabase();
    first = await new Installation((config) => ({ ...config, store })).start({ gateway: tokens[0] });
    second = await first.beside().start({ gateway: tokens[1] });
    gateways = [new FarGateway(first, tokens[0]), new FarGateway(second, tokens[1])];
    for (const gateway of gateways) await gateway.next('snapshot');
    const peer = { publicKey: wireguardKey(), allowedIps: ['10.7.0.0/24'], name: 'site' };
    await first.admin('POST', '/admin/peers', peer);
    await first.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' });
  });
  after(async () => {
    for (const gateway of gateways) gateway.channel.close();
    for (const installation of [first, second]) {
      await installation.stop();
      installation.remove();
    }
  });

  const opened = (installation: Installation, object: string): Promise<Revocation> => {
    const { publicKey } = installation.control.context.pki.signer('revocation');
    return verifyRevocation(nodeCrypto, unbase64url(object), publicKey);
  };
  /** The next epoch that a gateway is told and that lists this. */
  const toldOf = async (
    installation: Installation,
    gateway: FarGateway,
    kind: string,
    id: string,
  ): Promise<Revocation> => {
    for (;;) {
      const told = await opened(installation, (await gateway.next('revocation')).object);
      if (told.revoked.some((one) => one.kind === kind && Buffer.from(one.id).toString() === id)) return told;
    }
  };
  const contentWith = async (gateway: FarGateway, words: string) => {
    const { publicKey } = first.control.context.pki.signer('policy');
    for (;;) {
      const snapshot = await verifySnapshot(
        nodeCrypto,
        first.clock,
        unbase64url((await gateway.next('snapshot')).object),
        publicKey,
      );
      if (snapshot.content.includes(words)) return snapshot;
    }
  };

  test('QZ-19: who enrolled at one signs in at the other and opens what was published at the first', async () => {
    const { body } = await first.admin('POST', '/admin/enrolments/first', {});
    const browser = new Browser(first);
    await browser.enrol(body.url);
    browser.installation = second;
    assert.equal((await browser.login()).status, 200);
    assert.equal((await browser.launch('wiki')).answer.status, 200);
    // A lease is good wherever it is shown, and a signed request once.
    const spent = browser.signed('/api/launch/begin', { service: 'wiki' });
    assert.equal((await browser.post('/api/launch/begin', { service: 'wiki' }, spent)).status, 200);
    browser.installation = first;
    assert.equal((await browser.get('/api/session')).status, 200);
    const replayed = await browser.post('/api/launch/begin', { service: 'wiki' }, spent);
    assert.equal(replayed.body.error, 'request_replayed');
  });

  test('QZ-19: a service published at one reaches the gateway of the other, under one epoch at both', async () => {
    await first.admin('POST', '/admin/services', { name: 'ledger', url: 'http://10.7.0.6/' });
    const [here, there] = await Promise.all(gateways.map((gateway) => contentWith(gateway, '"ledger"')));
    assert.equal(here?.epoch, there?.epoch);
    assert.equal(here?.content, there?.content);
  });

  test('QPT-9: a revocation at either is told to the gateway of the other at once', async () => {
    const pairs = [
      { by: first, told: second, gateway: gateways[1] },
      { by: second, told: first, gateway: gateways[0] },
    ];
    for (const { by, told, gateway } of pairs) {
      const browser = new Browser(by);
      const { body } = await by.admin('POST', '/admin/enrolments', { name: 'Person' });
      const device = (await browser.enrol(body.url)).body.device.id;
      assert.equal((await by.admin('DELETE', `/admin/devices/${device}`)).status, 200);
      await toldOf(told, gateway, 'device', device);
      browser.installation = told;
      assert.equal((await browser.beginLogin()).body.error, 'device_unknown');
    }
  });

  test('QPT-9: what was revoked while a control plane did not hear of it is told once it hears again', async () => {
    const browser = new Browser(first);
    const { body } = await first.admin('POST', '/admin/enrolments', { name: 'Person' });
    const device = (await browser.enrol(body.url)).body.device.id;
    const deaf = "application_name <> '' AND query LIKE 'LISTEN%' AND datname = current_database()";
    // Both stop to listen; neither clock moves, so neither begins again.
    const [before, beforeThere] = [first.logged.length, second.logged.length];
    await query(first.config.store, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${deaf}`);
    await Promise.all([first.logs(/was not followed/, before), second.logs(/was not followed/, beforeThere)]);
    await first.admin('DELETE', `/admin/devices/${device}`);
    const heardOf = async () => {
      const told = await Promise.all(
        gateways[1].heard.flatMap((message) => (message.t === 'revocation' ? [opened(second, message.object)] : [])),
      );
      return told.some(({ revoked }) => revoked.some(({ id }) => Buffer.from(id).toString() === device));
    };
    assert.equal(await heardOf(), false);
    second.clock.advance(1_000);
    await toldOf(second, gateways[1], 'device', device);
    first.clock.advance(1_000);
  });

  test('BR-3: of 64 guests with one single-use link at both at once exactly one comes in', async () => {
    const terms = { services: ['wiki'], ttlS: 3_600, uses: 1, kiosk: true };
    const { url } = (await first.admin('POST', '/admin/links', terms)).body;
    const guests = Array.from({ length: 64 }, (_, n) => new KioskGuest(n % 2 === 0 ? first : second, url));
    const answers = await Promise.all(guests.map((guest) => guest.enter()));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const { status, body } of answers)
      assert.ok(status === 200 || ['link_used', 'rate_limited'].includes(body.error));
  });

  test('QZ-8: both write one chain, which verifies from the folder of either', async () => {
    const writing = [first, second].flatMap(({ control: { context } }) =>
      Array.from({ length: 60 }, (_, n) =>
        context.audit.append([newEvent(context, { type: 'admin', actor: 'system', detail: { n } })]),
      ),
    );
    await Promise.all(writing);
    const { store } = first.config;
    const reports = await Promise.all([first, second].map(({ data }) => verifyAudit(data, 0, { url: store })));
    const [one, two] = reports.map((report) => report.ok && report.events);
    assert.ok(one !== false && one !== undefined && one > 120 && one === two, JSON.stringify(reports));
  });

  test('QZ-8: an event that was edited in the database is found by position', async () => {
    const { store } = first.config;
    const change = (from: string, to: string) =>
      query(store, 'UPDATE audit SET event = replace(event, $1, $2) WHERE seq = 3', [from, to]);
    await change('"time":1', '"time":2');
    const report = await verifyAudit(second.data, 0, { url: store });
    assert.deepEqual(!report.ok && [report.fault, report.position], ['edited', 3]);
    await change('"time":2', '"time":1');
  });

  test('QPT-9: while the store is away nothing is called fresh, and afterwards it goes on', async () => {
    const { store } = first.config;
    const name = new URL(store).pathname.slice(1);
    const admin = process.env['LATCHKEY_TEST_POSTGRES']!;
    await query(admin, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await query(admin, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    gateways[1].heard.length = 0;
    const failed = second.logged.length;
    second.clock.advance(20_000);
    await second.logs(/no snapshot/, failed);
    assert.equal(
      gateways[1].heard.some(({ t }) => t === 'snapshot'),
      false,
    );
    await query(admin, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    second.clock.advance(20_000);
    await gateways[1].next('snapshot');
  });
});
