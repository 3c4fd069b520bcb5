/** Who did what can be shown later from the audit and public keys alone: each signature stands in the event of its act. */
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { after, before, test } from 'node:test';
import { unbase64url } from '../../../protocol/bytes.ts';
import {
  type CeremonyBinding,
  deviceMessage,
  enrolChallenge,
  launchChallenge,
  loginChallenge,
  requestMessage,
} from '../../../protocol/challenges.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { Browser } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken } from './far-gateway.ts';
import { bind } from './guest.ts';
import { Installation } from './installation.ts';

let installation: Installation;
let gateway: FarGateway;
let ada: Browser;
let user: string;
before(async () => {
  installation = await new Installation().start({ gateway: supervisorToken });
  gateway = await gatewayWithSite(installation);
  await installation.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' });
  ada = new Browser(installation);
  const { body } = await ada.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
  user = body.user.id;
});
after(async () => {
  gateway.channel.close();
  await installation.stop();
  installation.remove();
});

type Detail = Readonly<Record<string, string>>;
const field = (detail: Detail, name: string) => unbase64url(detail[`signed.${name}`] ?? '');
/** By the key that the device is kept with, and by Node alone. */
function isBy(browser: Browser, message: Uint8Array, detail: Detail): boolean {
  const key = createPublicKey({ format: 'raw-public', key: browser.devicePublicKey, asymmetricKeyType: 'ed25519' });
  return verify(null, message, key, field(detail, 'signature'));
}
async function bindingOf(browser: Browser, who: string, detail: Detail): Promise<CeremonyBinding> {
  const { handle } = await installation.control.context.store
    .selectFrom('users')
    .select('handle')
    .where('id', '=', who)
    .executeTakeFirstOrThrow();
  const deviceKeyHash = nodeCrypto.sha256(browser.devicePublicKey);
  return { rpId: 'hub.localhost', nonce: field(detail, 'nonce'), deviceKeyHash, userHandle: handle };
}
const last = async (type: string): Promise<{ detail: Detail; actor: string }> =>
  (await installation.events(type)).filter(({ detail }) => detail?.['signed.signature'] !== undefined).at(-1);

test('QZ-23: a signed request stands in the event of what it changed, an administrator’s and a person’s own', async () => {
  const device = (await ada.get('/api/session')).body.device.id;
  const acts: [path: string, body: object][] = [
    ['/api/admin/users', { name: 'Ivo' }],
    ['/api/admin/links', { services: ['wiki'], ttlS: 60, uses: 1 }],
    ['/api/devices/name', { device, name: 'Laptop' }],
    ['/api/devices/invite', {}],
  ];
  for (const [path, body] of acts) {
    const answer = await ada.postSigned(path, body);
    assert.equal(answer.status, 200, answer.text);
    const event = (await installation.events()).at(-1);
    const { detail } = event;
    const digest = nodeCrypto.sha256(Buffer.from(JSON.stringify(body)));
    assert.deepEqual([detail['signed.method'], detail['signed.target']], ['POST', path]);
    assert.deepEqual(field(detail, 'digest'), digest);
    const message = requestMessage('POST', path, digest, field(detail, 'nonce'), Number(detail['signed.time']));
    assert.ok(isBy(ada, message, detail), path);
    assert.match(event.actor, new RegExp(`/device/${device}$`));
    const other = requestMessage('POST', path, digest, field(detail, 'nonce'), Number(detail['signed.time']) + 1);
    assert.equal(isBy(ada, other, detail), false);
  }
});

test('QZ-23: enrolment, sign-in and launch stand there with the device key’s signature over what they were', async () => {
  const bob = new Browser(installation);
  const { body } = await installation.admin('POST', '/admin/enrolments', { name: 'Bob', group: 'admins' });
  await bob.enrol(body.url);
  const enrolled = (await last('enrol')).detail;
  const hashOf = (detail: Detail) => ({ postureHash: field(detail, 'posture') });
  const enrolment = { ...(await bindingOf(bob, body.user, enrolled)), ...hashOf(enrolled) };
  assert.ok(isBy(bob, deviceMessage(enrolChallenge(nodeCrypto, enrolment)), enrolled));
  assert.equal(isBy(ada, deviceMessage(enrolChallenge(nodeCrypto, enrolment)), enrolled), false);

  await bob.login();
  const { detail } = await last('login');
  const login = loginChallenge(nodeCrypto, { ...(await bindingOf(bob, body.user, detail)), ...hashOf(detail) });
  assert.ok(isBy(bob, deviceMessage(login), detail));
  // The passkey's own word, over the same challenge.
  const client = JSON.parse(Buffer.from(field(detail, 'clientData')).toString());
  assert.deepEqual(unbase64url(client.challenge), login);
  const passkey = await installation.control.context.store
    .selectFrom('credentials')
    .select('public_key')
    .where('user_id', '=', body.user)
    .executeTakeFirstOrThrow();
  // COSE of ES256 ends with x, a head of three bytes, y (RFC 9053 section 7.1.1).
  const cose = Buffer.from(passkey.public_key);
  const [x, y] = [cose.subarray(-67, -35), cose.subarray(-32)].map((part) => part.toString('base64url'));
  const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: x!, y: y! } });
  const hashed = Buffer.concat([field(detail, 'authenticatorData'), nodeCrypto.sha256(field(detail, 'clientData'))]);
  assert.ok(verify('sha256', hashed, key, field(detail, 'passkey')));

  const { answer, session } = await bob.launch('wiki');
  assert.equal(answer.status, 200, answer.text);
  const launched = (await last('launch')).detail;
  const challenge = launchChallenge(nodeCrypto, {
    ...(await bindingOf(bob, body.user, launched)),
    ...hashOf(launched),
    sessionKeyHash: nodeCrypto.sha256(session.publicKey),
    lease: field(launched, 'lease'),
    service: 'wiki',
  });
  assert.ok(isBy(bob, deviceMessage(challenge), launched));
});

test('QZ-23: a guest who makes a passkey by a link signs for it as well; a kiosk’s guest has nothing to sign with', async () => {
  const link = await installation.admin('POST', '/admin/links', { services: ['wiki'], ttlS: 60, uses: 1 });
  const guest = new Browser(installation);
  assert.equal((await bind(guest, link.body.url)).status, 200);
  const { detail } = await last('link.redeem');
  const { user_id } = await installation.control.context.store
    .selectFrom('devices')
    .select('user_id')
    .where('public_key', '=', guest.devicePublicKey)
    .executeTakeFirstOrThrow();
  const binding = { ...(await bindingOf(guest, user_id, detail)), postureHash: field(detail, 'posture') };
  assert.ok(isBy(guest, deviceMessage(enrolChallenge(nodeCrypto, binding)), detail));
});

test('QZ-23: what nobody signed has no signature beside it', async () => {
  await installation.admin('POST', '/admin/users', { name: 'By the command line' });
  const event = (await installation.events('admin')).at(-1);
  assert.deepEqual(
    [event.actor, Object.keys(event.detail).filter((name) => name.startsWith('signed.'))],
    ['system', []],
  );
  assert.notEqual(user, '');
});

test('QZ-7: what a device did since its posture was last found good can be asked for by its name', async () => {
  const eve = new Browser(installation);
  const { body } = await installation.admin('POST', '/admin/enrolments', { name: 'Eve', group: 'admins' });
  const device = (await eve.enrol(body.url)).body.device.id;
  const asked = async (query: string) =>
    (await installation.admin('GET', `/admin/audit?limit=1000&${query}`)).body.events.map(
      ({ type, service }: { type: string; service?: string }) => `${type} ${service ?? ''}`.trim(),
    );
  await eve.launch('wiki');
  await eve.login();
  await eve.postSigned('/api/devices/name', { device, name: 'Eve’s' });
  await ada.postSigned('/api/devices/invite', {});
  await eve.postSigned('/api/launch/explain', { service: 'nothing' });
  assert.deepEqual(await asked(`device=${device}`), [
    ...['posture', 'enrol', 'posture wiki', 'launch wiki', 'posture', 'login', 'admin', 'launch nothing'],
  ]);
  const since = ['posture', 'login', 'admin', 'launch nothing'];
  assert.deepEqual(await asked(`device=${device}&sincePosture=true`), since);
  assert.deepEqual(await asked(`device=${device}&sincePosture=true&type=login`), ['login']);
  assert.deepEqual(await asked(`device=${'0'.repeat(24)}&sincePosture=true`), []);
  for (const query of ['device=%25', "device='", 'sincePosture=x', 'sincePosture=true'])
    assert.equal((await installation.admin('GET', `/admin/audit?${query}`)).body.error, 'malformed', query);
});

test('QZ-7: a launch that is denied hides nothing of what came before it', async () => {
  const zoe = new Browser(installation);
  const { body } = await installation.admin('POST', '/admin/enrolments', { name: 'Zoe' });
  const device = (await zoe.enrol(body.url)).body.device.id;
  assert.equal((await zoe.launch('wiki')).answer.body.error, 'denied');
  const since = await installation.admin('GET', `/admin/audit?device=${device}&sincePosture=true`);
  assert.deepEqual(
    since.body.events.map(({ type, decision }: { type: string; decision?: string }) => [type, decision]),
    [
      ['posture', undefined],
      ['enrol', 'allow'],
      ['posture', 'deny'],
      ['launch', 'deny'],
    ],
  );
});
