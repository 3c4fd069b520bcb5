import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Browser, type Wrong } from './browser.ts';
import { Installation } from './installation.ts';

describe('enrolment', () => {
  let installation: Installation;
  beforeEach(async () => {
    installation = await new Installation().start();
  });
  afterEach(async () => {
    await installation.stop();
    installation.remove();
  });
  const firstLink = async () => (await installation.admin('POST', '/admin/enrolments/first', {})).body.url as string;

  for (const algorithm of ['ES256', 'EdDSA'] as const) {
    test(`BR-4: the first link makes an administrator with a ${algorithm} passkey and a device key`, async () => {
      const link = await firstLink();
      assert.match(link, /^http:\/\/hub\.localhost:8700\/enrol#[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}$/);
      const browser = new Browser(installation, algorithm);
      const answer = await browser.enrol(link);
      assert.equal(answer.status, 200);
      assert.equal(answer.body.user.name, 'Administrator');
      const session = await browser.get('/api/session');
      assert.deepEqual(session.body.user, answer.body.user);
      assert.deepEqual(session.body.device, answer.body.device);
      assert.equal(session.body.leaseEnds, installation.clock.now() + 28_800_000);
      const { body } = await installation.admin('GET', '/admin/users');
      assert.deepEqual(body.users[0].groups, ['admins']);
      assert.equal((await installation.admin('POST', '/admin/enrolments/first', {})).body.url, null);
    });
  }

  test('the link names the fingerprint of the pins that anyone can compare', async () => {
    const link = await firstLink();
    const { body } = await installation.browse(installation.hub, { path: '/.well-known/latchkey/pins' });
    assert.equal(link.split('.').at(-1), body.fingerprint);
    assert.equal((await installation.admin('GET', '/admin/status')).body.fingerprint, body.fingerprint);
  });

  test('the lease cookie is for this host and for no script', async () => {
    const answer = await new Browser(installation).enrol(await firstLink());
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    assert.match(cookie, /^latchkey_lease=[A-Za-z0-9_-]{43}; Max-Age=28800; Path=\/; HttpOnly; SameSite=Strict$/);
  });

  test('over TLS the lease cookie is bound to this host by its name, from enrolment to sign-out', async () => {
    const trustedProxies = ['127.0.0.0/8', '::1/128'];
    const secure = await new Installation((config) => ({ ...config, scheme: 'https', trustedProxies })).start();
    try {
      const browser = new Browser(secure);
      const { body } = await secure.admin('POST', '/admin/enrolments/first', {});
      const [cookie = ''] = (await browser.enrol(body.url)).headers['set-cookie'] ?? [];
      assert.match(cookie, /^__Host-latchkey_lease=[A-Za-z0-9_-]{43}; Max-Age=28800; Path=\/; HttpOnly; Secure; /);
      assert.equal((await browser.get('/api/session')).status, 200);
      const bare = { cookie: `latchkey_lease=${browser.cookie}` };
      assert.equal((await secure.browse(secure.hub, { path: '/api/session', headers: bare })).status, 401);
      const left = await browser.postSigned('/api/logout', {});
      assert.match(left.headers['set-cookie']?.[0] ?? '', /^__Host-latchkey_lease=; Max-Age=0; Path=\/; /);
    } finally {
      await secure.stop();
      secure.remove();
    }
  });

  test('QHX-7: a used link is refused, whoever comes with it', async () => {
    const link = await firstLink();
    await new Browser(installation).enrol(link);
    const token = new URL(link).hash.slice(1).split('.')[0];
    const again = await new Browser(installation).post('/api/enrol/begin', { token });
    assert.deepEqual([again.status, again.body.error], [410, 'enrolment_used']);
  });

  test('an expired link is refused', async () => {
    const link = await firstLink();
    installation.clock.leap(86_400_000);
    const token = new URL(link).hash.slice(1).split('.')[0];
    const answer = await new Browser(installation).post('/api/enrol/begin', { token });
    assert.deepEqual([answer.status, answer.body.error], [410, 'enrolment_expired']);
  });

  test('a link nobody made is refused, and one that a newer first link replaced', async () => {
    const old = new URL(await firstLink()).hash.slice(1).split('.')[0];
    await firstLink();
    for (const token of ['A'.repeat(43), old]) {
      const answer = await new Browser(installation).post('/api/enrol/begin', { token });
      assert.deepEqual([answer.status, answer.body.error], [404, 'enrolment_unknown']);
    }
    const refused = (await installation.events('enrol')).map(({ decision, reason }) => [decision, reason]);
    assert.deepEqual(refused, Array(2).fill(['deny', 'enrolment_unknown']));
  });

  test('QHX-7: 64 browsers with one link at once: exactly one is enrolled', async () => {
    const link = await firstLink();
    const browsers = Array.from({ length: 30 }, () => new Browser(installation));
    const bodies = await Promise.all(browsers.map((browser) => browser.prepareEnrolment(link)));
    // The same answers twice over: one ceremony raced against itself, and all of them for one link.
    const raced = [...bodies, ...bodies, ...bodies.slice(0, 4)];
    const answers = await Promise.all(raced.map((body) => browsers[0]!.post('/api/enrol/finish', body)));
    assert.equal(raced.length, 64);
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    const { body } = await installation.admin('GET', '/admin/users');
    assert.equal(body.users[0].devices.length, 1);
    assert.equal((await installation.events('enrol')).filter(({ decision }) => decision === 'allow').length, 1);
  });

  const wrongs: [string, Wrong, string, string][] = [
    [
      'another origin',
      { ceremony: { origin: 'http://shell.apps.localhost:8700' } },
      'ceremony_refused',
      'webauthn_origin',
    ],
    ['another relying party', { ceremony: { rpId: 'localhost' } }, 'ceremony_refused', 'webauthn_rp'],
    ['another type', { ceremony: { type: 'webauthn.get' } }, 'ceremony_refused', 'webauthn_type'],
    ['no user verification', { ceremony: { userVerified: false } }, 'ceremony_refused', 'webauthn_user_verification'],
    ['a frame of another site', { ceremony: { crossOrigin: true } }, 'ceremony_refused', 'webauthn_cross_origin'],
    ['a top origin', { ceremony: { topOrigin: 'http://evil.test' } }, 'ceremony_refused', 'webauthn_cross_origin'],
    ['backed up but not eligible', { ceremony: { backedUp: true } }, 'ceremony_refused', 'webauthn_backup_state'],
    [
      'another challenge',
      { challenge: (right) => right.map((byte) => byte ^ 1) },
      'device_signature',
      'device_signature',
    ],
    [
      'an altered posture report',
      {
        body: (body) => ({
          ...body,
          posture: { ...body.posture, statement: Buffer.from('{"v":1}').toString('base64url') },
        }),
      },
      'posture_invalid',
      'posture_invalid',
    ],
  ];
  for (const [what, wrong, code, reason] of wrongs) {
    test(`BR-4: an enrolment with ${what} is refused, audited, and leaves nothing`, async () => {
      const link = await firstLink();
      const answer = await new Browser(installation).enrol(link, wrong);
      assert.deepEqual([answer.status, answer.body.error], [403, code]);
      const events = await installation.events('enrol');
      assert.deepEqual(
        events.map((event) => [event.decision, event.reason]),
        [['deny', reason]],
      );
      const { body } = await installation.admin('GET', '/admin/users');
      assert.deepEqual(body.users[0].devices, []);
      // The link itself is still good for an honest attempt.
      assert.equal((await new Browser(installation).enrol(link)).status, 200);
    });
  }

  test('a refused ceremony cannot be answered a second time', async () => {
    const browser = new Browser(installation);
    const body = await browser.prepareEnrolment(await firstLink(), { ceremony: { userVerified: false } });
    assert.equal((await browser.post('/api/enrol/finish', body)).body.error, 'ceremony_refused');
    const again = await browser.post('/api/enrol/finish', body);
    assert.deepEqual([again.status, again.body.error], [410, 'ceremony_unknown']);
  });

  test('a passkey that is enrolled already is not enrolled for somebody else', async () => {
    const browser = new Browser(installation);
    await browser.enrol(await firstLink());
    const { body } = await installation.admin('POST', '/admin/enrolments', { name: 'Bob' });
    const answer = await browser.enrol(body.url);
    assert.deepEqual([answer.status, answer.body.error], [409, 'device_known']);
  });

  test('no refusal and no log line repeats a token, a nonce or a challenge', async () => {
    const link = await firstLink();
    const token = new URL(link).hash.slice(1).split('.')[0] ?? '';
    const browser = new Browser(installation);
    let challenge = '';
    const body = await browser.prepareEnrolment(link, {
      challenge: (right) => {
        challenge = Buffer.from(right).toString('base64url');
        return right.map((byte) => byte ^ 1);
      },
    });
    const answer = await browser.post('/api/enrol/finish', body);
    for (const text of [answer.text, ...installation.logged]) {
      assert.ok(!text.includes(token) && !text.includes(challenge), text);
    }
    assert.ok(installation.logged.length > 0);
  });
});
