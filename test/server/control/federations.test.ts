/** Federation with other trust domains, as administrators make and end it, and what gateways are told. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ForeignDomain } from '../../support/foreign-domain.ts';
import { wireguardKey } from './far-gateway.ts';
import { type Answer, Installation } from './installation.ts';

const domain = 'partner.example';
const farId = `spiffe://${domain}/billing`;
const dayS = 86_400;
let installation: Installation;
let partner: ForeignDomain;

before(async () => {
  // As long as the test's clock may differ from the machine's.
  partner = await ForeignDomain.found(domain, { from: -1e12, to: 1e12 });
  installation = await new Installation().start();
  const site = { publicKey: wireguardKey(), allowedIps: ['10.7.0.0/24'], name: 'site' };
  assert.equal((await installation.admin('POST', '/admin/peers', site)).status, 200);
});
after(async () => {
  await installation.stop();
  installation.remove();
});

const add = (more: object = {}): Promise<Answer> =>
  installation.admin('POST', '/admin/federations', {
    ...{ trustDomain: domain, bundle: partner.bundle(), namespaces: ['finance'], ttlS: 30 * dayS, ...more },
  });
const addService = (more: object = {}) =>
  installation.admin('POST', '/admin/services', {
    name: 'billing',
    url: 'http://10.7.0.5',
    namespace: 'finance',
    farId,
    ...more,
  });
const told = () => installation.control.desk.policy.content;
const record = () => told().services.find(({ name }) => name === 'billing');

test('QHX-10: no other trust domain is believed unless an administrator says so, and no service may be of one', async () => {
  assert.deepEqual(told().federations, []);
  assert.deepEqual((await installation.admin('GET', '/admin/federations')).body.federations, []);
  assert.equal((await addService()).body.error, 'federation_needed');
});

test('QHX-10: a federation is signed state: its authorities, namespaces and end', async () => {
  const { epoch } = installation.control.desk.policy;
  const { status, body } = await add({ namespaces: ['ops', 'finance', 'ops'] });
  assert.equal(status, 200);
  const expires = installation.clock.now() + 30 * dayS * 1_000;
  const common = { trustDomain: domain, namespaces: ['finance', 'ops'] };
  assert.deepEqual(body, { ...common, expires, expired: false, authorities: 1, sequence: 7, createdBy: 'system' });
  assert.deepEqual(told().federations, [{ ...common, expiresAt: expires, authorities: [partner.authority] }]);
  assert.ok(installation.control.desk.policy.epoch > epoch);
  const event = (await installation.events('admin')).at(-1);
  assert.deepEqual([event.subject, event.detail.operation], [`spiffe://${domain}`, 'federation.set']);
  // Whose word is good, by the fingerprint of its certificate.
  const digest = createHash('sha256').update(new X509Certificate(partner.authority).raw).digest('base64url');
  assert.deepEqual([event.detail.authorities, event.detail.sequence], [digest, 7]);
});

test('QHX-10: a service may be of that domain in those namespaces, and in no other', async () => {
  for (const namespace of ['default', 'fin', 'finance2'])
    assert.equal((await addService({ namespace })).body.error, 'federation_needed', namespace);
  const { status, body } = await addService();
  assert.deepEqual([status, body.farId], [200, farId]);
  assert.deepEqual([record()?.farId, record()?.innerTls], [farId, undefined]);
  assert.equal(record()?.spiffeId, 'spiffe://latchkey.local/ns/finance/svc/billing', 'policies speak of our name');
  const moved = await installation.admin('PATCH', '/admin/services/billing', { namespace: 'default' });
  assert.equal(moved.body.error, 'federation_needed', 'nor by moving it');
  assert.equal((await installation.admin('PATCH', '/admin/services/billing', { title: 'Bills' })).body.farId, farId);
  assert.equal((await installation.admin('PATCH', '/admin/services/billing', { farId: '' })).body.farId, '');
  assert.equal(record()?.farId, undefined);
  const { detail } = (await installation.events('service.change')).at(-1);
  assert.deepEqual([detail.farId, detail.farIdBefore], ['', farId], 'a name that is asked for no more leaves a trace');
  assert.equal((await installation.admin('PATCH', '/admin/services/billing', { farId })).status, 200);
});

for (const [what, given] of [
  ['our own domain', 'spiffe://latchkey.local/ns/finance/svc/x'],
  ['a gateway of ours', 'spiffe://latchkey.local/gateway/g'],
  ['a domain alone', `spiffe://${domain}`],
  ['a path that climbs', `spiffe://${domain}/a/../b`],
  ['an empty step', `spiffe://${domain}//b`],
  ['a slash at the end', `spiffe://${domain}/b/`],
  ['percent signs', `spiffe://${domain}/%2e%2e/b`],
  ['capitals in the domain', 'spiffe://Partner.example/b'],
  ['a port', `spiffe://${domain}:443/b`],
  ['a query', `spiffe://${domain}/b?x`],
  ['another scheme', `https://${domain}/b`],
  ['a line end', `spiffe://${domain}/b\n`],
  ['201 bytes', `spiffe://${domain}/${'b'.repeat(201)}`],
] as const)
  test(`QHX-10: a service cannot be of ${what}`, async () => {
    assert.equal((await addService({ name: 'other', farId: given })).body.error, 'far_id_malformed');
  });

for (const [what, more, code] of [
  ['our own domain', { trustDomain: 'latchkey.local' }, 'federation_own'],
  ['a domain in capitals', { trustDomain: 'Partner.example' }, 'federation_malformed'],
  ['a domain with a path', { trustDomain: 'partner.example/x' }, 'federation_malformed'],
  ['a domain with a scheme', { trustDomain: 'spiffe://partner.example' }, 'federation_malformed'],
  ['no domain', { trustDomain: '' }, 'federation_malformed'],
  ['no namespace', { namespaces: [] }, 'federation_malformed'],
  ['every namespace', { namespaces: ['*'] }, 'federation_malformed'],
  ['a namespace that climbs', { namespaces: ['../x'] }, 'federation_malformed'],
  ['33 namespaces', { namespaces: Array.from({ length: 33 }, (_, i) => `n${i}`) }, 'federation_malformed'],
  ['no end', { ttlS: 367 * dayS }, 'federation_malformed'],
  ['an end that is past', { ttlS: 0 }, 'federation_malformed'],
  ['a life below nothing', { ttlS: -1 }, 'federation_malformed'],
  ['half a second', { ttlS: 0.5 }, 'malformed'],
  ['a field of somebody’s', { federatesWith: ['*'] }, 'malformed'],
  ['no bundle', { bundle: '' }, 'bundle_malformed'],
  ['a bundle without authorities', { bundle: '{"keys":[]}' }, 'bundle_empty'],
  ['the bundle of another domain', { trustDomain: 'third.example' }, 'bundle_authority'],
] as const)
  test(`QHX-10: a federation with ${what} is ${code}`, async () => {
    const before = told().federations;
    assert.equal((await add(more)).body.error, code);
    assert.deepEqual(told().federations, before);
  });

test('QHX-10: a bundle that was replaced does not come back', async () => {
  assert.equal((await add({ bundle: partner.bundle({ spiffe_sequence: 8 }) })).status, 200);
  assert.equal((await add()).body.error, 'bundle_outdated');
  assert.equal((await add({ bundle: partner.bundle({ spiffe_sequence: undefined }) })).body.error, 'bundle_outdated');
  assert.equal((await add({ bundle: partner.bundle({ spiffe_sequence: 8 }), ttlS: dayS })).status, 200, 'to renew');
});

test('QHX-10: a federation that has ended is shown as such, told to no gateway, and covers no service', async () => {
  installation.clock.leap(dayS * 1_000);
  const { body } = await installation.admin('GET', '/admin/federations');
  assert.deepEqual([body.federations[0].trustDomain, body.federations[0].expired], [domain, true]);
  await installation.control.desk.policy.reload();
  assert.deepEqual(told().federations, []);
  assert.equal((await addService({ name: 'late' })).body.error, 'federation_needed');
  const patch = (settings: object) => installation.admin('PATCH', '/admin/services/billing', settings);
  const retitled = await patch({ title: 'Late bills', farId, namespace: 'finance' });
  assert.deepEqual([retitled.status, retitled.body.farId], [200, farId], 'what it says of the far end stays as it was');
  assert.equal((await patch({ farId: `spiffe://${domain}/other` })).body.error, 'federation_needed');
  assert.equal((await patch({ namespace: 'ops' })).body.error, 'federation_needed');
});

test('QHX-10: a federation is ended by hand, once', async () => {
  assert.equal((await add({ bundle: partner.bundle({ spiffe_sequence: 9 }) })).status, 200);
  assert.equal(told().federations.length, 1);
  assert.equal((await installation.admin('DELETE', `/admin/federations/${domain}`)).status, 200);
  assert.deepEqual(told().federations, []);
  assert.equal((await installation.admin('DELETE', `/admin/federations/${domain}`)).body.error, 'federation_unknown');
  const { detail } = (await installation.events('admin')).at(-1);
  assert.deepEqual([detail.operation, detail.sequence], ['federation.end', 9]);
  assert.match(detail.authorities, /^[\w-]{43}$/);
  const [shown] = (await installation.admin('GET', '/admin/federations')).body.federations;
  assert.deepEqual([shown.expired, shown.authorities], [true, 0]);
});

test('QHX-10: a bundle from before a federation was ended does not come back by a new one', async () => {
  assert.equal((await add({ bundle: partner.bundle({ spiffe_sequence: 8 }) })).body.error, 'bundle_outdated');
  assert.equal((await add({ bundle: partner.bundle({ spiffe_sequence: undefined }) })).body.error, 'bundle_outdated');
  assert.equal((await add({ bundle: partner.bundle({ spiffe_sequence: 10 }) })).status, 200);
});
