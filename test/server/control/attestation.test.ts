/** What a new passkey's authenticator shows of its make, what is kept of it, and what policies may ask of it. */
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Maker } from '../../support/authenticator.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { Browser } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken } from './far-gateway.ts';
import { bind } from './guest.ts';
import { Installation } from './installation.ts';

const aaguid = 'c5ef55ff-ad9a-4b9f-b580-adebafe026d0';
/** What section 8.2.1 wants in the subject. */
const subject = { names: [], commonName: 'A key, O=A maker, OU=Authenticator Attestation, C=SE' };

let folder: string;
let installation: Installation;
let gateway: FarGateway;
const makers: Record<string, Maker> = {};

async function maker(name: string, authority: CertificateAuthority, more: object = {}): Promise<void> {
  const files = await authority.issue(name, { ...subject, ...more });
  const chain = [new X509Certificate(readFileSync(files.certificate)).raw];
  makers[name] = { aaguid, chain, key: createPrivateKey(readFileSync(files.key)) };
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'makers-'));
  const known = await CertificateAuthority.found(mkdtempSync(join(folder, 'known-')));
  const unknown = await CertificateAuthority.found(mkdtempSync(join(folder, 'unknown-')));
  await maker('known', known);
  await maker('unknown', unknown);
  makers['self'] = { aaguid };
  makers['other key'] = { ...makers['known']!, key: makers['unknown']!.key! };
  makers['long'] = { ...makers['known']!, chain: Array(9).fill(makers['known']!.chain![0]) };
  installation = await new Installation((config) => ({ ...config, passkeys: { roots: [known.root] } })).start({
    gateway: supervisorToken,
  });
  // The certificates are of this day.
  installation.clock.leap(Date.now() - installation.clock.now());
  gateway = await gatewayWithSite(installation);
  await installation.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/' });
  const text =
    'permit (principal in Group::"staff", action, resource) when { context has device && context.device.attested };';
  assert.equal((await installation.admin('PUT', '/admin/policies', { text })).status, 200);
});
after(async () => {
  gateway.channel.close();
  await installation.stop();
  installation.remove();
  rmSync(folder, { recursive: true });
});

async function enrol(by: string | undefined) {
  const { body } = await installation.admin('POST', '/admin/enrolments', { name: 'Ada', group: 'staff' });
  const browser = new Browser(installation);
  if (by !== undefined) browser.passkey.maker = makers[by];
  return { browser, link: String(body.url) };
}

const rows: [by: string | undefined, format: string, attested: boolean][] = [
  [undefined, 'none', false],
  ['self', 'packed', false],
  ['unknown', 'packed', false],
  ['known', 'packed', true],
];
for (const [by, attestation, attested] of rows)
  test(`QZ-19: of a passkey ${by === undefined ? 'without attestation' : `by ${by}`} it is kept what it showed, and policy may ask for it`, async () => {
    const { browser, link } = await enrol(by);
    const entered = await browser.enrol(link);
    assert.equal(entered.status, 200, entered.text);
    const { id } = entered.body.device;
    const { devices } = (await installation.admin('GET', '/admin/devices?search=Ada&limit=100')).body;
    const shown = devices.find((one: { id: string }) => one.id === id);
    assert.deepEqual([shown.attestation, shown.attested], [attestation, attested]);
    const event = (await installation.events('enrol')).at(-1);
    assert.deepEqual(
      [event.detail.attestation, event.detail.attested, event.detail.aaguid],
      [attestation, attested, by === undefined ? '00000000-0000-0000-0000-000000000000' : aaguid],
    );
    const { attestation_object: kept } = await installation.control.context.store
      .selectFrom('credentials')
      .innerJoin('devices', 'devices.credential_id', 'credentials.id')
      .select('attestation_object')
      .where('devices.id', '=', id)
      .executeTakeFirstOrThrow();
    assert.equal(kept === null, by === undefined);
    assert.equal((await browser.launch('wiki')).answer.status, attested ? 200 : 403);
  });

test('QZ-19: one whose statement is signed by another key than its certificate’s is refused, and leaves nothing', async () => {
  const { browser, link } = await enrol('other key');
  const body = await browser.prepareEnrolment(link);
  const refused = await browser.post('/api/enrol/finish', body);
  assert.deepEqual([refused.status, refused.body.error], [403, 'ceremony_refused']);
  assert.equal((await browser.beginLogin()).body.error, 'device_unknown');
});

test('QZ-19: a chain longer than any maker’s is refused, whatever is in it', async () => {
  const { browser, link } = await enrol('long');
  const refused = await browser.post('/api/enrol/finish', await browser.prepareEnrolment(link));
  assert.deepEqual([refused.status, refused.body.error], [403, 'ceremony_refused']);
});

test('QZ-19: authenticators are asked for it where somebody said whose word counts, and else not', async () => {
  const begin = async (at: Installation) => {
    const { url } = (await at.admin('POST', '/admin/enrolments', { name: 'Ida' })).body;
    const [token] = new URL(url).hash.slice(1).split('.');
    const call = { method: 'POST', path: '/api/enrol/begin', body: { token } };
    return (await at.browse(at.hub, call)).body.attestation;
  };
  assert.equal(await begin(installation), 'direct');
  const link = await installation.admin('POST', '/admin/links', { services: ['wiki'], ttlS: 60, uses: 1 });
  const guest = new Browser(installation);
  guest.passkey.maker = makers['known'];
  assert.equal((await bind(guest, link.body.url)).status, 200);
  const plain = await new Installation().start();
  try {
    assert.equal(await begin(plain), 'none');
  } finally {
    await plain.stop();
    plain.remove();
  }
});

test('QPT-9: a file of passkeys.roots that is none stops the start by name', async () => {
  const file = join(folder, 'damaged.pem');
  writeFileSync(file, 'not a certificate');
  const damaged = new Installation((config) => ({ ...config, passkeys: { roots: [file] } }));
  await assert.rejects(damaged.start(), { code: 'authority_unusable' });
  damaged.remove();
});
