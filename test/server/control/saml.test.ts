/** Sign-in at a real SAML provider, and what a provider that was taken over can do: sign in as a user, and nothing more. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { base64url, unbase64url, utf8 } from '../../../protocol/bytes.ts';
import { deviceMessage, samlChallenge } from '../../../protocol/challenges.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { samlSchema } from '../../../server/saml-settings.ts';
import { SamlIdentityProvider, type SigningKeys, signingKeys, type Tags } from '../../support/saml-provider.ts';
import { Browser } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken } from './far-gateway.ts';
import { type Answer, Installation } from './installation.ts';
import { assertPasskeyNeeded } from './passkey-needed.ts';

const hub = 'http://hub.localhost:8700';
const acs = `${hub}/saml/acs`;
const folder = mkdtempSync(join(tmpdir(), 'saml-'));
let keys: SigningKeys | undefined;

describe('sign-in at a SAML provider', () => {
  let provider: SamlIdentityProvider;
  let installation: Installation;
  let gateway: FarGateway;
  let ada: Browser;
  beforeEach(async () => {
    keys ??= await signingKeys();
    const now = () => installation.clock.now();
    provider = await SamlIdentityProvider.start({ acs, entityId: `${hub}/saml/metadata`, keys, now });
    const certificateFile = join(folder, 'provider.pem');
    writeFileSync(certificateFile, keys.certificate);
    const { issuer, entryPoint } = provider;
    const saml = samlSchema.parse({ name: 'Example', issuer, entryPoint, certificateFile, forceAuthn: true });
    installation = new Installation((config) => ({ ...config, saml }));
    // The certificate is of today.
    installation.clock.leap(Date.now() - installation.clock.now());
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
    rmSync(join(folder, 'provider.pem'), { force: true });
  });

  async function enrolled(name: string, group: string): Promise<Browser> {
    const browser = new Browser(installation);
    const { body } = await installation.admin('POST', '/admin/enrolments', { name, group });
    assert.equal((await browser.enrol(body.url)).status, 200);
    return browser;
  }
  const begin = (browser: Browser) =>
    browser.post('/api/saml/begin', { devicePublicKey: base64url(browser.devicePublicKey) });
  const form = (body: string, headers: Record<string, string> = {}) =>
    installation.browse(hub, {
      ...{ method: 'POST', path: '/saml/acs', body },
      headers: { origin: 'null', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  const formOf = (xml: string, relayState: string) =>
    new URLSearchParams({ SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: relayState }).toString();
  /** What the browser is handed for a response. */
  async function bring(xml: string, relayState: string): Promise<string> {
    const answered = await form(formOf(xml, relayState));
    assert.equal(answered.status, 303);
    const { pathname, search, hash, origin } = new URL(answered.headers.location ?? '', hub);
    assert.deepEqual([origin, pathname, search], [hub, '/saml/callback', ''], 'wherever RelayState points');
    return hash.slice(1);
  }
  function proof(browser: Browser, begun: Answer, answer: string, signed = answer): object {
    const posture = browser.posture();
    const challenge = samlChallenge(nodeCrypto, {
      rpId: begun.body.rpId,
      nonce: unbase64url(begun.body.nonce),
      deviceKeyHash: nodeCrypto.sha256(browser.devicePublicKey),
      userHandle: unbase64url(begun.body.userHandle),
      postureHash: posture.hash,
      answerHash: nodeCrypto.sha256(utf8(signed)),
    });
    return { answer, deviceSignature: browser.signAsDevice(deviceMessage(challenge)), posture: posture.json };
  }
  async function finish(browser: Browser, body: object): Promise<Answer> {
    const answered = await browser.post('/api/saml/finish', body);
    const [line = ''] = answered.headers['set-cookie'] ?? [];
    browser.cookie = /^latchkey_lease=([^;]+)/.exec(line)?.[1] ?? browser.cookie;
    return answered;
  }
  async function atProvider(browser: Browser, name: string, change: Tags = {}) {
    const begun = await begin(browser);
    assert.equal(begun.status, 200, begun.text);
    const asked = await provider.read(begun.body.url);
    return { begun, asked, xml: await provider.respond(asked, name, change) };
  }
  async function signIn(browser: Browser, name: string, change: Tags = {}): Promise<Answer> {
    const { begun, asked, xml } = await atProvider(browser, name, change);
    return finish(browser, proof(browser, begun, await bring(xml, asked.relayState)));
  }
  /** Signed in by the passkey, a person says that the account there is theirs; then they come by it alone. */
  async function comesByProvider(browser: Browser, name: string): Promise<void> {
    assert.equal((await signIn(browser, name)).status, 200);
    browser.cookie = undefined;
    const answered = await signIn(browser, name);
    assert.equal(answered.status, 200, answered.text);
  }
  const lastLogin = async () => (await installation.events('login')).at(-1);

  test('QZ-24: an account that its person connected by their passkey signs in, with groups and acr for policy', async () => {
    provider.groups = ['staff', 'admins'];
    const bob = await enrolled('Bob', 'readers');
    await comesByProvider(bob, 'bob');
    const { detail, decision } = await lastLogin();
    assert.deepEqual([decision, detail.by, detail.groups], ['allow', 'saml', 2]);
    const policy = (condition: string) =>
      installation.admin('PUT', '/admin/policies', {
        text: `permit (principal in Group::"saml/staff", action, resource) when { ${condition} };`,
      });
    for (const [condition, status] of [
      ['context has idp && context.idp has acr && context.idp.acr like "*PasswordProtectedTransport"', 200],
      ['context.amr.contains("saml") && context.amr.contains("deviceKey")', 200],
      ['context.amr.contains("oidc")', 403],
      ['context.amr.contains("passkey")', 403],
    ] as const) {
      assert.equal((await policy(condition)).body.state, 'inForce', condition);
      assert.equal((await bob.launch('wiki')).answer.status, status, condition);
    }
    // A group of the provider's is none of ours, whatever it is called.
    await installation.admin('PUT', '/admin/policies', {
      text: 'permit (principal in Group::"admins", action, resource);',
    });
    assert.equal((await bob.launch('wiki')).answer.status, 403);
  });

  test('QZ-9: a SAML provider writes and takes away its own groups, and none of the OpenID provider', async () => {
    provider.groups = ['staff'];
    const bob = await enrolled('Bob', 'readers');
    const { id } = (await bob.get('/api/session')).body.user;
    const byOidc = { user_id: id, group_name: 'idp/staff-of-oidc' };
    await installation.control.context.store.insertInto('user_groups').values(byOidc).execute();
    const groups = async () => {
      const { users } = (await installation.admin('GET', '/admin/users')).body;
      return users.find((user: { id: string }) => user.id === id).groups;
    };
    await comesByProvider(bob, 'bob');
    assert.deepEqual(await groups(), ['idp/staff-of-oidc', 'readers', 'saml/staff']);
    provider.groups = [];
    await signIn(bob, 'bob');
    assert.deepEqual(await groups(), ['idp/staff-of-oidc', 'readers']);
  });

  test('QZ-24: what was entered by the provider ends when the session there does', async () => {
    const end = new Date(Date.now() + 600_000).toISOString();
    await signIn(ada, 'ada');
    ada.cookie = undefined;
    assert.equal((await signIn(ada, 'ada', { SessionNotOnOrAfter: end })).status, 200);
    assert.equal((await ada.get('/api/session')).body.leaseEnds, Date.parse(end));
    installation.clock.leap(Date.parse(end) - installation.clock.now());
    assert.equal((await ada.get('/api/session')).body.error, 'unauthenticated');
  });

  test('QZ-9: a provider that was taken over signs in as a user, and adds no device, approves and reads nothing', async () => {
    await comesByProvider(ada, 'ada');
    assert.equal((await ada.get('/api/services')).status, 200);
    await assertPasskeyNeeded(ada);
    assert.equal((await ada.get('/api/admin/audit')).body.error, 'admin_passkey');
    // With the passkey all of it is theirs again.
    assert.equal((await ada.login()).status, 200);
    assert.equal((await ada.postSigned('/api/devices/invite', {})).status, 200);
  });

  test('QZ-9: a provider cannot say that an account of its making is a person here, nor one person another', async () => {
    ada.cookie = undefined;
    assert.equal((await signIn(ada, 'mallory')).body.error, 'idp_unlinked');
    assert.deepEqual([(await lastLogin()).decision, (await lastLogin()).reason], ['deny', 'idp_unlinked']);
    const bob = await enrolled('Bob', 'readers');
    await comesByProvider(bob, 'bob');
    assert.equal((await signIn(ada, 'bob')).body.error, 'idp_other');
    assert.equal((await ada.get('/api/session')).body.error, 'unauthenticated');
  });

  test('QZ-9: a browser that is not enrolled cannot even begin', async () => {
    assert.equal((await begin(new Browser(installation))).body.error, 'device_unknown');
  });

  test('QZ-10: a response is good once, for the sign-in that asked for it, in the browser that began it', async () => {
    const bob = await enrolled('Bob', 'readers');
    const { begun, asked, xml } = await atProvider(ada, 'ada');
    const answer = await bring(xml, asked.relayState);
    assert.equal(await bring(xml, asked.relayState), 'refused', 'a second time, before it was used');
    const guessed = `${answer.split('.')[0]}.${'A'.repeat(43)}`;
    assert.equal((await finish(ada, proof(ada, begun, guessed))).body.error, 'ceremony_unknown');
    assert.equal((await finish(bob, proof(bob, begun, answer))).body.error, 'posture_invalid', 'in another browser');
    assert.equal((await finish(ada, proof(ada, begun, answer))).body.error, 'ceremony_unknown', 'a refusal spends it');

    const second = await atProvider(ada, 'ada');
    const good = await bring(second.xml, second.asked.relayState);
    assert.equal((await finish(ada, proof(ada, second.begun, good))).status, 200);
    assert.equal((await finish(ada, proof(ada, second.begun, good))).body.error, 'ceremony_unknown', 'used twice');
    assert.equal(await bring(second.xml, second.asked.relayState), 'refused', 'brought after it was used');

    const third = await atProvider(ada, 'ada');
    assert.equal(await bring(second.xml, third.asked.relayState), 'refused', 'an old one for a new sign-in');
    assert.equal((await lastLogin()).reason, 'saml_in_response_to');
    assert.equal(await bring(third.xml, third.asked.relayState), 'refused', 'the attempt is over');

    const fourth = await atProvider(ada, 'ada');
    const signed = await bring(fourth.xml, fourth.asked.relayState);
    const swapped = proof(ada, fourth.begun, signed, `${signed}x`);
    assert.equal((await finish(ada, swapped)).body.error, 'device_signature');
  });

  test('QZ-10: of responses that come at once one is taken', async () => {
    const { asked, xml } = await atProvider(ada, 'ada');
    const answers = await Promise.all(Array.from({ length: 8 }, () => bring(xml, asked.relayState)));
    assert.equal(answers.filter((answer) => answer !== 'refused').length, 1);
  });

  test('QZ-10: RelayState leads nowhere, and without a sign-in under way a response is not even read', async () => {
    const { asked, xml } = await atProvider(ada, 'ada');
    const [id = ''] = asked.relayState.split('.');
    for (const relayState of ['https://evil.example/', '//evil.example', '', id, `${id}.`, `${id}.${'A'.repeat(43)}`])
      assert.equal(await bring(xml, relayState), 'refused', relayState);
    const broken: [string, string][] = [
      ['', 'malformed'],
      ['SAMLResponse=a', 'malformed'],
      [`${formOf(xml, asked.relayState)}&RelayState=https%3A%2F%2Fevil.example`, 'malformed'],
      [`${formOf(xml, asked.relayState)}&SAMLResponse=a`, 'malformed'],
      [`SAMLResponse=${'a'.repeat(200_000)}&RelayState=x`, 'too_large'],
    ];
    for (const [body, code] of broken) {
      const from = installation.logged.length;
      const answered = await form(body);
      assert.equal(answered.headers.location, '/saml/callback#refused');
      assert.ok(
        installation.logged.slice(from).some((line) => line.includes(`"${code}"`)),
        code,
      );
    }
    assert.equal((await finish(ada, proof(ada, await begin(ada), 'refused'))).body.error, 'saml_refused');
    // None of it has cost the sign-in that is under way.
    assert.notEqual(await bring(xml, asked.relayState), 'refused');
  });

  test('QZ-38: a response that came too late is audited as that', async () => {
    const { asked, xml } = await atProvider(ada, 'ada', {
      NotOnOrAfter: new Date(installation.clock.now()).toISOString(),
    });
    installation.clock.leap(60_000);
    assert.equal(await bring(xml, asked.relayState), 'refused');
    assert.equal((await lastLogin()).reason, 'saml_expired');
  });

  test('QZ-10: with forceAuthn a sign-in from before this one began is refused', async () => {
    const before = new Date(installation.clock.now() - 60_001).toISOString();
    const { asked, xml } = await atProvider(ada, 'ada', { AuthnInstant: before });
    assert.equal(await bring(xml, asked.relayState), 'refused');
    assert.equal((await lastLogin()).reason, 'saml_force_authn');
    assert.equal((await signIn(ada, 'ada')).status, 200);
  });

  test('QZ-38: a response that is not believed is audited with its reason, and the attempt is over', async () => {
    const { asked, xml } = await atProvider(ada, 'ada', { Recipient: 'https://other.example/acs' });
    assert.equal(await bring(xml, asked.relayState), 'refused');
    const { decision, reason, subject } = await lastLogin();
    const { user } = (await ada.get('/api/session')).body;
    assert.deepEqual([decision, reason, subject], ['deny', 'saml_recipient', user.id]);
    assert.equal(await bring(await provider.respond(asked, 'ada'), asked.relayState), 'refused');
  });

  test('no secret of a sign-in is logged or kept', async () => {
    const { begun, asked, xml } = await atProvider(ada, 'ada');
    const answer = await bring(xml, asked.relayState);
    const [, ticket = ''] = answer.split('.');
    const [, secret = ''] = asked.relayState.split('.');
    const kept = await installation.control.context.store.selectFrom('ceremonies').selectAll().execute();
    const said = JSON.stringify(kept) + JSON.stringify(await installation.events());
    await finish(ada, proof(ada, begun, answer));
    const signature = /<ds:SignatureValue>([^<]+)/.exec(xml)?.[1] ?? '';
    for (const text of [ticket, secret, signature])
      assert.ok(text.length > 20 && !(said + installation.logged.join('\n')).includes(text));
  });

  test('our metadata is at its address, and without a provider there is nothing of all this', async () => {
    const { status, headers, text } = await installation.browse(hub, { path: '/saml/metadata' });
    assert.deepEqual([status, headers['content-type']], [200, 'application/samlmetadata+xml']);
    assert.ok(text.includes(`Location="${acs}"`));
    assert.deepEqual((await ada.get('/api/providers')).body, { providers: [{ protocol: 'saml', name: 'Example' }] });
    const other = await new Installation().start();
    const bare = new Browser(other);
    assert.equal((await bare.get('/saml/metadata')).body.error, 'saml_off');
    const devicePublicKey = base64url(bare.devicePublicKey);
    assert.equal((await bare.post('/api/saml/begin', { devicePublicKey })).body.error, 'saml_off');
    await other.stop();
    other.remove();
  });
});
