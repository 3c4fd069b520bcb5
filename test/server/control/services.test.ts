import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { wireguardKey } from './far-gateway.ts';
import { Installation } from './installation.ts';

describe('services and peers', () => {
  let installation: Installation;
  const site = wireguardKey();
  beforeEach(async () => {
    installation = await new Installation().start();
    const peers = [
      {
        publicKey: site,
        allowedIps: ['10.7.0.9/24', 'fd00:7::/64'],
        endpoint: '192.0.2.1:51820',
        name: 'site',
        keepaliveS: 25,
      },
      { publicKey: wireguardKey(), allowedIps: ['10.8.0.1'], name: 'db' },
    ];
    for (const peer of peers) assert.equal((await installation.admin('POST', '/admin/peers', peer)).status, 200);
  });
  afterEach(async () => {
    await installation.stop();
    installation.remove();
  });
  const add = (name: string, url: string) => installation.admin('POST', '/admin/services', { name, url });

  const right: [string, string, { address: string; port: number }][] = [
    ['wiki', 'http://10.7.0.5', { address: '10.7.0.5', port: 80 }],
    ['secure', 'https://10.7.0.5:8443/base/path', { address: '10.7.0.5', port: 8_443 }],
    ['six', 'http://[fd00:7::5]:8080/', { address: 'fd00:7::5', port: 8_080 }],
    ['shell-1', 'ssh://10.7.0.5', { address: '10.7.0.5', port: 22 }],
    ['screen', 'vnc://10.7.0.5', { address: '10.7.0.5', port: 5_900 }],
    ['desk', 'rdp://10.7.0.5', { address: '10.7.0.5', port: 3_389 }],
    ['data', 'tcp://10.7.0.5:5432', { address: '10.7.0.5', port: 5_432 }],
    ['named', 'http://db.wg:81', { address: '10.8.0.1', port: 81 }],
  ];
  for (const [name, url, where] of right) {
    test(`${url} becomes a service bound to the key of its peer`, async () => {
      const { status, body } = await add(name, url);
      assert.equal(status, 200);
      assert.deepEqual({ address: body.address, port: body.port }, where);
      const list = (await installation.admin('GET', '/admin/services')).body.services;
      assert.deepEqual(list, [body]);
      if (where.address !== '10.8.0.1') assert.equal(body.wireguardKey, site);
      const record = installation.control.desk.policy.content.services[0];
      assert.equal(record?.spiffeId, `spiffe://latchkey.local/ns/default/svc/${name}`);
    });
  }

  const wrong: [string, string, number, string][] = [
    ['wiki', 'ftp://10.7.0.5', 400, 'url_scheme'],
    ['wiki', 'javascript:alert(1)', 400, 'url_scheme'],
    ['wiki', 'file:///etc/passwd', 400, 'url_scheme'],
    ['wiki', '10.7.0.5:80', 400, 'url_scheme'],
    ['wiki', 'http://', 400, 'url_malformed'],
    ['wiki', 'http://10.7.0.5/?q=1', 400, 'url_malformed'],
    ['wiki', 'http://10.7.0.5/#x', 400, 'url_malformed'],
    ['wiki', 'http://user:pass@10.7.0.5/', 400, 'url_malformed'],
    ['wiki', 'http://10.7.0.5/ \r\nX: y', 400, 'url_malformed'],
    ['wiki', 'ssh://10.7.0.5/path', 400, 'url_malformed'],
    ['wiki', 'http://10.7.0.5:70000', 400, 'url_malformed'],
    ['wiki', 'tcp://10.7.0.5', 400, 'url_port'],
    ['wiki', 'http://example.test/', 400, 'url_host'],
    ['wiki', 'http://localhost/', 400, 'url_host'],
    ['wiki', 'http://a.b.wg/', 400, 'url_host'],
    ['wiki', 'http://nobody.wg/', 409, 'connector_unknown'],
    ['wiki', 'http://site.wg/', 409, 'connector_unknown'],
    ['wiki', 'http://10.9.0.1/', 409, 'unreachable_host'],
    ['wiki', 'http://127.0.0.1/', 409, 'unreachable_host'],
    ['Wiki', 'http://10.7.0.5/', 400, 'name_malformed'],
    ['a.b', 'http://10.7.0.5/', 400, 'name_malformed'],
    ['-a', 'http://10.7.0.5/', 400, 'name_malformed'],
    ['', 'http://10.7.0.5/', 400, 'name_malformed'],
    ["x'; DROP TABLE services; --", 'http://10.7.0.5/', 400, 'name_malformed'],
    ['a'.repeat(64), 'http://10.7.0.5/', 400, 'name_malformed'],
    ['shell', 'http://10.7.0.5/', 400, 'name_reserved'],
  ];
  for (const [name, url, status, code] of wrong) {
    test(`QPT-9: a service ${JSON.stringify(name.slice(0, 30))} at ${JSON.stringify(url)} is refused: ${code}`, async () => {
      const answer = await add(name, url);
      assert.deepEqual([answer.status, answer.body.error], [status, code]);
      assert.deepEqual((await installation.admin('GET', '/admin/services')).body.services, []);
    });
  }

  test('a name that exists is refused, and one that does not cannot be removed', async () => {
    await add('wiki', 'http://10.7.0.5/');
    const again = await add('wiki', 'http://10.7.0.6/');
    assert.deepEqual([again.status, again.body.error], [409, 'service_exists']);
    assert.equal((await installation.admin('DELETE', '/admin/services/wiki')).status, 200);
    const gone = await installation.admin('DELETE', '/admin/services/wiki');
    assert.deepEqual([gone.status, gone.body.error], [404, 'service_unknown']);
  });

  test('QHX-5: a service stays bound to the key it was added with, whoever takes its address later', async () => {
    await add('wiki', 'http://10.7.0.5/');
    await installation.admin('DELETE', `/admin/peers/${encodeURIComponent(site)}`);
    const thief = wireguardKey();
    await installation.admin('POST', '/admin/peers', { publicKey: thief, allowedIps: ['10.7.0.0/24'], name: 'thief' });
    const { services, peers } = installation.control.desk.policy.content;
    assert.equal(services[0]?.wireguardKey, site);
    assert.ok(peers.some(({ publicKey }) => publicKey === thief));
  });

  test('QHX-5: a service that moves to another address is the same one to every decision', async () => {
    await installation.admin('PUT', '/admin/policies', {
      text: '@id("readers") permit (principal in Group::"readers", action, resource == Service::"wiki");',
    });
    const { user } = (await installation.admin('POST', '/admin/enrolments', { name: 'Ann', group: 'readers' })).body;
    const seen = async (url: string) => {
      await installation.admin('DELETE', '/admin/services/wiki');
      const { address } = (await add('wiki', url)).body;
      const { policy } = installation.control.desk;
      const facts = { atMs: installation.clock.now(), amr: [], authAgeS: 0, posture: { ageS: 0 } };
      const question = { principal: { user, ...facts }, action: 'open', service: 'wiki' } as const;
      return { address, decided: policy.engine.decide(question), id: policy.content.services[0]?.spiffeId };
    };
    const [before, after] = [await seen('http://10.7.0.5/'), await seen('http://[fd00:7::9]:8080/')];
    assert.notEqual(before.address, after.address);
    assert.deepEqual(before.decided, { decision: 'allow', policies: ['readers'] });
    assert.deepEqual([after.decided, after.id], [before.decided, before.id]);
    // Whoever is there now has nothing of what was permitted.
    await add('other', 'http://10.7.0.5/');
    const facts = { atMs: installation.clock.now(), amr: [], authAgeS: 0, posture: { ageS: 0 } };
    const question = { principal: { user, ...facts }, action: 'open', service: 'other' } as const;
    assert.equal(installation.control.desk.policy.engine.decide(question).decision, 'deny');
  });

  test('allowed IPs are kept as ranges with their host bits cleared', async () => {
    const { body } = await installation.admin('GET', '/admin/peers');
    const peer = body.peers.find(({ name }: { name: string }) => name === 'site');
    assert.deepEqual(peer.allowedIps, ['10.7.0.0/24', 'fd00:7::/64']);
    assert.deepEqual([peer.endpoint, peer.keepaliveS, peer.connector], ['192.0.2.1:51820', 25, false]);
  });

  const key = wireguardKey();
  const badPeers: [object, number, string][] = [
    [{ publicKey: 'short', allowedIps: ['10.9.0.0/24'] }, 400, 'key_malformed'],
    [{ publicKey: key, allowedIps: ['10.9.0.0/24'], presharedKey: 'short' }, 400, 'key_malformed'],
    [{ publicKey: key, allowedIps: [] }, 400, 'allowed_ips_malformed'],
    [{ publicKey: key, allowedIps: ['10.9.0.0/33'] }, 400, 'allowed_ips_malformed'],
    [{ publicKey: key, allowedIps: ['example.test/24'] }, 400, 'allowed_ips_malformed'],
    [{ publicKey: key, allowedIps: ['10.9.0.0/24; rm -rf /'] }, 400, 'allowed_ips_malformed'],
    [{ publicKey: key, allowedIps: ['10.7.0.128/25'] }, 409, 'allowed_ips_overlap'],
    [{ publicKey: key, allowedIps: ['0.0.0.0/0'] }, 409, 'allowed_ips_overlap'],
    [{ publicKey: key, allowedIps: ['100.100.0.1/32'] }, 409, 'allowed_ips_overlap'],
    [{ publicKey: key, allowedIps: ['fd6c:6b::1/128'] }, 409, 'allowed_ips_overlap'],
    [{ publicKey: key, allowedIps: ['10.9.0.0/24'], endpoint: 'example.test:1' }, 400, 'endpoint_malformed'],
    [{ publicKey: key, allowedIps: ['10.9.0.0/24'], endpoint: '192.0.2.1:0' }, 400, 'endpoint_malformed'],
    [{ publicKey: key, allowedIps: ['10.9.0.0/24'], name: 'A b' }, 400, 'name_malformed'],
    [{ publicKey: key, allowedIps: ['10.9.0.0/24'], name: 'site' }, 409, 'peer_exists'],
    [{ publicKey: site, allowedIps: ['10.9.0.0/24'] }, 409, 'peer_exists'],
    [{ publicKey: key, allowedIps: ['10.9.0.0/24'], extra: true }, 400, 'malformed'],
    [{ publicKey: key, allowedIps: '10.9.0.0/24' }, 400, 'malformed'],
  ];
  for (const [peer, status, code] of badPeers) {
    test(`QPT-9: the peer ${JSON.stringify(peer).replaceAll(key, 'K').replaceAll(site, 'S')} is refused: ${code}`, async () => {
      const answer = await installation.admin('POST', '/admin/peers', peer);
      assert.deepEqual([answer.status, answer.body.error], [status, code]);
    });
  }

  test('a pre-shared key is never shown again, in no list, event or log line', async () => {
    const presharedKey = wireguardKey();
    const peer = { publicKey: key, allowedIps: ['10.9.0.0/24'], presharedKey };
    const added = await installation.admin('POST', '/admin/peers', peer);
    assert.equal(added.status, 200);
    assert.equal(added.body.presharedKey, true, 'that there is one is shown');
    assert.match(added.body.name, /^peer-[0-9a-f]{8}$/);
    const shown = [
      added.text,
      (await installation.admin('GET', '/admin/peers')).text,
      (await installation.admin('GET', '/admin/wireguard')).text,
      JSON.stringify(await installation.events()),
      JSON.stringify(installation.control.desk.policy.content),
      ...installation.logged,
    ];
    for (const text of shown) assert.ok(!text.includes(presharedKey));
  });

  test('every change is one audit event', async () => {
    await add('wiki', 'http://10.7.0.5/');
    await installation.admin('DELETE', '/admin/services/wiki');
    const changes = await installation.events('service.change');
    assert.deepEqual(
      changes.map(({ service, detail }) => [service, detail.operation, detail.wireguardKey]),
      [
        ['wiki', 'service.add', site],
        ['wiki', 'service.remove', site],
      ],
    );
    assert.equal((await installation.events('peer.change')).length, 2);
  });
});
