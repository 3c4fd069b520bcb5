/** SVIDs for the outside and the bundle they are checked by: OpenSSL and jose are the judges. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify } from 'jose';
import { Housekeeping } from '../../../server/control/housekeeping.ts';
import { Browser } from './browser.ts';
import { type Answer, Installation } from './installation.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const place = '/.well-known/latchkey/spiffe-bundle';
const folder = mkdtempSync(join(tmpdir(), 'svids-'));
let installation: Installation;
let ada: Browser;
let csr: string;

before(async () => {
  installation = await new Installation().start();
  const body = { publicKey: wireguardKey(), allowedIps: ['10.7.0.0/24'], name: 'site' };
  assert.equal((await installation.admin('POST', '/admin/peers', body)).status, 200);
  const service = { name: 'wiki', url: 'http://10.7.0.5', namespace: 'staff' };
  assert.equal((await installation.admin('POST', '/admin/services', service)).status, 200);
  ada = new Browser(installation);
  await ada.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
  csr = request();
});
after(async () => {
  await installation.stop();
  installation.remove();
  rmSync(folder, { recursive: true });
});

const wireguardKey = () =>
  generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');

/** A request as people make one. */
function request(...more: string[]): string {
  const key = more.length > 0 ? more : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const args = ['req', '-new', '-nodes', '-keyout', join(folder, 'key.pem'), '-subj', '/CN=root of everything', ...key];
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

const forService = (service: string, text = csr): Promise<Answer> =>
  installation.admin('POST', '/admin/svids', { service, csr: text });
const bundle = async () => (await installation.browse(installation.hub, { path: place })).body;

/** What OpenSSL says of a leaf, with the authority that the bundle names. */
async function opensslVerify(leaf: string, at = installation.clock.now()): Promise<string> {
  const { keys } = await bundle();
  const [{ x5c }] = keys.filter(({ use }: { use: string }) => use === 'x509-svid');
  writeFileSync(join(folder, 'ca.pem'), `-----BEGIN CERTIFICATE-----\n${x5c[0]}\n-----END CERTIFICATE-----\n`);
  writeFileSync(join(folder, 'leaf.pem'), leaf);
  const args = ['verify', '-x509_strict', '-attime', String(Math.floor(at / 1_000)), '-purpose', 'sslclient'];
  try {
    const all = [...args, '-CAfile', join(folder, 'ca.pem'), join(folder, 'leaf.pem')];
    return execFileSync('openssl', all, { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}

/** @throws what jose finds wrong */
async function verifyWit(token: string, at = installation.clock.now()): Promise<JWTPayload> {
  const { kid } = decodeProtectedHeader(token);
  const { keys } = await bundle();
  const key = keys.find((one: { kid?: string; use: string }) => one.use === 'wit-svid' && one.kid === kid);
  if (key === undefined) throw Object.assign(new Error('no such key'), { code: 'unknown_kid' });
  const options = { typ: 'wit+jwt', algorithms: ['ES256'], currentDate: new Date(at) };
  return (await jwtVerify(token, await importJWK({ kty: key.kty, crv: key.crv, x: key.x, y: key.y }, 'ES256'), options))
    .payload;
}

test('QHX-10: the bundle of this trust domain is public, in the form SPIFFE gives it', async () => {
  const { status, headers, body } = await installation.browse(installation.hub, { path: place });
  assert.equal(status, 200);
  assert.equal(headers['cache-control'], 'public, max-age=300');
  assert.deepEqual([body.spiffe_sequence, body.spiffe_refresh_hint], [1, 300]);
  const [authority, wit] = body.keys;
  assert.deepEqual(Object.keys(authority).sort(), ['crv', 'kty', 'use', 'x', 'x5c'], 'no kid, X509-SVID section 6.1');
  const certificate = new X509Certificate(Buffer.from(authority.x5c[0], 'base64'));
  assert.equal(certificate.publicKey.export({ format: 'jwk' }).x, authority.x);
  assert.deepEqual([certificate.ca, certificate.subjectAltName], [true, 'URI:spiffe://latchkey.local']);
  assert.deepEqual(Object.keys(wit).sort(), ['crv', 'kid', 'kty', 'use', 'x', 'y'], 'WIT-SVID section 6.1');
  assert.deepEqual([authority.use, wit.use], ['x509-svid', 'wit-svid']);
});

test('QHX-2: a service gets an X.509-SVID that OpenSSL verifies by the bundle, and by nothing of the request but its key', async () => {
  const { status, body } = await forService('wiki');
  assert.equal(status, 200);
  assert.equal(body.spiffeId, 'spiffe://latchkey.local/ns/staff/svc/wiki');
  assert.match(await opensslVerify(body.x509Svid), /: OK/);
  const leaf = new X509Certificate(body.x509Svid);
  assert.deepEqual([leaf.ca, leaf.subjectAltName, leaf.subject], [false, `URI:${body.spiffeId}`, 'O=Latchkey']);
  assert.equal(leaf.checkPrivateKey(createPrivateKey(readFileSync(join(folder, 'key.pem')))), true);
  assert.match(await opensslVerify(body.x509Svid, installation.clock.now() + dayMs + 1_000), /expired/);
  assert.match(await opensslVerify(body.x509Svid, installation.clock.now() - hourMs), /not yet valid/);
  const bytes = leaf.raw;
  bytes[bytes.length - 80]! ^= 1;
  assert.doesNotMatch(await opensslVerify(new X509Certificate(bytes).toString()), /: OK/, 'altered');
});

test('QHX-10: a WIT-SVID names the service and its key, for an hour, signed by a key of the bundle', async () => {
  const { body } = await forService('wiki');
  const { kid, ...header } = decodeProtectedHeader(body.witSvid);
  assert.deepEqual(header, { alg: 'ES256', typ: 'wit+jwt' });
  const { jti, iat, nbf, ...claims } = await verifyWit(body.witSvid);
  const { x, y } = new X509Certificate(body.x509Svid).publicKey.export({ format: 'jwk' });
  const now = Math.floor(installation.clock.now() / 1_000);
  const cnf = { jwk: { kty: 'EC', crv: 'P-256', x, y, alg: 'ES256' } };
  assert.deepEqual(claims, { sub: body.spiffeId, cnf, exp: now + 3_600 });
  assert.deepEqual([iat, nbf], [now, now - 60]);
  assert.notEqual((await verifyWit((await forService('wiki')).body.witSvid)).jti, jti);
  await assert.rejects(verifyWit(body.witSvid, installation.clock.now() + hourMs + 1_000), { code: 'ERR_JWT_EXPIRED' });
  const [head = '', claimed = '', signature = ''] = body.witSvid.split('.');
  const other = Buffer.from(JSON.stringify({ ...claims, sub: 'spiffe://latchkey.local/gateway/g' })).toString(
    'base64url',
  );
  assert.notEqual(other, claimed);
  await assert.rejects(verifyWit(`${head}.${other}.${signature}`), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
});

for (const [what, text] of [
  ['nothing', () => ''],
  ['another block', () => csr.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')],
  ['two requests', () => csr + csr],
  ['words before it', () => `x${csr}`],
  ['no base64', () => csr.replace('M', '%')],
  ['half of it', () => csr.replace(/\n[A-Za-z0-9+/=]+\n-----END/, '\n-----END')],
  ['another P-256 key than the one that signed', () => swappedKey()],
  ['an Ed25519 key', () => request('-newkey', 'ed25519')],
  ['a P-384 key', () => request('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1')],
  ['an RSA key', () => request('-newkey', 'rsa:2048')],
  ['SHA-1', () => request('-sha1', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1')],
] as const)
  test(`QHX-10: a request with ${what} gets no SVID`, async () => {
    const { status, body } = await forService('wiki', text());
    assert.deepEqual([status, body.error], [400, 'csr_malformed']);
  });

/** The same request with the point of another key in it. */
function swappedKey(): string {
  const der = Buffer.from(csr.replaceAll(/-----.*-----|\s/g, ''), 'base64');
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
  // An uncompressed point of 65 bytes stands in a BIT STRING of 66.
  const at = der.indexOf(Buffer.from([0x03, 0x42, 0x00, 0x04])) + 3;
  assert.ok(at > 3);
  point.copy(der, at);
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
}

for (const name of ['nobody', '../../gateway/g', 'wiki/../../../gateway/g', 'wiki%2f..', '', 'WIKI', 'wiki ', 'wiki\n'])
  test(`QHX-10: there is no SVID for ${JSON.stringify(name)}`, async () =>
    assert.equal((await forService(name)).body.error, 'service_unknown'));

test('QHX-10: nobody gets one in the name of a gateway, a connector or somebody else’s device', async () => {
  for (const more of [{ gateway: 'g' }, { device: 'd' }, { spiffeId: 'spiffe://latchkey.local/gateway/g' }])
    assert.equal(
      (await installation.admin('POST', '/admin/svids', { service: 'wiki', csr, ...more })).body.error,
      'malformed',
    );
  assert.equal((await ada.postSigned('/api/svids', { csr, device: 'd' })).body.error, 'malformed');
});

test('QHX-10: a person gets SVIDs for the device they sit at, after a touch, no longer than an hour, and in the audit', async () => {
  const { user, device } = (await ada.get('/api/session')).body;
  const spiffeId = `spiffe://latchkey.local/user/${user.id}/device/${device.id}`;
  const { status, body, text } = await ada.postSigned('/api/svids', { csr });
  assert.equal(status, 200, text);
  assert.equal(body.spiffeId, spiffeId);
  assert.match(await opensslVerify(body.x509Svid), /: OK/);
  assert.equal(new X509Certificate(body.x509Svid).subjectAltName, `URI:${spiffeId}`);
  assert.equal((await verifyWit(body.witSvid)).sub, spiffeId);
  assert.deepEqual([body.x509Expires, body.witExpires], Array(2).fill(installation.clock.now() + hourMs));
  const event = (await installation.events('svid.issue')).at(-1);
  assert.deepEqual([event.actor, event.subject], [spiffeId, spiffeId]);
  assert.equal((await ada.post('/api/svids', { csr })).body.error, 'signature_invalid', 'by the cookie alone');
  installation.clock.leap(301_000);
  assert.equal(
    (await ada.postSigned('/api/svids', { csr })).body.error,
    'passkey_needed',
    'five minutes after the touch',
  );
});

test('QHX-10: a suspended service, and a device that was revoked, get no more', async () => {
  await installation.admin('POST', '/admin/services/wiki/suspend', {});
  assert.equal((await forService('wiki')).body.error, 'service_unknown');
  await installation.admin('POST', '/admin/services/wiki/resume', {});
  assert.equal((await ada.login()).status, 200);
  const { device } = (await ada.get('/api/session')).body;
  assert.equal((await ada.postSigned('/api/svids', { csr })).status, 200);
  await installation.admin('DELETE', `/admin/devices/${device.id}`);
  assert.equal((await ada.postSigned('/api/svids', { csr })).body.error, 'unauthenticated');
});

test('QHX-10: a signing key has a successor in time, which is published before it signs and after it signed', async () => {
  const { context, desk } = installation.control;
  const housekeeping = new Housekeeping(context, desk);
  const kids = async () => (await bundle()).keys.flatMap(({ kid }: { kid?: string }) => kid ?? []);
  const sequence = async () => (await bundle()).spiffe_sequence;
  const signer = async () => decodeProtectedHeader((await forService('wiki')).body.witSvid).kid;
  const [first] = await kids();
  assert.deepEqual([await signer(), await sequence()], [first, 1]);
  installation.clock.leap(30 * dayMs);
  await housekeeping.sweep();
  const [, second] = await kids();
  assert.deepEqual(await kids(), [first, second]);
  assert.deepEqual([await signer(), await sequence()], [first, 2], 'not everybody knows the new one yet');
  const last = (await forService('wiki')).body.witSvid;
  installation.clock.leap(hourMs);
  assert.deepEqual([await signer(), await kids()], [second, [first, second]]);
  assert.equal(
    (await verifyWit(last, installation.clock.now() - 1_000)).sub,
    'spiffe://latchkey.local/ns/staff/svc/wiki',
  );
  installation.clock.leap(2 * hourMs);
  await housekeeping.sweep();
  assert.deepEqual([await kids(), await sequence()], [[second], 3]);
  const rows = await context.store.selectFrom('wit_keys').select(['kid', 'sealed']).orderBy('created_at').execute();
  assert.deepEqual(
    rows.map(({ sealed }) => sealed !== null),
    [false, true],
    'the private half is gone',
  );
  await assert.rejects(verifyWit(last), { code: 'unknown_kid' });
  assert.ok(!JSON.stringify(rows).includes('"d"'));
});
