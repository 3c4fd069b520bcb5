/** What doctor says of settings, certificates and clocks, and whether it can tell QUIC from silence. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { type Config, loadConfig } from '../../../server/config.ts';
import { checkFiles } from '../../../server/doctor/certificates.ts';
import { examine } from '../../../server/doctor/doctor.ts';
import { quicAnswers } from '../../../server/doctor/quic-probe.ts';
import { checkSettings } from '../../../server/doctor/settings.ts';
import { aheadOfServer, judgeClock } from '../../../server/doctor/time-probe.ts';
import { loadTransport } from '../../../server/transport/engines.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-doctor-'));
let authority: CertificateAuthority;
before(async () => {
  authority = await CertificateAuthority.found(folder);
});
after(() => rmSync(folder, { recursive: true }));

function configured(settings: Record<string, unknown>): Config {
  const file = join(folder, 'latchkey.yaml');
  writeFileSync(file, stringify(settings));
  return loadConfig({ file });
}

const behindProxy = { scheme: 'https', trustedProxies: ['127.0.0.1/32'] };

for (const [what, settings, expected] of [
  ['the defaults', {}, ['ok', 'ok']],
  ['http on a public name', { hubHost: 'hub.a.test', appsDomain: 'apps.b.test' }, ['fail', 'ok']],
  ['two registrable domains', { ...behindProxy, hubHost: 'hub.a.test', appsDomain: 'apps.b.test' }, ['ok', 'ok']],
  ['one registrable domain', { ...behindProxy, hubHost: 'hub.a.test', appsDomain: 'apps.a.test' }, ['ok', 'fail']],
  // co.uk is a public suffix: what is registered is below it.
  ['two below one suffix', { ...behindProxy, hubHost: 'hub.a.co.uk', appsDomain: 'apps.b.co.uk' }, ['ok', 'ok']],
] as const) {
  test(`BR-8: doctor says ${expected.join(' and ')} of scheme and sites with ${what}`, () => {
    assert.deepEqual(
      checkSettings(configured(settings)).map(({ verdict }) => verdict),
      expected,
    );
  });
}

for (const [what, settings, key] of [
  ['https with nobody to end TLS', { scheme: 'https' }, 'scheme'],
  ['tls over http', { scheme: 'http', tls: pair('x') }, 'scheme'],
  ['an rpId that is no parent of the hub', { hubHost: 'hub.a.test', rpId: 'b.test' }, 'rpId'],
  ['a proxy that is no address', { trustedProxies: ['localhost'] }, 'trustedProxies.0'],
  ['a contact of two lines', { contact: 'a\nb' }, 'contact'],
] as const) {
  test(`BR-8: ${what} is refused by the name of the setting`, () => {
    assert.throws(() => configured(settings), { code: 'config_invalid', message: new RegExp(`setting ${key} `) });
  });
}

function pair(name: string) {
  const files = { certificate: `${name}.pem`, key: `${name}.key` };
  return { hub: files, apps: files };
}

test('BR-8: tls brings https, and the rpId is the hub’s host unless it is set', () => {
  const config = configured({ tls: pair('x'), hubHost: 'hub.a.test', appsDomain: 'apps.b.test' });
  assert.deepEqual([config.scheme, config.rpId], ['https', 'hub.a.test']);
});

test('BR-8: certificates are judged by time, name and wildcard, at the minute they change', async () => {
  const day = 86_400_000;
  const tls = {
    hub: await authority.issue('hub', { names: ['hub.a.test'], to: 60 }),
    apps: await authority.issue('apps', { names: ['*.apps.b.test'], to: 60 }),
  };
  const config = configured({ hubHost: 'hub.a.test', appsDomain: 'apps.b.test', tls });
  const at = (days: number) =>
    checkFiles(config, Date.now() + days * day).map(({ verdict, check }) => `${verdict} ${check}`);
  const [hub, apps] = ['certificate.hub', 'certificate.apps'];
  const last = 'ok certificate.webtransport';
  assert.deepEqual(at(0), [`ok ${hub}`, `ok ${apps}`, last]);
  assert.deepEqual(at(-2), [`fail ${hub}.time`, `fail ${apps}.time`, last]);
  assert.deepEqual(at(50), [`warn ${hub}.time`, `warn ${apps}.time`, last]);
  assert.deepEqual(at(61), [`fail ${hub}.time`, `fail ${apps}.time`, last]);
});

for (const [ahead, verdict] of [
  [0, 'ok'],
  [-9_000, 'ok'],
  [11_000, 'warn'],
  [-61_000, 'fail'],
  [86_400_000, 'fail'],
] as const) {
  test(`BR-8: a clock that is ${ahead} ms ahead is ${verdict}`, () => {
    assert.equal(judgeClock(ahead, 'a time server').verdict, verdict);
  });
}

/** A socket that answers each packet by what `answer` makes of it. */
async function answering(answer: (packet: Buffer) => Buffer | undefined) {
  const socket = createSocket('udp4');
  socket.on('message', (packet, from) => {
    const said = answer(packet);
    if (said !== undefined) socket.send(said, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, [Symbol.dispose]: () => socket.close() };
}

test('BR-8: a time server an hour behind makes us an hour ahead, and one that refuses tells nothing', async () => {
  const packet = (stratum: number) => () => {
    const said = Buffer.alloc(48);
    said[0] = (4 << 3) | 4;
    said[1] = stratum;
    said.writeUInt32BE(Math.floor(Date.now() / 1_000) - 3_600 + 2_208_988_800, 40);
    return said;
  };
  using late = await answering(packet(2));
  const ahead = await aheadOfServer('127.0.0.1', late.port);
  assert.ok(ahead !== undefined && Math.abs(ahead - 3_600_000) < 60_000, String(ahead));
  using refusing = await answering(packet(0));
  assert.equal(await aheadOfServer('127.0.0.1', refusing.port), undefined);
});

test('BR-8: QUIC is heard from the engine that runs here, and neither silence nor an echo is taken for it', async (t) => {
  const engine = await loadTransport({ origins: [], clock: new FakeClock(Date.now()) });
  assert.ok(engine, 'no engine loads here');
  t.after(() => engine.close());
  const { port } = await engine.listen({ host: '127.0.0.1', port: 0 });
  assert.equal(await quicAnswers('127.0.0.1', port, 20_000), true);
  using silent = await answering(() => undefined);
  assert.equal(await quicAnswers('127.0.0.1', silent.port, 200), false);
  using echo = await answering((packet) => packet);
  assert.equal(await quicAnswers('127.0.0.1', echo.port, 200), false);
});

test('QPT-14: doctor says of a machine with WireGuard what FIPS does not approve', async () => {
  const findings = await examine({ ...loadConfig(), data: folder }, { remote: false, timeServer: undefined });
  assert.match(findings.find(({ check }) => check === 'fips')?.message ?? '', /WireGuard .*FIPS 140-3/);
});
