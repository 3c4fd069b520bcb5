import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { base64url, unbase64url } from '../../../protocol/bytes.ts';
import type { Signer } from '../../../protocol/crypto.ts';
import { verifyDescriptor } from '../../../protocol/descriptor.ts';
import { type Role, verifyPins, verifyRole } from '../../../protocol/pins.ts';
import { type VerifiedSvid, verifySvid } from '../../../protocol/svid.ts';
import { generateComposite } from '../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { Browser, type Wrong } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken } from './far-gateway.ts';
import { Installation } from './installation.ts';

describe('launch', () => {
  let installation: Installation;
  let gateway: FarGateway;
  let admin: Browser;
  let guest: Browser;
  beforeEach(async () => {
    installation = await new Installation().start({ gateway: supervisorToken });
    gateway = await gatewayWithSite(installation);
    for (const name of ['wiki', 'ledger']) {
      await installation.admin('POST', '/admin/services', { name, url: `http://10.7.0.5/${name}` });
    }
    admin = new Browser(installation);
    await admin.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
    guest = new Browser(installation);
    const link = await installation.admin('POST', '/admin/enrolments', { name: 'Bob', group: 'readers' });
    await guest.enrol(link.body.url);
  });
  afterEach(async () => {
    gateway.channel.close();
    await installation.stop();
    installation.remove();
  });

  // biome-ignore lint/suspicious/noExplicitAny: an answer as JSON
  const keyOf = async (answer: any, role: Role) => {
    const root = unbase64url(answer.root);
    const fingerprint = installation.control.context.pki.fingerprint;
    await verifyPins(nodeCrypto, unbase64url(answer.pins), { rootPublicKey: root, fingerprint });
    for (const certificate of answer.certificates.map(unbase64url)) {
      const key = await verifyRole(nodeCrypto, installation.clock, root, certificate, role).catch(() => undefined);
      if (key !== undefined) return key;
    }
    throw new Error(`nobody certified ${role}`);
  };
  // biome-ignore lint/suspicious/noExplicitAny: an answer as JSON
  const svidOf = async (answer: any): Promise<VerifiedSvid> =>
    verifySvid(nodeCrypto, installation.clock, unbase64url(answer.svid), await keyOf(answer, 'svid'));
  const outcomes = async (type = 'launch') =>
    (await installation.events(type)).map(({ service, decision, policies, reason }) => ({
      service,
      decision,
      ...(policies && { policies }),
      ...(reason && { reason }),
    }));

  test('BR-4, QHX-3: a launch gives a credential for one session key and one service, verifiable from the pins', async () => {
    const { answer, session } = await admin.launch('wiki');
    assert.equal(answer.status, 200);
    const svid = await svidOf(answer.body);
    assert.deepEqual(svid.sessionPublicKey, session.publicKey);
    assert.deepEqual(svid.deviceKeyHash, nodeCrypto.sha256(admin.devicePublicKey));
    assert.equal(svid.service, 'wiki');
    assert.equal(svid.amr, 3);
    assert.equal(svid.notAfter - svid.notBefore, 600_000);
    assert.equal(answer.body.expires, svid.notAfter);
    assert.ok(answer.body.renewAfter > svid.notBefore && answer.body.renewAfter < svid.notAfter);
    assert.equal(base64url(svid.postureHash), base64url(unbase64url(answer.body.posture).subarray(0, 32)));
    const directory = await keyOf(answer.body, 'directory');
    const descriptor = unbase64url(answer.body.descriptor);
    const { publicKey } = await verifyDescriptor(nodeCrypto, installation.clock, descriptor, directory);
    assert.deepEqual(publicKey, gateway.signer.publicKey);
    assert.deepEqual(answer.body.endpoints, gateway.endpoints);
    assert.deepEqual(answer.body.service, { name: 'wiki', title: 'wiki', app: 'http://wiki.apps.localhost:8700' });
    assert.deepEqual(await outcomes(), [{ service: 'wiki', decision: 'allow', policies: ['admins'] }]);
  });

  test('QHX-6: a second person sees no service, and a direct launch is denied with the deciding policy', async () => {
    assert.deepEqual(
      (await admin.get('/api/services')).body.services.map(({ name }: { name: string }) => name),
      ['ledger', 'wiki'],
    );
    assert.deepEqual((await guest.get('/api/services')).body.services, []);
    const { answer } = await guest.launch('wiki');
    assert.deepEqual([answer.status, answer.body.error], [403, 'denied']);
    const denied = { service: 'wiki', decision: 'deny', policies: ['default-deny'], reason: 'denied' };
    assert.deepEqual(await outcomes(), [denied]);
    assert.equal((await installation.events('launch')).at(-1).correlation, answer.body.correlation);
    assert.equal((await installation.events('posture')).at(-1).service, 'wiki');
  });

  test('QHX-6: who asks why a service is not in the list is told, and that is audited', async () => {
    assert.equal((await admin.postSigned('/api/launch/explain', { service: 'wiki' })).status, 200);
    const denied = await guest.postSigned('/api/launch/explain', { service: 'wiki' });
    assert.deepEqual([denied.status, denied.body.error], [403, 'denied']);
    const unknown = await guest.postSigned('/api/launch/explain', { service: 'nowhere' });
    assert.deepEqual([unknown.status, unknown.body.error], [404, 'service_unknown']);
    const events = (await installation.events('launch')).slice(-2);
    assert.deepEqual(
      events.map(({ service, decision, policies, reason }) => ({ service, decision, policies, reason })),
      [
        { service: 'wiki', decision: 'deny', policies: ['default-deny'], reason: 'denied' },
        { service: 'nowhere', decision: 'deny', policies: ['default-deny'], reason: 'service_unknown' },
      ],
    );
    assert.deepEqual(
      events.map(({ correlation }) => correlation),
      [denied.body.correlation, unknown.body.correlation],
    );
  });

  test('QHX-6: a grant for one service is none for the next; each answer names its policy', async () => {
    const map = {
      readers: 'permit (principal in Group::"readers", action, resource == Service::"wiki");',
      closed: 'forbid (principal, action, resource == Service::"ledger");',
    };
    assert.equal((await installation.admin('PUT', '/admin/policies', { map })).status, 200);
    assert.equal((await guest.launch('wiki')).answer.status, 200);
    assert.equal((await guest.launch('ledger')).answer.body.error, 'denied');
    assert.equal((await admin.launch('wiki')).answer.body.error, 'denied');
    assert.deepEqual(await outcomes(), [
      { service: 'wiki', decision: 'allow', policies: ['readers'] },
      { service: 'ledger', decision: 'deny', policies: ['closed'], reason: 'denied' },
      { service: 'wiki', decision: 'deny', policies: ['default-deny'], reason: 'denied' },
    ]);
    const { body } = await guest.get('/api/services');
    assert.deepEqual(body.services, [
      { name: 'wiki', title: 'wiki', scheme: 'http', app: 'http://wiki.apps.localhost:8700' },
    ]);
  });

  test('posture decides at the launch, with the report of that moment', async () => {
    const map = {
      chrome: `permit (principal, action, resource) when {
        context.posture has browser && context.posture.browser == "Chrome" &&
        context.posture has userVerificationAgeS && context.posture.userVerificationAgeS < 3600 &&
        context.posture has backedUp && !context.posture.backedUp };`,
    };
    await installation.admin('PUT', '/admin/policies', { map });
    assert.equal((await guest.launch('wiki')).answer.status, 200);
    guest.signals = [{ name: 'browser.name', value: 'Firefox', source: 'user-agent' }];
    assert.equal((await guest.launch('wiki')).answer.body.error, 'denied');
    guest.signals = [{ name: 'browser.name', value: null, source: 'user-agent', reason: 'unrecognised' }];
    assert.equal((await guest.launch('wiki')).answer.body.error, 'denied');
    guest.signals = [{ name: 'browser.name', value: 7, source: 'user-agent' }];
    assert.equal((await guest.launch('wiki')).answer.body.error, 'denied');
  });

  test('a changed user agent changes the posture event: each signal with its source or the reason it is unknown', async () => {
    await admin.launch('wiki');
    admin.signals = [{ name: 'browser.name', value: 'Firefox', source: 'user-agent' }];
    await admin.launch('wiki');
    const [first, second] = (await installation.events('posture')).slice(-2).map(({ detail }) => detail);
    assert.equal(first['browser.name'], 'Chrome');
    assert.equal(first['browser.name:source'], 'user-agent');
    assert.equal(first['disk_encryption:unknown'], 'not_observable_in_a_browser');
    assert.equal('disk_encryption' in first, false);
    assert.equal(first['authenticator.user_verified'], true);
    assert.equal(first['authenticator.backed_up:source'], 'authenticator');
    assert.equal(second['browser.name'], 'Firefox');
    assert.notEqual(first.digest, second.digest);
  });

  const flip = (text: string) => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
  const other = () => base64url(generateComposite().signer.publicKey);
  const wrongs: [string, Wrong, string][] = [
    [
      'an altered posture report',
      { body: (b) => ({ ...b, posture: { ...b.posture, statement: flip(b.posture.statement) } }) },
      'posture_invalid',
    ],
    [
      'a posture report that somebody else signed',
      { body: (b) => ({ ...b, posture: { ...b.posture, signature: flip(b.posture.signature) } }) },
      'posture_invalid',
    ],
    ['another session key', { body: (b) => ({ ...b, sessionPublicKey: other() }) }, 'device_signature'],
    [
      'a device signature that is not right',
      { body: (b) => ({ ...b, deviceSignature: flip(b.deviceSignature) }) },
      'device_signature',
    ],
    [
      'a session signature that is not right',
      { body: (b) => ({ ...b, sessionSignature: flip(b.sessionSignature) }) },
      'session_signature',
    ],
    ['another challenge', { challenge: (right) => right.map((byte) => byte ^ 1) }, 'device_signature'],
  ];
  for (const [what, wrong, code] of wrongs) {
    test(`QHX-3: a launch with ${what} is refused and audited`, async () => {
      const { answer } = await admin.launch('wiki', wrong);
      assert.deepEqual([answer.status, answer.body.error], [403, code]);
      assert.deepEqual(await outcomes(), [{ service: 'wiki', decision: 'deny', reason: code }]);
    });
  }

  test('a device key endorses nothing under another lease, and nothing for another person', async () => {
    const { body } = await admin.prepareLaunch('wiki');
    assert.equal((await guest.postSigned('/api/launch/finish', body ?? {})).body.error, 'device_signature');
    const prepared = await admin.prepareLaunch('wiki');
    await admin.login();
    assert.equal((await admin.postSigned('/api/launch/finish', prepared.body ?? {})).body.error, 'device_signature');
  });

  test('a service nobody defined is unknown, and the attempt is audited', async () => {
    const { answer } = await admin.launch('nothing');
    assert.deepEqual([answer.status, answer.body.error], [404, 'service_unknown']);
    assert.deepEqual(await outcomes(), [
      { service: 'nothing', decision: 'deny', policies: ['default-deny'], reason: 'service_unknown' },
    ]);
  });

  test('QHX-7: one launch sent 64 times at once gives exactly one credential', async () => {
    const { body = {} } = await admin.prepareLaunch('wiki');
    const answers = await Promise.all(Array.from({ length: 64 }, () => admin.postSigned('/api/launch/finish', body)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ body: { error } }) => error === 'ceremony_unknown').length, 63);
  });

  test('a session key launches once', async () => {
    const session = generateComposite().signer;
    for (const expected of [200, 409]) {
      const { body = {} } = await admin.prepareLaunch('wiki', {}, session);
      assert.equal((await admin.postSigned('/api/launch/finish', body)).status, expected);
    }
  });

  test('a session key whose lease has ended goes on under the next, for the same service alone', async () => {
    const launch = async (service: string, session: Signer) => {
      const { body = {} } = await admin.prepareLaunch(service, {}, session);
      return admin.postSigned('/api/launch/finish', body);
    };
    const session = generateComposite().signer;
    assert.equal((await launch('wiki', session)).status, 200);
    installation.clock.leap(43_200_000);
    await admin.login();
    assert.equal((await launch('ledger', session)).status, 409);
    const again = await launch('wiki', session);
    assert.equal(again.status, 200);
    assert.equal((await launch('wiki', session)).status, 409, 'while it lives, once');
    installation.clock.leap(1);
    const { serial } = await svidOf(again.body);
    assert.equal((await admin.renew(await admin.prepareRenewal(session, serial))).status, 200);
  });

  test('a launch nonce is good for thirty seconds', async () => {
    const { body = {} } = await admin.prepareLaunch('wiki');
    installation.clock.leap(30_000);
    assert.equal((await admin.postSigned('/api/launch/finish', body)).body.error, 'ceremony_unknown');
  });

  test('without a gateway there is nowhere to go, and that is said', async () => {
    gateway.channel.close();
    while ((await installation.admin('GET', '/admin/status')).body.gateway) await new Promise(setImmediate);
    const { answer } = await admin.launch('wiki');
    assert.deepEqual([answer.status, answer.body.error], [503, 'no_gateway']);
  });

  describe('renewal', () => {
    test('the session key gets its next credential without anybody being asked', async () => {
      const { answer, session } = await admin.launch('wiki');
      installation.clock.leap(360_000);
      const serial = (await svidOf(answer.body)).serial;
      const renewed = await admin.renew(await admin.prepareRenewal(session, serial));
      assert.equal(renewed.status, 200);
      const svid = await svidOf(renewed.body);
      assert.deepEqual(svid.sessionPublicKey, session.publicKey);
      assert.notDeepEqual(svid.serial, serial);
      assert.equal(svid.notBefore, installation.clock.now());
      assert.deepEqual(await outcomes('renew'), [{ service: 'wiki', decision: 'allow', policies: ['admins'] }]);
    });

    test('QHX-7: is refused with another key, another serial, another time, and a second time', async () => {
      const { answer, session } = await admin.launch('wiki');
      const { serial } = await svidOf(answer.body);
      const right = await admin.prepareRenewal(session, serial);
      const thief = generateComposite().signer;
      const stolen = {
        ...(await admin.prepareRenewal(thief, serial)),
        sessionKeyHash: Reflect.get(right, 'sessionKeyHash'),
      };
      const table: [object, number, string][] = [
        [stolen, 401, 'signature_invalid'],
        [await admin.prepareRenewal(thief, serial), 401, 'lease_ended'],
        [await admin.prepareRenewal(session, new Uint8Array(16)), 401, 'lease_ended'],
        [await admin.prepareRenewal(session, serial, installation.clock.now() - 60_001), 401, 'request_stale'],
        [{ ...right, time: installation.clock.now() + 1 }, 401, 'signature_invalid'],
      ];
      for (const [body, status, error] of table) {
        const refused = await admin.renew(body);
        assert.deepEqual([refused.status, refused.body.error], [status, error]);
      }
      const answers = await Promise.all(Array.from({ length: 64 }, () => admin.renew(right)));
      assert.equal(answers.filter((one) => one.status === 200).length, 1);
      assert.equal(answers.filter((one) => one.body.error === 'request_replayed').length, 63);
    });

    test('ends with policy, sign-out, device, service and lease', async () => {
      const live = async () => {
        const { answer, session } = await admin.launch('wiki');
        const { serial } = await svidOf(answer.body);
        return async () => {
          installation.clock.leap(1);
          return (await admin.renew(await admin.prepareRenewal(session, serial))).body.error;
        };
      };
      const afterPolicy = await live();
      await installation.admin('PUT', '/admin/policies', { map: {} });
      assert.equal(await afterPolicy(), 'denied');
      await installation.admin('PUT', '/admin/policies', {
        text: 'permit (principal in Group::"admins", action, resource);',
      });
      assert.equal(await afterPolicy(), undefined);

      const afterSignOut = await live();
      await admin.postSigned('/api/logout', {});
      assert.equal(await afterSignOut(), 'lease_ended');

      await admin.login();
      const afterService = await live();
      await installation.admin('DELETE', '/admin/services/wiki');
      assert.equal(await afterService(), 'service_unknown');
      await installation.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' });

      const afterLease = await live();
      installation.clock.leap(28_800_000);
      assert.equal(await afterLease(), 'lease_ended');

      const { body } = await admin.login();
      const afterDevice = await live();
      await installation.admin('DELETE', `/admin/devices/${body.device.id}`);
      assert.equal(await afterDevice(), 'lease_ended');
    });

    test('ends when the report on the device is too old, until the next launch', async () => {
      installation.config.timers.postureMaxAgeS = 300;
      const { answer, session } = await admin.launch('wiki');
      const { serial } = await svidOf(answer.body);
      installation.clock.leap(300_001);
      const refused = await admin.renew(await admin.prepareRenewal(session, serial));
      assert.deepEqual([refused.status, refused.body.error], [403, 'posture_stale']);
      assert.equal((await admin.launch('wiki')).answer.status, 200);
    });

    test('a credential never outlives the lease it rests on', async () => {
      installation.clock.leap(28_800_000 - 120_000);
      const { answer } = await admin.launch('wiki');
      assert.equal(answer.body.launchLeaseEnds, installation.clock.now() + 120_000);
      assert.equal(answer.body.expires, installation.clock.now() + 120_000);
    });
  });
});
