/** A service of another trust domain, at the far end of TLS inside WireGuard: when it is believed, and when not. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import { after, before, test } from 'node:test';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { createServer } from 'node:tls';
import { ExtendedKeyUsage, KeyUsageFlags } from '@peculiar/x509';
import { unbase64url } from '../../../protocol/bytes.ts';
import { spiffeIdOf, tlsFloor } from '../../../server/channel/mutual-tls.ts';
import type { FederationRecord } from '../../../server/channel/snapshot-content.ts';
import { InternalCa, newTlsIdentity } from '../../../server/control/internal-ca.ts';
import { farEndOf } from '../../../server/gateway/far-trust.ts';
import { InnerTls } from '../../../server/gateway/inner-tls.ts';
import { type Deviation, ForeignDomain, type Identity } from '../../support/foreign-domain.ts';
import { TestClock } from '../control/installation.ts';

const signal = new AbortController().signal;
const gatewayId = 'spiffe://latchkey.local/gateway/one';
const far = { spiffeId: 'spiffe://partner.example/billing', federatedIn: 'finance' };
const dayMs = 86_400_000;
let folder: string;
let ca: InternalCa;
let partner: ForeignDomain;
let good: Identity;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'federation-'));
  const paths = { keys: join(folder, 'keys'), trust: join(folder, 'trust') };
  for (const path of Object.values(paths)) mkdirSync(path);
  ca = await InternalCa.open(paths, 'latchkey.local', Date.now());
  partner = await ForeignDomain.found('partner.example');
  good = await partner.issue('/billing', { to: 100 * dayMs });
});
after(() => rmSync(folder, { recursive: true }));

/** A gateway with a clock of its own, that federates so. */
async function gateway(change: Partial<FederationRecord> = {}) {
  const clock = new TestClock();
  // OpenSSL has the clock of the machine.
  clock.leap(Date.now() - clock.now());
  const inner = new InnerTls(clock);
  inner.certify(await ca.issue(unbase64url(inner.certificateKey), gatewayId, Date.now()));
  const federation: FederationRecord = {
    ...{ trustDomain: 'partner.example', namespaces: ['finance'], expiresAt: clock.now() + 40 * dayMs },
    ...{ authorities: [partner.authority], ...change },
  };
  const trust = (...federations: FederationRecord[]) => inner.trust({ authority: ca.certificate, federations });
  trust(federation);
  return { inner, clock, trust, federation };
}

/** The partner's service, which wants to see a gateway of ours. */
function service(identity: Identity, more: TlsOptions = {}): { near: Duplex; caller: Promise<string | undefined> } {
  const [near, end] = duplexPair();
  for (const side of [near, end]) side.on('error', () => {});
  const server = createServer({ ...identity, ca: ca.certificate, ...tlsFloor, requestCert: true, ...more });
  const caller = Promise.withResolvers<string | undefined>();
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => {}).resume();
    caller.resolve(socket.authorized ? spiffeIdOf(socket.getPeerCertificate()) : undefined);
  });
  server.on('tlsClientError', () => end.destroy());
  server.emit('connection', end);
  return { near, caller: caller.promise };
}

const closed = (socket: Duplex) => new Promise<void>((resolve) => socket.once('close', () => resolve()));
const code = async (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'connected',
    (error: { code?: string }) => error.code ?? String(error),
  );

test('QHX-10: in a namespace that federates, a service of another trust domain and our gateway know each other', async () => {
  const { inner } = await gateway();
  const { near, caller } = service(good);
  const secured = await inner.secure(near, far, signal);
  assert.equal(await caller, gatewayId);
  secured.destroy();
});

test('QHX-10: an SVID may name hosts beside its one SPIFFE id', async () => {
  const { inner } = await gateway();
  const named = await partner.issue('/billing', { dns: ['billing.partner.example'] });
  assert.equal(await code(inner.secure(service(named).near, far, signal)), 'connected');
});

test('QHX-10: without a federation, in another namespace, or after its end, the other trust domain is nobody', async () => {
  const { inner, clock, trust, federation } = await gateway();
  const other = { ...far, federatedIn: 'default' };
  assert.equal(await code(inner.secure(service(good).near, other, signal)), 'ENOTFEDERATED');
  clock.leap(40 * dayMs);
  assert.equal(await code(inner.secure(service(good).near, far, signal)), 'ENOTFEDERATED');
  trust({ ...federation, expiresAt: clock.now() + 1 });
  assert.equal(await code(inner.secure(service(good).near, far, signal)), 'connected');
  trust();
  assert.equal(await code(inner.secure(service(good).near, far, signal)), 'ENOTFEDERATED');
});

test('QHX-10: the authorities of one domain vouch for no other, nor for us, nor we for them', async () => {
  const { inner, trust, federation } = await gateway();
  const third = await ForeignDomain.found('third.example');
  trust(federation, { ...federation, trustDomain: 'third.example', authorities: [third.authority] });
  const posing = await third.issue('', { uris: [far.spiffeId] });
  const refused = /UNABLE_TO|SELF_SIGNED|ISSUER|SIGNATURE/;
  assert.match(await code(inner.secure(service(posing).near, far, signal)), refused);
  const ours = 'spiffe://latchkey.local/ns/finance/svc/billing';
  const asUs = await partner.issue('', { uris: [ours] });
  assert.match(await code(inner.secure(service(asUs).near, { spiffeId: ours }, signal)), refused);
  const { key, cert } = await newTlsIdentity(ca, far.spiffeId, Date.now());
  assert.match(await code(inner.secure(service({ key, cert }).near, far, signal)), refused);
});

test('QHX-4: a variable of the environment that switches off what Node checks switches nothing off here', async () => {
  const { inner } = await gateway();
  const other = await partner.issue('/other');
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  try {
    assert.equal(await code(inner.secure(service(other).near, far, signal)), 'EWRONGIDENTITY');
  } finally {
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  }
});

const { clientAuth, serverAuth } = ExtendedKeyUsage;
const wrong: [what: string, deviation: Deviation, code: RegExp][] = [
  ['another name of that domain', { uris: ['spiffe://partner.example/other'] }, /EWRONGIDENTITY/],
  ['a longer path', { uris: ['spiffe://partner.example/billing/admin'] }, /EWRONGIDENTITY/],
  ['a path that climbs', { uris: ['spiffe://partner.example/x/../billing'] }, /EWRONGIDENTITY/],
  ['a path that says nothing', { uris: ['spiffe://partner.example/./billing'] }, /EWRONGIDENTITY/],
  ['a name with percent signs', { uris: ['spiffe://partner.example/bill%69ng'] }, /EWRONGIDENTITY/],
  ['a trust domain in capitals', { uris: ['spiffe://PARTNER.example/billing'] }, /EWRONGIDENTITY/],
  ['the name of the domain alone', { uris: ['spiffe://partner.example'] }, /EWRONGIDENTITY/],
  ['two names', { uris: [far.spiffeId, 'spiffe://partner.example/other'] }, /EWRONGIDENTITY/],
  ['no name', { uris: [] }, /EWRONGIDENTITY/],
  ['the name as a host', { uris: [], dns: [far.spiffeId] }, /EWRONGIDENTITY/],
  ['an authority’s certificate', { ca: true }, /EWRONGIDENTITY/],
  [
    'a key that may sign certificates',
    { usages: KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign },
    /EWRONGIDENTITY/,
  ],
  [
    'a key that may sign revocations',
    { usages: KeyUsageFlags.digitalSignature | KeyUsageFlags.cRLSign },
    /EWRONGIDENTITY/,
  ],
  ['a key usage that may be overlooked', { usagesCritical: false }, /EWRONGIDENTITY/],
  ['a key that may not sign', { usages: KeyUsageFlags.keyEncipherment }, /EWRONGIDENTITY/],
  ['a certificate for servers alone', { purposes: [serverAuth] }, /EWRONGIDENTITY/],
  ['a certificate for clients alone', { purposes: [clientAuth] }, /INVALID_PURPOSE/],
  ['an SVID that has ended', { to: -1_000 }, /CERT_HAS_EXPIRED/],
  ['an SVID that has not begun', { from: 600_000 }, /CERT_NOT_YET_VALID/],
];
for (const [what, deviation, expected] of wrong)
  test(`QHX-10: a service with ${what} is turned away`, async () => {
    const { inner } = await gateway();
    const { near } = service(await partner.issue('/billing', deviation));
    const got = await code(inner.secure(near, far, signal));
    assert.match(got, expected);
    assert.notEqual(got, 'connected');
  });

test('QHX-10: an SVID of which one bit was changed is turned away', async () => {
  const { inner } = await gateway();
  const der = Buffer.from(good.cert.replaceAll(/-----.*-----|\s/g, ''), 'base64');
  der[der.length - 10]! ^= 1;
  const altered = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
  assert.match(await code(inner.secure(service({ ...good, cert: altered }).near, far, signal)), /SIGNATURE/);
});

test('QHX-4: a service of another trust domain gets no classical connection either', async () => {
  const { inner } = await gateway();
  const got = await code(inner.secure(service(good, { ecdhCurve: 'X25519' }).near, far, signal));
  assert.match(got, /ECONNRESET|HANDSHAKE_FAILURE/);
});

test('QHX-10: what is open ends with the federation, weeks later, to the moment', async () => {
  const { inner, clock } = await gateway();
  const secured = await inner.secure(service(good).near, far, signal);
  secured.on('error', () => {});
  clock.advance(40 * dayMs - 1);
  assert.equal(secured.destroyed, false);
  const end = closed(secured);
  clock.advance(1);
  await end;
});

test('QHX-10: what is open ends with the SVID of its far end, to the moment, while the federation goes on', async () => {
  const { inner, clock } = await gateway();
  const identity = await partner.issue('/billing', { to: 30 * dayMs });
  const secured = await inner.secure(service(identity).near, far, signal);
  const failed = new Promise<unknown>((resolve) => secured.once('error', resolve));
  const end = new X509Certificate(identity.cert).validToDate.getTime();
  clock.advance(end - 1 - clock.now());
  assert.equal(secured.destroyed, false);
  clock.advance(1);
  assert.equal(((await failed) as { code?: string }).code, 'ESVIDENDED');
});

test('QHX-10: what is open ends at once when the federation is taken back, moved, or gets other authorities; not when it is renewed', async () => {
  const { trust, federation, inner } = await gateway();
  const second = await ForeignDomain.found('partner.example');
  const open = async () => (await inner.secure(service(good).near, far, signal)).on('error', () => {});
  const kept = await open();
  trust({ ...federation, expiresAt: federation.expiresAt + dayMs, authorities: [partner.authority, second.authority] });
  assert.equal(kept.destroyed, false);
  for (const change of [
    { namespaces: ['default'] },
    { authorities: [second.authority] },
    { trustDomain: 'else.where' },
  ]) {
    trust(federation);
    const secured = await open();
    const end = closed(secured);
    trust({ ...federation, ...change });
    await end;
  }
  assert.equal(kept.destroyed, true);
});

test('QHX-10: who has to be there follows from the service’s record alone', () => {
  const spiffeId = 'spiffe://latchkey.local/ns/finance/svc/billing';
  const record = { name: 'billing', title: '', spiffeId, scheme: 'http', address: '10.0.0.1', port: 80 } as const;
  const more = { path: '/', upstreamHost: '10.0.0.1', wireguardKey: '' };
  assert.equal(farEndOf({ ...record, ...more }), undefined);
  assert.deepEqual(farEndOf({ ...record, ...more, innerTls: true }), { spiffeId });
  assert.deepEqual(farEndOf({ ...record, ...more, innerTls: true, farId: far.spiffeId }), far);
});
