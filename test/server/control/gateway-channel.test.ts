import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { unbase64url } from '../../../protocol/bytes.ts';
import type { Clock } from '../../../protocol/clock.ts';
import { verifyRole } from '../../../protocol/pins.ts';
import { verifyRevocation } from '../../../protocol/revocation.ts';
import { verifySnapshot } from '../../../protocol/snapshot.ts';
import { ChannelClient } from '../../../server/channel/client.ts';
import { connectorTokenLifeMs, parseConnectorToken } from '../../../server/channel/connector-token.ts';
import { type ToConnector, toConnectorSchema } from '../../../server/channel/messages.ts';
import { parseSnapshotContent } from '../../../server/channel/snapshot-content.ts';
import { systemClock } from '../../../server/channel/system-clock.ts';
import { dataPaths } from '../../../server/config.ts';
import { Housekeeping } from '../../../server/control/housekeeping.ts';
import type { SigningRole } from '../../../server/control/pki.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { Browser } from './browser.ts';
import { FarGateway, wireguardKey } from './far-gateway.ts';
import { Installation } from './installation.ts';

const token = 'a-token-of-the-supervisor';
const connectorToken = 'another-token-of-the-supervisor';

class FarConnector {
  readonly heard: ToConnector[] = [];
  readonly channel: ChannelClient<ToConnector>;
  #wake = () => {};
  constructor(installation: Installation, name: string, secret: string, key: string) {
    this.channel = new ChannelClient<ToConnector>({
      dial: () => connect(dataPaths.controlSocket(installation.config)),
      token: secret,
      clock: systemClock,
      incoming: toConnectorSchema,
      hello: () => ({
        role: 'connector',
        name,
        wireguardKey: key,
        endpoint: '127.0.0.1:40000',
        exposes: [{ name, port: 80 }],
      }),
      onMessage: (message) => {
        this.heard.push(message);
        this.#wake();
      },
      jitter: () => 0,
    });
    this.channel.start();
  }
  async next(): Promise<ToConnector> {
    while (this.heard.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.heard.shift()!;
  }
}

describe('control channel of the control plane', () => {
  let installation: Installation;
  let gateway: FarGateway;
  const channels: { close(): void }[] = [];
  beforeEach(async () => {
    installation = await new Installation().start({ gateway: token, connector: connectorToken });
    gateway = new FarGateway(installation, token);
    channels.push(gateway.channel);
  });
  afterEach(async () => {
    for (const channel of channels.splice(0)) channel.close();
    await installation.stop();
    installation.remove();
  });

  const signerOf = async (role: SigningRole, clock: Clock = installation.clock) => {
    const { root, certificates } = installation.control.context.pki;
    for (const certificate of certificates) {
      const key = await verifyRole(nodeCrypto, clock, root, certificate, role).catch(() => undefined);
      if (key !== undefined) return key;
    }
    throw new Error(`nobody certified ${role}`);
  };
  const contentOf = async (object: string) => {
    const snapshot = await verifySnapshot(
      nodeCrypto,
      installation.clock,
      unbase64url(object),
      await signerOf('policy'),
    );
    return { ...snapshot, content: parseSnapshotContent(snapshot.content) };
  };
  const connector = (name: string, key: string, secret = connectorToken) => {
    const made = new FarConnector(installation, name, secret, key);
    channels.push(made.channel);
    return made;
  };
  const event = () => ({
    id: randomUUID(),
    time: 1,
    type: 'stream.open' as const,
    actor: 'system',
    decision: 'deny' as const,
  });

  test('QZ-21: a gateway gets a descriptor, certificates, revocations and a snapshot that verify from the root', async () => {
    const welcome = await gateway.next('welcome');
    assert.deepEqual(unbase64url(welcome.root), installation.control.context.pki.root);
    const revocation = await gateway.next('revocation');
    const verified = await verifyRevocation(nodeCrypto, unbase64url(revocation.object), await signerOf('revocation'));
    assert.deepEqual(verified.revoked, []);
    const { content, epoch, notAfter, issuedAt } = await contentOf((await gateway.next('snapshot')).object);
    assert.deepEqual(Object.keys(content.policies), ['admins']);
    assert.deepEqual(content.services, []);
    assert.ok(epoch >= 1n);
    assert.equal(notAfter - issuedAt, 600_000);
  });

  test('QHX-7: a token joins once; another gateway with the same token is refused', async () => {
    await gateway.next('snapshot');
    const second = new FarGateway(installation, token);
    channels.push(second.channel);
    assert.equal(await second.untilRefused(), 'token_unknown');
  });

  test('QHX-7: of 64 gateways that come with one token at once exactly one joins', async () => {
    await gateway.next('snapshot');
    installation.control.addTokens({ gateway: 'a-second-token-to-fight-for' });
    const many = Array.from({ length: 64 }, () => new FarGateway(installation, 'a-second-token-to-fight-for'));
    for (const one of many) channels.push(one.channel);
    const outcomes = await Promise.all(
      many.map((one) => Promise.race([one.next('snapshot').then(() => 'joined'), one.untilRefused()])),
    );
    assert.equal(outcomes.filter((outcome) => outcome === 'joined').length, 1);
    assert.equal(outcomes.filter((outcome) => outcome === 'token_unknown').length, 63);
  });

  test('a gateway that was started again comes with a new token and keeps its identity', async () => {
    const first = await gateway.next('welcome');
    gateway.channel.close();
    installation.control.addTokens({ gateway: 'a-token-for-the-second-start' });
    const again = new FarGateway(installation, 'a-token-for-the-second-start');
    channels.push(again.channel);
    Object.defineProperty(again, 'signer', { value: gateway.signer });
    assert.equal((await again.next('welcome')).id, first.id);
  });

  test('every change of policy is pushed at once, with a higher epoch', async () => {
    let last = (await contentOf((await gateway.next('snapshot')).object)).epoch;
    const changes: [string, string, object][] = [
      ['POST', '/admin/peers', { publicKey: wireguardKey(), allowedIps: ['10.7.0.0/24'], name: 'site' }],
      ['POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' }],
      ['PUT', '/admin/policies', { map: { all: 'permit (principal in Group::"admins", action, resource);' } }],
      ['POST', '/admin/users', { name: 'Bob', group: 'readers' }],
    ];
    for (const [method, path, body] of changes) {
      assert.equal((await installation.admin(method, path, body)).status, 200);
      const { epoch, content } = await contentOf((await gateway.next('snapshot')).object);
      assert.ok(epoch > last);
      last = epoch;
      if (path === '/admin/services') assert.equal(content.services[0]?.name, 'wiki');
      if (path === '/admin/users') assert.ok(content.entities.some(({ attrs }) => attrs['name'] === 'Bob'));
    }
  });

  test('without any change a fresh snapshot comes every third of the freshness bound', async () => {
    const first = await contentOf((await gateway.next('snapshot')).object);
    for (let beat = 1; beat <= 3; beat++) {
      installation.clock.advance(20_000);
      const { epoch, issuedAt } = await contentOf((await gateway.next('snapshot')).object);
      assert.equal(epoch, first.epoch);
      assert.equal(issuedAt, first.issuedAt + beat * 20_000);
    }
  });

  test('QZ-39: events are chained in order of arrival and acknowledged; what comes twice is chained once', async () => {
    await gateway.next('snapshot');
    const [one, two, three] = [event(), event(), event()];
    gateway.channel.send({ t: 'events', events: [one, two] });
    assert.deepEqual((await gateway.next('ack')).ids, [one.id, two.id]);
    gateway.channel.send({ t: 'events', events: [two, three, one] });
    assert.deepEqual((await gateway.next('ack')).ids, [two.id, three.id, one.id]);
    const ids = (await installation.events('stream.open')).map(({ id }) => id);
    assert.deepEqual(ids, [one.id, two.id, three.id]);
  });

  test('a gateway cannot write what only the control plane may say', async () => {
    await gateway.next('snapshot');
    const forged = { ...event(), type: 'login' as const, decision: 'allow' as const };
    gateway.channel.send({ t: 'events', events: [forged] });
    assert.deepEqual((await gateway.next('ack')).ids, [forged.id]);
    assert.deepEqual(await installation.events('login'), []);
  });

  test('new endpoints of a gateway are in the next launch, and in what the shell may connect to', async () => {
    await gateway.next('snapshot');
    const endpoints = [{ url: 'https://127.0.0.1:9999/tunnel', transport: 'webtransport' as const, certHashes: [] }];
    gateway.channel.send({ t: 'endpoints', endpoints });
    gateway.channel.send({ t: 'ping', n: 1 });
    await gateway.next('pong');
    assert.deepEqual(installation.control.desk.gateways.offer('')?.endpoints, endpoints);
    const page = await installation.browse(installation.shell, { path: '/nothing.js' });
    assert.match(String(page.headers['content-security-policy']), /connect-src 'self' https:\/\/127\.0\.0\.1:9999;/);
  });

  test('a descriptor is issued anew every day', async () => {
    const { descriptor } = await gateway.next('welcome');
    installation.clock.leap(24 * 3_600_000);
    installation.clock.advance(15_000);
    assert.notEqual((await gateway.next('descriptor')).object, descriptor);
  });

  test('QZ-21: when role keys get successors the gateway comes again and is told of both', async () => {
    const before = await gateway.next('welcome');
    await gateway.next('snapshot');
    installation.clock.leap(61 * 24 * 3_600_000);
    await new Housekeeping(installation.control.context, installation.control.desk).sweep();
    const after = await gateway.next('welcome');
    assert.equal(after.certificates.length, 2 * before.certificates.length);
    const { object } = await gateway.next('snapshot');
    const { publicKey } = installation.control.context.pki.signer('policy');
    await verifySnapshot(nodeCrypto, installation.clock, unbase64url(object), publicKey);
  });

  test('signing out and taking a device away reach the gateway as signed revocations', async () => {
    await gateway.next('revocation');
    await installation.admin('POST', '/admin/peers', { publicKey: wireguardKey(), allowedIps: ['10.7.0.0/24'] });
    await installation.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' });
    const browser = new Browser(installation);
    const { body } = await browser.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
    assert.equal((await browser.launch('wiki')).answer.status, 200);
    const next = async () => {
      const { object } = await gateway.next('revocation');
      return verifyRevocation(nodeCrypto, unbase64url(object), await signerOf('revocation'));
    };
    await browser.postSigned('/api/logout', {});
    const signedOut = await next();
    assert.deepEqual(
      signedOut.revoked.map(({ kind }) => kind),
      ['session', 'signOut'],
    );
    assert.equal(Buffer.from(signedOut.revoked[1]?.id ?? []).toString(), body.device.id);
    installation.clock.leap(1);
    await browser.login();
    await installation.admin('DELETE', `/admin/devices/${body.device.id}`);
    const taken = await next();
    assert.ok(taken.epoch > signedOut.epoch);
    const device = taken.revoked.find(({ kind }) => kind === 'device');
    assert.equal(Buffer.from(device?.id ?? []).toString(), body.device.id);
  });

  test('the demo connector gets an address, a pre-shared key, and a service only while there is no other', async () => {
    const { epoch } = await contentOf((await gateway.next('snapshot')).object);
    const key = wireguardKey();
    const demo = connector('demo', key);
    const welcome = await demo.next();
    assert.ok(welcome.t === 'welcome');
    assert.equal(welcome.address, '100.100.0.2');
    assert.deepEqual(welcome.gateway, {
      publicKey: gateway.wireguardKey,
      endpoint: '127.0.0.1:51820',
      allowedIps: ['100.100.0.1/32', 'fd6c:6b::1/128'],
    });
    assert.deepEqual((await gateway.next('psks')).psks, { [key]: welcome.presharedKey });
    const told = await contentOf((await gateway.next('snapshot')).object);
    assert.ok(told.epoch > epoch);
    const { services, peers } = told.content;
    assert.deepEqual(peers, [
      { publicKey: key, allowedIps: ['100.100.0.2/32'], endpoint: '127.0.0.1:40000', name: 'demo', pskExchange: true },
    ]);
    assert.equal(services[0]?.wireguardKey, key);
    assert.deepEqual([services[0]?.name, services[0]?.address, services[0]?.demo], ['demo', '100.100.0.2', true]);
    assert.equal(services[0]?.innerTls, true, 'WireGuard alone is not enough');
    await installation.admin('POST', '/admin/services', { name: 'own', url: 'http://demo.wg:8080' });
    assert.deepEqual(
      installation.control.desk.policy.content.services.map(({ name }) => name),
      ['own'],
    );
    await installation.admin('DELETE', '/admin/services/own');
    assert.deepEqual(
      installation.control.desk.policy.content.services.map(({ name }) => name),
      ['demo'],
    );
  });

  test('QHX-11: whichever end starts again, both are told a new first key; a channel that comes again changes none', async () => {
    const key = wireguardKey();
    const demo = connector('demo', key);
    const welcome = await demo.next();
    assert.ok(welcome.t === 'welcome' && welcome.presharedKey !== undefined);
    const first = (await gateway.next('psks')).psks[key];
    assert.equal(first, welcome.presharedKey);
    await gateway.next('snapshot');
    gateway.channel.close();
    while (installation.control.desk.gateways.offer('') !== undefined) await new Promise(setImmediate);
    installation.control.addTokens({ gateway: 'a-token-for-the-second-start' });
    const second = new FarGateway(installation, 'a-token-for-the-second-start');
    channels.push(second.channel);
    const given = (await second.next('welcome')).psks[key];
    assert.notEqual(given, first);
    for (let said = await demo.next(); ; said = await demo.next()) {
      if (said.t !== 'gateway' || said.presharedKey === first) continue;
      assert.equal(said.presharedKey, given);
      break;
    }
    installation.control.desk.gateways.reconnectAll();
    assert.equal((await second.next('welcome')).psks[key], given);
  });

  test('a connector waits for a gateway without losing its token', async () => {
    await gateway.next('snapshot');
    gateway.channel.close();
    while (installation.control.desk.gateways.offer('') !== undefined) await new Promise(setImmediate);
    const site = connector('site', wireguardKey());
    assert.deepEqual(await site.next(), { t: 'refused', code: 'no_gateway' });
    installation.control.addTokens({ gateway: 'a-token-for-the-second-start' });
    const second = new FarGateway(installation, 'a-token-for-the-second-start');
    channels.push(second.channel);
    await second.next('snapshot');
    for (let said = await site.next(); said.t !== 'welcome'; said = await site.next()) assert.equal(said.t, 'refused');
  });

  test('QPT-1: a WireGuard key of one peer is not another peer too, and a name stays with its key', async () => {
    await gateway.next('snapshot');
    const shared = connector('site', gateway.wireguardKey);
    assert.deepEqual(await shared.next(), { t: 'refused', code: 'key_in_use' });
    const honest = connector('site', wireguardKey());
    assert.equal((await honest.next()).t, 'welcome');
    installation.control.addTokens({ connector: 'a-token-for-another-connector' });
    const usurper = connector('site', wireguardKey(), 'a-token-for-another-connector');
    assert.deepEqual(await usurper.next(), { t: 'refused', code: 'name_in_use' });
  });

  for (const [what, name] of [
    ['was used', 'annex'],
    ['is a day old', 'annex'],
    ['is for another name', 'site'],
  ] as const)
    test(`QHX-7: a connector's token that ${what} lets nobody in`, async () => {
      await gateway.next('snapshot');
      const { body } = await installation.admin('POST', '/admin/connectors', { name: 'annex' });
      const { secret = '' } = parseConnectorToken(body.token) ?? {};
      const key = wireguardKey();
      if (what === 'was used') assert.equal((await connector('annex', key, secret).next()).t, 'welcome');
      if (what === 'is a day old') installation.clock.leap(connectorTokenLifeMs);
      assert.deepEqual(await connector(name, key, secret).next(), { t: 'refused', code: 'token_unknown' });
    });

  test('a connector hears of a gateway that came again', async () => {
    await gateway.next('snapshot');
    const site = connector('site', wireguardKey());
    await site.next();
    installation.control.addTokens({ gateway: 'a-token-for-the-second-start' });
    const second = new FarGateway(installation, 'a-token-for-the-second-start');
    channels.push(second.channel);
    const told = await site.next();
    assert.ok(told.t === 'gateway');
    assert.equal(told.gateway.publicKey, second.wireguardKey);
  });
});
