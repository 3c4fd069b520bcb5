import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { AssertionKey } from '../../../server/channel/messages.ts';
import { FarGateway, wireguardKey } from './far-gateway.ts';
import { Installation } from './installation.ts';

const token = 'a-token-of-the-supervisor';
const hourMs = 3_600_000;

describe('what services are told, and what they may be set to', () => {
  let installation: Installation;
  beforeEach(async () => {
    installation = await new Installation().start({ gateway: token });
    const site = { publicKey: wireguardKey(), allowedIps: ['10.7.0.0/24'], name: 'site' };
    assert.equal((await installation.admin('POST', '/admin/peers', site)).status, 200);
  });
  afterEach(async () => {
    await installation.stop();
    installation.remove();
  });
  const post = (body: object) => installation.admin('POST', '/admin/services', body);
  const patch = (name: string, body: object) => installation.admin('PATCH', `/admin/services/${name}`, body);
  const inForce = (name: string) => installation.control.desk.policy.content.services.find((one) => one.name === name);

  test('QPT-9: a service is public and called by no other unless it is said otherwise', async () => {
    const { body } = await post({ name: 'wiki', url: 'http://10.7.0.5' });
    assert.deepEqual([body.host, body.corsFrom], ['public', []]);
    assert.deepEqual([inForce('wiki')?.host, inForce('wiki')?.corsFrom], [undefined, undefined]);
  });

  test('app-access: the host a service is told, and who may call it, are set with it or later, and are signed state', async () => {
    await post({ name: 'wiki', url: 'http://10.7.0.5', host: 'upstream', corsFrom: ['portal'] });
    assert.deepEqual([inForce('wiki')?.host, inForce('wiki')?.corsFrom], ['upstream', ['portal']]);
    const { epoch } = installation.control.desk.policy;
    const { status, body } = await patch('wiki', { host: 'public', corsFrom: ['b', 'a', 'a', 'wiki'], title: 'W' });
    assert.equal(status, 200);
    assert.deepEqual([body.host, body.corsFrom, body.title], ['public', ['a', 'b'], 'W']);
    assert.deepEqual(inForce('wiki')?.corsFrom, ['a', 'b']);
    assert.equal(installation.control.desk.policy.epoch, epoch + 1);
    assert.equal((await patch('wiki', { corsFrom: [] })).body.title, 'W', 'what is not named stays');
    assert.equal(inForce('wiki')?.corsFrom, undefined);
  });

  test('QHX-6: namespace and labels are what policies say of a service, and its SPIFFE ID names the namespace', async () => {
    const plain = (await post({ name: 'notes', url: 'http://10.7.0.4' })).body;
    assert.deepEqual([plain.namespace, plain.labels], ['default', []]);
    const { body } = await post({
      name: 'ledger',
      url: 'http://10.7.0.5',
      namespace: 'finance',
      labels: ['pii', 'eu', 'eu'],
    });
    assert.deepEqual([body.namespace, body.labels], ['finance', ['eu', 'pii']]);
    const { content } = installation.control.desk.policy;
    const entity = content.entities.find(({ uid }) => uid.type === 'Service' && uid.id === 'ledger');
    assert.deepEqual(entity?.parents, [{ type: 'Namespace', id: 'finance' }]);
    assert.deepEqual(entity?.attrs['labels'], ['eu', 'pii']);
    assert.equal(inForce('ledger')?.spiffeId, 'spiffe://latchkey.local/ns/finance/svc/ledger');
    const namespaces = content.entities.filter(({ uid }) => uid.type === 'Namespace').map(({ uid }) => uid.id);
    assert.deepEqual(namespaces, ['default', 'finance']);
    const moved = (await patch('ledger', { namespace: 'default', labels: [] })).body;
    assert.deepEqual([moved.namespace, moved.labels], ['default', []]);
    assert.equal(inForce('ledger')?.spiffeId, 'spiffe://latchkey.local/ns/default/svc/ledger');
  });

  const wrong: [name: string, body: object, status: number, code: string][] = [
    ['nobody', { host: 'public' }, 404, 'service_unknown'],
    ['wiki', { host: 'elsewhere' }, 400, 'malformed'],
    ['wiki', { corsFrom: ['*'] }, 400, 'name_malformed'],
    ['wiki', { corsFrom: ['https://portal.example'] }, 400, 'name_malformed'],
    ['wiki', { title: 'a\nb' }, 400, 'title_malformed'],
    ['wiki', { title: '' }, 400, 'title_malformed'],
    ['wiki', { namespace: 'Not A Name' }, 400, 'label_malformed'],
    ['wiki', { labels: ['a', 'b\nc'] }, 400, 'label_malformed'],
    ['wiki', { labels: Array.from({ length: 33 }, (_, n) => `l${n}`) }, 400, 'label_malformed'],
    ['wiki', { url: 'http://10.7.0.6' }, 400, 'malformed'],
  ];
  for (const [name, body, status, code] of wrong)
    test(`QHX-3: refuses to set ${JSON.stringify(body)} of ${name}`, async () => {
      await post({ name: 'wiki', url: 'http://10.7.0.5' });
      const before = inForce('wiki');
      const answer = await patch(name, body);
      assert.deepEqual([answer.status, answer.body.error], [status, code]);
      assert.deepEqual(inForce('wiki'), before);
    });

  const key = (ageMs: number): AssertionKey => {
    const field = () => randomBytes(32).toString('base64url');
    return { kid: field(), x: field(), y: field(), madeAt: installation.clock.now() - ageMs };
  };
  const jwks = async () => {
    const { status, text, headers } = await installation.browse(installation.hub, { path: '/.well-known/jwks.json' });
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'public, max-age=300');
    return JSON.parse(text).keys as Record<string, string>[];
  };

  test('QPT-9: the hub publishes the keys that gateways sign by, whoever asks, and follows their rotation', async () => {
    assert.deepEqual(await jwks(), []);
    const gateway = new FarGateway(installation, token);
    const [first, second] = [key(hourMs), key(0)];
    gateway.assertionKeys = [first];
    await gateway.next('snapshot');
    const shown = ({ kid, x, y }: AssertionKey) => ({ kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256', kid, x, y });
    assert.deepEqual(await jwks(), [shown(first)]);
    gateway.channel.send({ t: 'assertion-keys', keys: [second, first] });
    // Messages are taken in order: once this is acknowledged the one before it has been.
    gateway.channel.send({ t: 'events', events: [] });
    await gateway.next('ack');
    assert.deepEqual(await jwks(), [shown(second), shown(first)]);
    gateway.channel.close();
    assert.deepEqual(await jwks(), [shown(second), shown(first)], 'a gateway that is away is believed for a while');
  });

  test('QPT-9: the key of a gateway that is gone for days is published no more', async () => {
    const gateway = new FarGateway(installation, token);
    gateway.assertionKeys = [key(49 * hourMs)];
    await gateway.next('snapshot');
    assert.deepEqual(await jwks(), []);
    gateway.channel.close();
  });
});
