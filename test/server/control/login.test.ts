import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { enrolChallenge } from '../../../protocol/challenges.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { Browser, type Wrong } from './browser.ts';
import { Installation } from './installation.ts';

describe('signing in', () => {
  let installation: Installation;
  let browser: Browser;
  beforeEach(async () => {
    installation = await new Installation().start();
    browser = new Browser(installation, 'ES256', 7);
    const { body } = await installation.admin('POST', '/admin/enrolments/first', {});
    await browser.enrol(body.url);
    browser.cookie = undefined;
  });
  afterEach(async () => {
    await installation.stop();
    installation.remove();
  });
  const reasons = async () => (await installation.events('login')).map((event) => [event.decision, event.reason]);

  test('BR-4: passkey and device key sign in; the session says who', async () => {
    const answer = await browser.login();
    assert.equal(answer.status, 200);
    const session = await browser.get('/api/session');
    assert.deepEqual(session.body.user, answer.body.user);
    const [event] = await installation.events('login');
    assert.equal(event.decision, 'allow');
    assert.equal(event.actor, `spiffe://latchkey.local/user/${answer.body.user.id}/device/${answer.body.device.id}`);
  });

  test('a device key nobody enrolled is told so', async () => {
    const answer = await new Browser(installation).beginLogin();
    assert.deepEqual([answer.status, answer.body.error], [404, 'device_unknown']);
  });

  const wrongs: [string, Wrong, string, string][] = [
    [
      'origin: the shell',
      { ceremony: { origin: 'http://shell.apps.localhost:8700' } },
      'ceremony_refused',
      'webauthn_origin',
    ],
    [
      'origin: the hub on another port',
      { ceremony: { origin: 'http://hub.localhost:8701' } },
      'ceremony_refused',
      'webauthn_origin',
    ],
    ['relying party', { ceremony: { rpId: 'apps.localhost' } }, 'ceremony_refused', 'webauthn_rp'],
    ['type', { ceremony: { type: 'webauthn.create' } }, 'ceremony_refused', 'webauthn_type'],
    ['user verification off', { ceremony: { userVerified: false } }, 'ceremony_refused', 'webauthn_user_verification'],
    ['user not present', { ceremony: { userPresent: false } }, 'ceremony_refused', 'webauthn_user_verification'],
    ['cross-origin frame', { ceremony: { crossOrigin: true } }, 'ceremony_refused', 'webauthn_cross_origin'],
    [
      'a passkey that became copyable',
      { ceremony: { backupEligible: true } },
      'ceremony_refused',
      'webauthn_backup_state',
    ],
    ['challenge', { challenge: (right) => right.map((byte) => byte ^ 1) }, 'device_signature', 'device_signature'],
  ];
  for (const [what, wrong, code, reason] of wrongs) {
    test(`BR-4: a wrong ${what} is refused and audited, and gives no lease`, async () => {
      const answer = await browser.login(wrong);
      assert.deepEqual([answer.status, answer.body.error, answer.headers['set-cookie']], [403, code, undefined]);
      assert.deepEqual(await reasons(), [['deny', reason]]);
    });
  }

  test('BR-4: a wrong tag is refused: a challenge of an enrolment does not sign in', async () => {
    const begun = await browser.beginLogin();
    const posture = browser.posture();
    const enrolment = enrolChallenge(nodeCrypto, browser.binding(begun.body, posture, 'hub.localhost'));
    const answer = await browser.post('/api/login/finish', browser.prepareLogin(begun, { challenge: () => enrolment }));
    assert.equal(answer.status, 403);
  });

  test('BR-4: a passkey signature over another challenge is refused although the device key signed the right one', async () => {
    const begun = await browser.beginLogin();
    const other = browser.passkey.get({ challenge: randomBytes(32), origin: installation.hub, rpId: 'hub.localhost' });
    const body = browser.prepareLogin(begun, { body: (right) => ({ ...right, credential: other }) });
    const answer = await browser.post('/api/login/finish', body);
    assert.deepEqual([answer.status, answer.body.error], [403, 'ceremony_refused']);
    assert.deepEqual(await reasons(), [['deny', 'webauthn_challenge']]);
  });

  test('BR-4: a nonce of another person is refused', async () => {
    const { body } = await installation.admin('POST', '/admin/enrolments', { name: 'Bob' });
    const bob = new Browser(installation);
    await bob.enrol(body.url);
    const bobs = await bob.beginLogin();
    const answer = await browser.post('/api/login/finish', browser.prepareLogin(bobs));
    assert.equal(answer.status, 403);
    const events = await installation.events('login');
    assert.equal(
      events.some(({ decision }) => decision === 'allow'),
      false,
    );
  });

  test("another person's passkey is refused although the device is enrolled", async () => {
    const { body } = await installation.admin('POST', '/admin/enrolments', { name: 'Bob' });
    const bob = new Browser(installation);
    await bob.enrol(body.url);
    const begun = await browser.beginLogin();
    let right: Uint8Array = new Uint8Array();
    const prepared = browser.prepareLogin(begun, {
      challenge: (challenge) => {
        right = challenge;
        return challenge;
      },
    });
    const credential = bob.passkey.get({ challenge: right, origin: installation.hub, rpId: 'hub.localhost' });
    const answer = await browser.post('/api/login/finish', { ...prepared, credential });
    assert.deepEqual([answer.status, answer.body.error], [403, 'ceremony_refused']);
  });

  test("BR-4: another passkey of the same person does not sign in where the device's own is expected", async () => {
    const [{ id: user }] = (await installation.admin('GET', '/admin/users')).body.users;
    const { body } = await installation.admin('POST', '/admin/enrolments', { user });
    const second = new Browser(installation);
    assert.equal((await second.enrol(body.url)).status, 200);
    const begun = await browser.beginLogin();
    assert.deepEqual(begun.body.credentialIds, [browser.passkey.credentialId]);
    let right: Uint8Array = new Uint8Array();
    const prepared = browser.prepareLogin(begun, {
      challenge: (challenge) => {
        right = challenge;
        return challenge;
      },
    });
    const credential = second.passkey.get({ challenge: right, origin: installation.hub, rpId: 'hub.localhost' });
    const answer = await browser.post('/api/login/finish', { ...prepared, credential });
    assert.deepEqual([answer.status, answer.body.error], [403, 'ceremony_refused']);
    assert.deepEqual(await reasons(), [['deny', 'webauthn_signature']]);
  });

  test('BR-4: a nonce that was used is refused', async () => {
    const body = browser.prepareLogin(await browser.beginLogin());
    assert.equal((await browser.post('/api/login/finish', body)).status, 200);
    const again = await browser.post('/api/login/finish', body);
    assert.deepEqual([again.status, again.body.error], [410, 'ceremony_unknown']);
  });

  test('a nonce is good for a minute', async () => {
    const begun = await browser.beginLogin();
    installation.clock.leap(60_000);
    const answer = await browser.post('/api/login/finish', browser.prepareLogin(begun));
    assert.deepEqual([answer.status, answer.body.error], [410, 'ceremony_unknown']);
  });

  test('QHX-7: one answer sent 64 times at once signs in exactly once', async () => {
    const body = browser.prepareLogin(await browser.beginLogin());
    const answers = await Promise.all(Array.from({ length: 64 }, () => browser.post('/api/login/finish', body)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ body: { error } }) => error === 'ceremony_unknown').length, 63);
    assert.deepEqual(await reasons(), [['allow', undefined]]);
  });

  test('a counter that stands still is a copied authenticator', async () => {
    assert.equal((await browser.login()).status, 200);
    browser.passkey.counter -= 1;
    const answer = await browser.login();
    assert.deepEqual([answer.status, answer.body.error], [403, 'ceremony_refused']);
    assert.deepEqual((await reasons()).at(-1), ['deny', 'webauthn_signature']);
  });

  test('a posture report that was altered, is not signed, too old or malformed is refused', async () => {
    const flip = (text: string) => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
    const table: [string, Wrong][] = [
      ['posture_invalid', { body: (b) => ({ ...b, posture: { ...b.posture, statement: flip(b.posture.statement) } }) }],
      ['posture_invalid', { body: (b) => ({ ...b, posture: { ...b.posture, signature: flip(b.posture.signature) } }) }],
      ['posture_stale', { body: (b) => ({ ...b, posture: browser.posture(installation.clock.now() - 60_001).json }) }],
      ['posture_stale', { body: (b) => ({ ...b, posture: browser.posture(installation.clock.now() + 60_001).json }) }],
    ];
    for (const [code, wrong] of table) assert.equal((await browser.login(wrong)).body.error, code);
    const signals = [
      { name: 'authenticator.backed_up', value: false, source: 'authenticator' },
      { name: 'a\nb', value: 1, source: 'browser' },
      { name: 'x', value: 'y'.repeat(9), source: 'browser', more: 1 },
    ];
    for (const signal of signals) {
      browser.signals = [signal];
      assert.equal((await browser.login()).body.error, 'posture_invalid');
    }
  });

  test('a posture report that was swapped for another of the same device breaks the challenge', async () => {
    const answer = await browser.login({
      body: (b) => {
        browser.signals = [{ name: 'browser.name', value: 'Firefox', source: 'user-agent' }];
        return { ...b, posture: browser.posture().json };
      },
    });
    assert.deepEqual([answer.status, answer.body.error], [403, 'device_signature']);
  });

  test('a lease ends after its time, at sign-out, and when device or person is taken away', async () => {
    const statusOf = async (one: Browser) => (await one.get('/api/session')).status;
    await browser.login();
    assert.equal(await statusOf(browser), 200);
    installation.clock.leap(28_800_000);
    assert.equal(await statusOf(browser), 401);

    const { body } = await browser.login();
    assert.equal((await browser.postSigned('/api/logout', {})).status, 200);
    assert.equal(await statusOf(browser), 401);

    await browser.login();
    assert.equal((await installation.admin('DELETE', `/admin/devices/${body.device.id}`)).status, 200);
    assert.equal(await statusOf(browser), 401);
    assert.equal((await browser.beginLogin()).body.error, 'device_unknown');

    const { body: link } = await installation.admin('POST', '/admin/enrolments', { user: body.user.id });
    const second = new Browser(installation);
    await second.enrol(link.url);
    assert.equal(await statusOf(second), 200);
    assert.equal((await installation.admin('DELETE', `/admin/users/${body.user.id}`)).status, 200);
    assert.equal(await statusOf(second), 401);
  });

  describe('requests that change something', () => {
    beforeEach(async () => {
      await browser.login();
    });
    const begin = { service: 'wiki' };
    const attempt = (headers: Record<string, string>) => browser.post('/api/launch/begin', begin, headers);

    test('need the device key, not only the cookie', async () => {
      const answer = await attempt({});
      assert.deepEqual([answer.status, answer.body.error], [401, 'signature_invalid']);
      const stranger = new Browser(installation);
      const forged = await attempt(stranger.signed('/api/launch/begin', begin));
      assert.deepEqual([forged.status, forged.body.error], [401, 'signature_invalid']);
    });

    test('need the cookie, not only the device key', async () => {
      browser.cookie = 'x'.repeat(43);
      const answer = await attempt(browser.signed('/api/launch/begin', begin));
      assert.deepEqual([answer.status, answer.body.error], [401, 'unauthenticated']);
    });

    test('are signed over path, body and time', async () => {
      const path = await attempt(browser.signed('/api/launch/finish', begin));
      const body = await attempt(browser.signed('/api/launch/begin', begin, { body: { service: 'ledger' } }));
      const moved = { ...browser.signed('/api/launch/begin', begin), 'latchkey-time': '1790000000001' };
      for (const answer of [path, body, await attempt(moved)]) assert.equal(answer.body.error, 'signature_invalid');
      for (const off of [-60_001, 60_001]) {
        const time = installation.clock.now() + off;
        const answer = await attempt(browser.signed('/api/launch/begin', begin, { time }));
        assert.equal(answer.body.error, 'request_stale');
      }
    });

    test('QHX-7: are taken once, of 64 at once exactly one', async () => {
      const headers = browser.signed('/api/launch/begin', begin);
      const answers = await Promise.all(Array.from({ length: 64 }, () => attempt(headers)));
      const errors = answers.map(({ body }) => body.error);
      assert.equal(errors.filter((error) => error === 'request_replayed').length, 63);
      // The one that was taken goes on to find that there is no such service.
      assert.equal(errors.filter((error) => error === 'service_unknown').length, 1);
    });

    test('come from the hub, not from another page of the same browser', async () => {
      const headers = { ...browser.signed('/api/launch/begin', begin), origin: installation.app('wiki') };
      const answer = await attempt(headers);
      assert.deepEqual([answer.status, answer.body.error], [403, 'foreign_origin']);
    });
  });
});
