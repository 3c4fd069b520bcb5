/** Bundles of other trust domains: what is read, and that nothing else is believed. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyUsageFlags } from '@peculiar/x509';
import { readBundle } from '../../../server/spiffe/foreign-bundle.ts';
import { type Deviation, ForeignDomain } from '../../support/foreign-domain.ts';

const domain = 'partner.example';
const partner = await ForeignDomain.found(domain);
const entry = (of = partner) => JSON.parse(of.bundle()).keys[0] as { x5c: string[] };
const keys = (...list: unknown[]) => JSON.stringify({ keys: list });

test('QHX-10: a bundle gives the authorities of its trust domain and its number', () => {
  assert.deepEqual(readBundle(partner.bundle(), domain, Date.now()), { authorities: [partner.authority], sequence: 7 });
});

test('QHX-10: keys of another use, of an unknown one, or without a certificate are left out', () => {
  const others = [
    { use: 'jwt-svid', kty: 'RSA' },
    { use: 'X509-SVID', x5c: ['?'] },
    { use: 'x509-svid' },
    { kty: 'EC' },
  ];
  const more = { ...entry(), x5c: [...entry().x5c, 'not looked at'] };
  assert.deepEqual(readBundle(keys(...others, more, more), domain, Date.now()), { authorities: [partner.authority] });
});

for (const [what, text, code] of [
  ['nothing', '', 'bundle_malformed'],
  ['no JSON', '{', 'bundle_malformed'],
  ['a list', '[]', 'bundle_malformed'],
  ['no keys', '{}', 'bundle_malformed'],
  ['a key that is none', keys(null), 'bundle_malformed'],
  ['a number below nothing', partner.bundle({ spiffe_sequence: -1 }), 'bundle_malformed'],
  ['a number too large to compare', partner.bundle({ spiffe_sequence: 2 ** 60 }), 'bundle_malformed'],
  ['65 keys', keys(...Array(65).fill({})), 'bundle_malformed'],
  ['17 authorities', keys(...Array(17).fill(entry())), 'bundle_malformed'],
  ['nothing of X.509', keys({ use: 'jwt-svid' }), 'bundle_empty'],
  ['no certificate in it', keys({ use: 'x509-svid', x5c: ['AAAA'] }), 'bundle_authority'],
  ['half a certificate', keys({ use: 'x509-svid', x5c: [entry().x5c[0]?.slice(0, 200)] }), 'bundle_authority'],
] as const)
  test(`QHX-10: a bundle of ${what} is ${code}`, () => {
    assert.throws(() => readBundle(text, domain, Date.now()), { code });
  });

const faults: [what: string, of: string, more: Deviation, code: string][] = [
  ['that is no authority', domain, { ca: false }, 'bundle_authority'],
  ['that may not sign', domain, { usages: KeyUsageFlags.digitalSignature }, 'bundle_authority'],
  ['of another trust domain', 'other.example', {}, 'bundle_authority'],
  ['whose name has a path', domain, { uris: [`spiffe://${domain}/x`] }, 'bundle_authority'],
  ['of two trust domains', domain, { uris: [`spiffe://${domain}`, 'spiffe://other.example'] }, 'bundle_authority'],
  [
    'that is larger than a gateway takes',
    domain,
    { dns: Array.from({ length: 400 }, (_, i) => `host-${i}.of.partner.example`) },
    'bundle_authority',
  ],
  ['that has ended', domain, { to: -1_000 }, 'bundle_empty'],
];
for (const [what, of, more, code] of faults)
  test(`QHX-10: an authority ${what} is ${code}`, async () => {
    const { bundle } = { bundle: (await ForeignDomain.found(of, more)).bundle() };
    assert.throws(() => readBundle(bundle, domain, Date.now()), { code });
  });

test('QHX-10: an authority that names nothing is of the domain it was handed over for', async () => {
  const nameless = await ForeignDomain.found(domain, { uris: [] });
  assert.equal(readBundle(nameless.bundle(), domain, Date.now()).authorities.length, 1);
});
