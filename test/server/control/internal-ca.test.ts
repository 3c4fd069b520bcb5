/** The internal authority, and TLS between two of its holders: OpenSSL is the judge of what it issues. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { callerOf, mustBe, spiffeIdOf, type TlsIdentity, tlsFloor } from '../../../server/channel/mutual-tls.ts';
import { InternalCa, svidLifeMs } from '../../../server/control/internal-ca.ts';

const folder = mkdtempSync(join(tmpdir(), 'ca-'));
const paths = { keys: join(folder, 'keys'), trust: join(folder, 'trust') };
const [server, client] = ['spiffe://latchkey.local/ns/default/svc/wiki', 'spiffe://latchkey.local/gateway/g1'];
let ca: InternalCa;

before(async () => {
  for (const path of Object.values(paths)) mkdirSync(path, { mode: 0o700 });
  ca = await InternalCa.open(paths, 'latchkey.local', Date.now());
});
after(() => rmSync(folder, { recursive: true }));

async function newIdentity(spiffeId: string, authority = ca, now = Date.now()): Promise<TlsIdentity> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: await authority.issue(raw, spiffeId, now),
    ca: authority.certificate,
  };
}

/** @returns whom the server saw. */
async function meet(t: TestContext, at: TlsIdentity, from: TlsIdentity | { ca: string }, more: TlsOptions = {}) {
  const listening = createServer({ ...at, ...tlsFloor, requestCert: true, rejectUnauthorized: false });
  const seen = Promise.withResolvers<string | undefined>();
  listening.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => {});
    seen.resolve(callerOf(socket));
    socket.end();
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  t.after(() => listening.close());
  const { port } = listening.address() as AddressInfo;
  const socket = connect({
    ...{ port, host: '127.0.0.1', ...tlsFloor, ...from, checkServerIdentity: mustBe(server) },
    ...(more as object),
  });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return { caller: await seen.promise };
}

test('QPT-2: two holders of SVIDs meet under X25519MLKEM768 and know each other by name', async (t) => {
  const { caller } = await meet(t, await newIdentity(server), await newIdentity(client));
  assert.equal(caller, client);
});

test('QHX-4: an end that has only the classical exchange gets no connection', async (t) => {
  const [at, from] = [await newIdentity(server), await newIdentity(client)];
  await assert.rejects(meet(t, at, from, { ecdhCurve: 'X25519' }), /handshake failure|ssl/i);
  await assert.rejects(meet(t, at, from, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }), /protocol version|ssl/i);
});

test('QHX-2: an SVID has one URI, lives a day, is for TLS alone and no authority', async () => {
  const { cert } = await newIdentity(server);
  const certificate = new X509Certificate(cert);
  assert.equal(certificate.subjectAltName, `URI:${server}`);
  assert.equal(certificate.ca, false);
  assert.ok(certificate.verify(new X509Certificate(ca.certificate).publicKey));
  const life = certificate.validToDate.getTime() - certificate.validFromDate.getTime();
  assert.ok(life > svidLifeMs && life < svidLifeMs + 3_600_000);
});

for (const [what, shift] of [
  ['has ended', -svidLifeMs - 60_000],
  ['has not begun', svidLifeMs],
] as const)
  test(`QHX-2: an SVID that ${what} is refused at either end`, async (t) => {
    const off = Date.now() + shift;
    await assert.rejects(meet(t, await newIdentity(server, ca, off), await newIdentity(client)), {
      code: /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/,
    });
    const { caller } = await meet(t, await newIdentity(server), await newIdentity(client, ca, off));
    assert.equal(caller, undefined);
  });

/** Between the two machines' clocks; what an SVID allows before it begins is for this. */
for (const [what, shift, isGood] of [
  ['behind by almost its life', -(svidLifeMs - 120_000), true],
  ['behind by more than its life', -(svidLifeMs + 1_000), false],
  ['four minutes ahead', 240_000, true],
  ['six minutes ahead', 360_000, false],
] as const)
  test(`QHX-2: an SVID of a control plane whose clock is ${what} is ${isGood ? 'good' : 'refused'}`, async (t) => {
    const there = Date.now() + shift;
    const meeting = meet(t, await newIdentity(server, ca, there), await newIdentity(client));
    if (isGood) assert.equal((await meeting).caller, client);
    else await assert.rejects(meeting, { code: /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/ });
    const { caller } = await meet(t, await newIdentity(server), await newIdentity(client, ca, there));
    assert.equal(caller, isGood ? client : undefined);
  });

test('QHX-3: another name, another authority, or none at all is not believed', async (t) => {
  const other = { keys: join(folder, 'other-keys'), trust: join(folder, 'other-trust') };
  for (const path of Object.values(other)) mkdirSync(path);
  const stranger = await InternalCa.open(other, 'latchkey.local', Date.now());
  const wrong = await newIdentity('spiffe://latchkey.local/ns/default/svc/other');
  await assert.rejects(meet(t, wrong, await newIdentity(client)), { code: 'EWRONGIDENTITY' });
  const foreign = await newIdentity(server, stranger);
  await assert.rejects(meet(t, foreign, await newIdentity(client)), { code: /SELF_SIGNED|UNABLE_TO|SIGNATURE/ });
  const forged = await meet(t, await newIdentity(server), {
    ...(await newIdentity(client, stranger)),
    ca: ca.certificate,
  });
  assert.equal(forged.caller, undefined);
  const nameless = await meet(t, await newIdentity(server), { ca: ca.certificate });
  assert.equal(nameless.caller, undefined);
});

test('a certificate with several names, or one that is no SPIFFE id, has no name', () => {
  for (const subjectaltname of [
    'URI:spiffe://a/b, URI:spiffe://a/c',
    'DNS:spiffe://a/b',
    'DNS:a, URI:spiffe://a/b',
    'URI:https://a/b',
    'URI:"spiffe://a/b, c"',
    '',
  ])
    assert.equal(spiffeIdOf({ subjectaltname }), undefined, subjectaltname);
  assert.equal(spiffeIdOf(undefined), undefined);
});

test('the authority stays the same over starts, its key is private, and half of it is a refusal to start', async () => {
  const again = await InternalCa.open(paths, 'latchkey.local', Date.now());
  assert.deepEqual(again.fingerprint, ca.fingerprint);
  assert.equal(statSync(join(paths.keys, 'ca.pem')).mode & 0o77, 0);
  const half = { keys: join(folder, 'half-keys'), trust: join(folder, 'half-trust') };
  for (const path of Object.values(half)) mkdirSync(path);
  writeFileSync(join(half.trust, 'ca.pem'), ca.certificate);
  await assert.rejects(InternalCa.open(half, 'latchkey.local', Date.now()), { code: 'ca_unusable' });
  writeFileSync(join(half.keys, 'ca.pem'), 'nonsense');
  await assert.rejects(InternalCa.open(half, 'latchkey.local', Date.now()), { code: 'ca_unusable' });
});
