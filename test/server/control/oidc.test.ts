/** Sign-in at a real OpenID provider, and what a provider that was taken over can do: sign in as a user, and nothing more. */
import assert from 'node:assert/strict';
import { createPublicKey, createSecretKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { decodeJwt, type JWTPayload, SignJWT } from 'jose';
import { base64url, unbase64url, utf8 } from '../../../protocol/bytes.ts';
import { deviceMessage, oidcChallenge } from '../../../protocol/challenges.ts';
import { weaknessOf } from '../../../server/control/oidc/provider.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { oidcSchema } from '../../../server/oidc-settings.ts';
import { clientId, OpenIdProvider, signInAt } from '../../support/openid-provider.ts';
import { Browser } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken } from './far-gateway.ts';
import { type Answer, Installation } from './installation.ts';
import { assertPasskeyNeeded } from './passkey-needed.ts';

const key = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const otherKey = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const hub = 'http://hub.localhost:8700';
const redirectUri = `${hub}/oidc/callback`;
const logoutUri = `${hub}/oidc/logout`;

describe('sign-in at an OpenID provider', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oidc-'));
  let provider: OpenIdProvider;
  let installation: Installation;
  let gateway: FarGateway;
  let ada: Browser;
  /** Logout tokens the provider sent. */
  let sent: string[];
  beforeEach(async () => {
    sent = [];
    provider = await OpenIdProvider.start({
      ...{ redirectUri, logoutUri },
      change: {
        jwks: { keys: [{ ...key.privateKey.export({ format: 'jwk' }), kid: 'its', use: 'sig', alg: 'RS256' }] },
      },
      send: async (body) => {
        sent.push(body);
        return (await logout(body)).status;
      },
    });
    const clientSecretFile = join(folder, 'secret');
    writeFileSync(clientSecretFile, `${provider.secret}\n`);
    const oidc = oidcSchema.parse({ issuer: provider.issuer, name: 'Example', clientId, clientSecretFile });
    installation = new Installation((config) => ({ ...config, oidc }));
    toNow();
    await installation.start({ gateway: supervisorToken });
    gateway = await gatewayWithSite(installation);
    await installation.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' });
    ada = await enrolled('Ada', 'admins');
  });
  afterEach(async () => {
    gateway.channel.close();
    await installation.stop();
    installation.remove();
    await provider.stop();
    rmSync(join(folder, 'secret'), { force: true });
  });

  async function enrolled(name: string, group: string): Promise<Browser> {
    const browser = new Browser(installation);
    const { body } = await installation.admin('POST', '/admin/enrolments', { name, group });
    assert.equal((await browser.enrol(body.url)).status, 200);
    return browser;
  }
  const logout = (body: string) =>
    installation.browse(hub, {
      ...{ method: 'POST', path: '/oidc/logout', body },
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });

  /** The provider has a clock of its own. */
  const toNow = () => installation.clock.leap(Date.now() - installation.clock.now());
  function begin(browser: Browser): Promise<Answer> {
    toNow();
    return browser.post('/api/oidc/begin', { devicePublicKey: base64url(browser.devicePublicKey) });
  }
  function answer(browser: Browser, begun: Answer, query: string, signedQuery = query): object {
    const posture = browser.posture();
    const challenge = oidcChallenge(nodeCrypto, {
      rpId: begun.body.rpId,
      nonce: unbase64url(begun.body.nonce),
      deviceKeyHash: nodeCrypto.sha256(browser.devicePublicKey),
      userHandle: unbase64url(begun.body.userHandle),
      postureHash: posture.hash,
      queryHash: nodeCrypto.sha256(utf8(signedQuery)),
    });
    return { answer: query, deviceSignature: browser.signAsDevice(deviceMessage(challenge)), posture: posture.json };
  }
  async function finish(browser: Browser, body: object): Promise<Answer> {
    const answered = await browser.post('/api/oidc/finish', body);
    const [line = ''] = answered.headers['set-cookie'] ?? [];
    browser.cookie = /^latchkey_lease=([^;]+)/.exec(line)?.[1] ?? browser.cookie;
    return answered;
  }
  async function signIn(browser: Browser, name: string): Promise<Answer> {
    const begun = await begin(browser);
    assert.equal(begun.status, 200, begun.text);
    const back = await signInAt(begun.body.url, name, redirectUri);
    return finish(browser, answer(browser, begun, back.search.slice(1)));
  }
  /** Signed in by the passkey, a person says that the account there is theirs; then they come by it alone. */
  async function comesByProvider(browser: Browser, name: string): Promise<void> {
    assert.equal((await signIn(browser, name)).status, 200);
    browser.cookie = undefined;
    const answered = await signIn(browser, name);
    assert.equal(answered.status, 200, answered.text);
  }
  test('QZ-23: what the device key signed at a provider stands in the sign-in and in the connection', async () => {
    assert.equal((await signIn(ada, 'ada@example')).status, 200);
    const { user } = (await ada.get('/api/session')).body;
    const { handle } = await installation.control.context.store
      .selectFrom('users')
      .select('handle')
      .where('id', '=', user.id)
      .executeTakeFirstOrThrow();
    const connected = (await installation.events('admin')).find(({ detail }) => detail.operation === 'identity.link');
    for (const { detail } of [await lastLogin(), connected]) {
      const field = (name: string) => unbase64url(detail[`signed.${name}`]);
      const challenge = oidcChallenge(nodeCrypto, {
        ...{ rpId: 'hub.localhost', nonce: field('nonce'), userHandle: handle, postureHash: field('posture') },
        ...{ deviceKeyHash: nodeCrypto.sha256(ada.devicePublicKey), queryHash: field('answer') },
      });
      const of = createPublicKey({ format: 'raw-public', key: ada.devicePublicKey, asymmetricKeyType: 'ed25519' });
      assert.ok(verify(null, deviceMessage(challenge), of, field('signature')), detail.by ?? detail.operation);
    }
  });

  const lastLogin = async () => (await installation.events('login')).at(-1);

  test('QZ-24: an account that its person connected by their passkey signs in, with groups, acr and amr for policy', async () => {
    provider.account = { groups: ['staff', 'admins'], acr: 'urn:test:mfa', amr: ['pwd', 'otp'] };
    await comesByProvider(ada, 'ada@example');
    const { detail, decision } = await lastLogin();
    assert.deepEqual([decision, detail.by, detail.acr, detail.amr], ['allow', 'oidc', 'urn:test:mfa', 'pwd otp']);
    const bob = await enrolled('Bob', 'readers');
    await comesByProvider(bob, 'bob@example');
    const policy = (condition: string) =>
      installation.admin('PUT', '/admin/policies', {
        text: `permit (principal in Group::"idp/staff", action, resource) when { ${condition} };`,
      });
    for (const [condition, status] of [
      ['context has idp && context.idp has acr && context.idp.acr == "urn:test:mfa"', 200],
      ['context has idp && context.idp.amr.contains("otp") && context.amr.contains("oidc")', 200],
      ['context.authAgeS < 600', 200],
      ['context has idp && context.idp.amr.contains("hwk")', 403],
      ['context.amr.contains("passkey")', 403],
      ['context.posture has userVerified', 403],
    ] as const) {
      assert.equal((await policy(condition)).body.state, 'inForce', condition);
      assert.equal((await bob.launch('wiki')).answer.status, status, condition);
    }
    // A group of the provider's is none of ours, whatever it is called.
    await installation.admin('PUT', '/admin/policies', {
      text: 'permit (principal in Group::"admins", action, resource);',
    });
    assert.equal((await bob.launch('wiki')).answer.status, 403);
    // It takes its own away, and those that a SAML provider said stay.
    const { id } = (await bob.get('/api/session')).body.user;
    const bySaml = { user_id: id, group_name: 'saml/staff' };
    await installation.control.context.store.insertInto('user_groups').values(bySaml).execute();
    provider.account = { ...provider.account, groups: [] };
    await signIn(bob, 'bob@example');
    const { users } = (await installation.admin('GET', '/admin/users')).body;
    assert.deepEqual(users.find(({ name }: { name: string }) => name === 'Bob').groups, ['readers', 'saml/staff']);
  });

  test('QZ-9: a provider that was taken over signs in as a user, and adds no device, approves and reads nothing', async () => {
    await comesByProvider(ada, 'ada@example');
    assert.equal((await ada.get('/api/services')).status, 200);
    await assertPasskeyNeeded(ada);
    // With the passkey all of it is theirs again.
    assert.equal((await ada.login()).status, 200);
    assert.equal((await ada.postSigned('/api/devices/invite', {})).status, 200);
  });

  test('QZ-9: a provider cannot say that an account of its making is a person here, nor one person another', async () => {
    ada.cookie = undefined;
    assert.equal((await signIn(ada, 'mallory')).body.error, 'idp_unlinked');
    assert.deepEqual([(await lastLogin()).decision, (await lastLogin()).reason], ['deny', 'idp_unlinked']);
    const bob = await enrolled('Bob', 'readers');
    await comesByProvider(bob, 'bob@example');
    assert.equal((await signIn(ada, 'bob@example')).body.error, 'idp_other');
    assert.equal((await ada.get('/api/session')).body.error, 'unauthenticated');
  });

  test('QZ-10: a sign-in at the provider that is in the future is refused', async () => {
    const account = provider.account;
    provider.account = { ...account, authTime: Math.floor(Date.now() / 1_000) + 600 };
    assert.equal((await signIn(ada, 'ada@example')).body.error, 'oidc_refused');
    assert.deepEqual([(await lastLogin()).decision, (await lastLogin()).reason], ['deny', 'oidc_refused']);
    provider.account = account;
    assert.equal((await signIn(ada, 'ada@example')).status, 200);
  });

  type Forge = (claims: JWTPayload, token: string) => Promise<string> | string;
  const signed = (claims: JWTPayload, by: KeyObject, alg = 'RS256') =>
    new SignJWT(claims).setProtectedHeader({ alg, kid: 'its', typ: 'JWT' }).sign(by);
  const part = (value: object) => base64url(utf8(JSON.stringify(value)));
  const forgedTokens: [what: string, forge: Forge][] = [
    ['that nobody signed (alg none)', (claims) => `${part({ alg: 'none' })}.${part(claims)}.`],
    [
      'signed by HS256 with the public key as the secret',
      (claims) => {
        const pem = createPublicKey(key.publicKey.export({ format: 'pem', type: 'spki' })).export({
          format: 'pem',
          type: 'spki',
        });
        return signed(claims, createSecretKey(Buffer.from(pem)), 'HS256');
      },
    ],
    [
      'signed by HS256 with the client’s own secret',
      (claims) => signed(claims, createSecretKey(Buffer.from(provider.secret)), 'HS256'),
    ],
    ['signed by another key of the same name', (claims) => signed(claims, otherKey.privateKey)],
    ['of another algorithm of the right key', (claims) => signed(claims, key.privateKey, 'PS256')],
    [
      'whose claims were changed',
      (claims, token) => token.replace(/\.[^.]+\./, `.${part({ ...claims, sub: 'eve' })}.`),
    ],
    ['without a nonce', ({ nonce: _, ...claims }) => signed(claims, key.privateKey)],
    ['with another nonce', (claims) => signed({ ...claims, nonce: 'of-another-flow' }, key.privateKey)],
    ['for another client', (claims) => signed({ ...claims, aud: 'another' }, key.privateKey)],
    ['of another issuer', (claims) => signed({ ...claims, iss: 'https://evil.example' }, key.privateKey)],
    ['that has expired', (claims) => signed({ ...claims, exp: Math.floor(Date.now() / 1_000) - 600 }, key.privateKey)],
    ['that does not say when the person signed in', ({ auth_time: _, ...claims }) => signed(claims, key.privateKey)],
    ['without a subject', ({ sub: _, ...claims }) => signed(claims, key.privateKey)],
  ];
  test('QZ-10: an ID token that is not the provider’s own word for this sign-in is refused, whatever is wrong with it', async () => {
    // As it is made it is taken, and so is one that this test signs anew: what is refused below is refused for its fault.
    assert.equal((await signIn(ada, 'ada@example')).status, 200);
    provider.forge = async (token) => signed(decodeJwt(token), key.privateKey);
    assert.equal((await signIn(ada, 'ada@example')).status, 200);
    for (const [what, forge] of forgedTokens) {
      provider.forge = async (token) => forge(decodeJwt(token), token);
      const refused = await signIn(ada, 'ada@example');
      assert.deepEqual([refused.status, refused.body.error], [403, 'oidc_refused'], what);
      assert.deepEqual([(await lastLogin()).decision, (await lastLogin()).reason], ['deny', 'oidc_refused'], what);
    }
  });

  test('QZ-10: an address of e-mail connects nobody to an account, verified or not', async () => {
    const bob = await enrolled('Bob', 'readers');
    for (const email_verified of [true, false, undefined]) {
      // The same address as somebody who is connected already, of another account.
      provider.forge = async (token) =>
        signed({ ...decodeJwt(token), sub: 'another', email: 'ada@example', email_verified }, key.privateKey);
      bob.cookie = undefined;
      const refused = await signIn(bob, 'ada@example');
      assert.deepEqual([refused.status, refused.body.error], [403, 'idp_unlinked'], String(email_verified));
    }
  });

  test('QZ-24: a sign-in of none of the classes that were asked for is refused, and one of them is taken', async () => {
    installation.config.oidc?.acrValues.push('urn:test:mfa', 'urn:test:hardware');
    const { account } = provider;
    for (const acr of ['urn:test:password', 'urn:test:mfa urn:test:hardware', 'URN:TEST:MFA', '0', undefined]) {
      provider.account = { ...account, acr };
      const refused = await signIn(ada, 'ada@example');
      assert.deepEqual([refused.status, refused.body.error], [403, 'oidc_acr'], String(acr));
      assert.deepEqual([(await lastLogin()).decision, (await lastLogin()).reason], ['deny', 'oidc_acr']);
    }
    provider.account = { ...account, acr: 'urn:test:hardware' };
    assert.equal((await signIn(ada, 'ada@example')).status, 200);
  });

  test('QZ-9: a browser that is not enrolled cannot even begin', async () => {
    const stranger = new Browser(installation);
    assert.equal((await begin(stranger)).body.error, 'device_unknown');
  });

  test('a code is good in the browser that asked for it, once, with the answer as it came', async () => {
    const bob = await enrolled('Bob', 'readers');
    const begun = await begin(ada);
    const query = (await signInAt(begun.body.url, 'ada@example', redirectUri)).search.slice(1);
    const tampered = query.replace(/code=[^&]*/, 'code=another');
    assert.equal((await finish(ada, answer(ada, begun, tampered, query))).body.error, 'device_signature');
    assert.equal((await finish(ada, answer(ada, begun, query))).body.error, 'ceremony_unknown', 'a refusal spends it');
    const second = await begin(ada);
    const again = (await signInAt(second.body.url, 'ada@example', redirectUri)).search.slice(1);
    assert.equal(
      (await finish(bob, answer(bob, second, again))).body.error,
      'posture_invalid',
      'put into another browser',
    );
    const third = await begin(ada);
    const swapped = query.replace(/state=[^&]*/, `state=${new URL(third.body.url).searchParams.get('state')}`);
    assert.equal((await finish(ada, answer(ada, third, swapped))).body.error, 'oidc_refused', 'a code of another flow');
    const fourth = await begin(ada);
    const wrongIssuer = (await signInAt(fourth.body.url, 'ada@example', redirectUri)).search.slice(1);
    const mixed = wrongIssuer.replace(/iss=[^&]*/, `iss=${encodeURIComponent('https://evil.example')}`);
    assert.equal((await finish(ada, answer(ada, fourth, mixed))).body.error, 'oidc_refused', 'of another issuer');
    const guessed = again.replace(/state=[^&]*/, `state=${'0'.repeat(24)}.${'A'.repeat(43)}`);
    assert.equal((await finish(ada, answer(ada, fourth, guessed))).body.error, 'ceremony_unknown');
  });

  test('QZ-24: signing out at the provider ends what was entered by it, at once and once, and nothing else', async () => {
    await comesByProvider(ada, 'ada@example');
    const bob = await enrolled('Bob', 'readers');
    const row = await installation.control.context.store
      .selectFrom('leases')
      .select(['idp_subject', 'idp_sid'])
      .where('idp_sid', 'is not', null)
      .orderBy('created_at', 'desc')
      .executeTakeFirstOrThrow();
    await provider.signOut(String(row.idp_subject), String(row.idp_sid));
    assert.equal(sent.length, 1);
    const leases = await installation.control.context.store.selectFrom('leases').selectAll().execute();
    assert.deepEqual(
      leases.filter(({ idp_sid }) => idp_sid === row.idp_sid).map(({ revoked_at }) => revoked_at !== null),
      [true],
    );
    assert.equal((await bob.get('/api/session')).status, 200);
    assert.equal((await installation.events('logout')).length, 1);
    assert.equal((await logout(sent[0] ?? '')).body.error, 'request_replayed');
  });

  const forged: [string, (token: string) => string, string][] = [
    ['without a token', () => '', 'malformed'],
    ['with a token of no meaning', () => 'logout_token=a.b.c', 'oidc_refused'],
    [
      'with a changed token',
      (token) => {
        const [head = '', , signature = ''] = token.split('.');
        return `logout_token=${head}.${base64url(utf8('{"sub":"everybody"}'))}.${signature}`;
      },
      'oidc_refused',
    ],
    [
      'unsigned',
      (token) => `logout_token=${base64url(utf8('{"alg":"none"}'))}.${token.split('.')[1]}.`,
      'oidc_refused',
    ],
    ['too large', () => `logout_token=${'a'.repeat(20_000)}`, 'too_large'],
  ];
  test('a logout that the provider did not sign is refused', async () => {
    await comesByProvider(ada, 'ada@example');
    await provider.signOut('somebody', 'else');
    const token = new URLSearchParams(sent[0]).get('logout_token') ?? '';
    for (const [what, body, code] of forged) assert.equal((await logout(body(token))).body.error, code, what);
    assert.equal((await ada.get('/api/session')).status, 200);
  });

  test('no secret of a sign-in is logged or kept', async () => {
    const begun = await begin(ada);
    const back = await signInAt(begun.body.url, 'ada@example', redirectUri);
    await finish(ada, answer(ada, begun, back.search.slice(1)));
    const text = installation.logged.join('\n') + JSON.stringify(await installation.events());
    for (const secret of [provider.secret, back.searchParams.get('code') ?? '', back.searchParams.get('state') ?? ''])
      assert.ok(secret.length > 20 && !text.includes(secret));
  });
});

describe('settings and providers that would be weaker than they look', () => {
  const right = { issuer: 'https://login.example', name: 'Example', clientId, clientSecretFile: '/etc/secret' };
  const settings: [object, RegExp][] = [
    [{ issuer: 'http://login.example' }, /https/],
    [{ issuer: 'https://login.example/?tenant=1' }, /https URL without query/],
    [{ issuer: 'https://user:secret@login.example' }, /https/],
    [{ issuer: 'login.example' }, /https/],
    [{ signingAlg: 'none' }, /asymmetric/],
    [{ signingAlg: 'HS256' }, /asymmetric/],
    [{ responseType: 'id_token' }, /implicit/],
    [{ responseType: 'code id_token' }, /hybrid/],
    [{ pkce: false }, /stolen code/],
    [{ nonce: false }, /old ID token/],
    [{ clientSecret: 'here' }, /clientSecret/],
    [{ name: 'two\nlines' }, /one line/],
  ];
  for (const [change, reason] of settings)
    test(`QZ-24: ${JSON.stringify(change)} is refused with the reason`, () => {
      const parsed = oidcSchema.safeParse({ ...right, ...change });
      assert.match(parsed.error?.issues[0]?.message ?? 'taken', reason);
    });
  test('the right ones are taken, and a provider on this very machine may speak http', () => {
    assert.ok(oidcSchema.safeParse(right).success);
    assert.ok(oidcSchema.safeParse({ ...right, issuer: 'http://127.0.0.1:9000' }).success);
  });

  const metadata = {
    authorization_endpoint: 'https://login.example/a',
    token_endpoint: 'https://login.example/t',
    jwks_uri: 'https://login.example/k',
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
  const providers: [object, RegExp][] = [
    [{ token_endpoint: 'http://login.example/t' }, /token_endpoint/],
    [{ jwks_uri: undefined }, /jwks_uri/],
    [{ response_types_supported: ['id_token'] }, /code flow/],
    [{ code_challenge_methods_supported: ['plain'] }, /PKCE/],
    [{ code_challenge_methods_supported: undefined }, /PKCE/],
    [{ id_token_signing_alg_values_supported: ['none'] }, /RS256/],
  ];
  for (const [change, reason] of providers)
    test(`QZ-24: a provider of ${JSON.stringify(change)} is refused with the reason`, () => {
      assert.match(weaknessOf({ issuer: 'https://login.example', ...metadata, ...change }, 'RS256') ?? 'taken', reason);
    });
  test('a provider without weakness is taken', () => {
    assert.equal(weaknessOf(metadata, 'RS256'), undefined);
  });
});
