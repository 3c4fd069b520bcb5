/**
 * What a connector's machine shows of itself: connectors that join over TLS, with and without a certificate of an
 * authority that the operator named, and what the control plane gives and records.
 */
import assert from 'node:assert/strict';
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import {
  evidenceHolds,
  exporterOf,
  type MachineEvidence,
  readMachine,
  signEvidence,
} from '../../../server/channel/machine-evidence.ts';
import { parseSnapshotContent } from '../../../server/channel/snapshot-content.ts';
import { type ConnectorOptions, startConnector } from '../../../server/connector/connector.ts';
import { dialer, parseControlAddress } from '../../../server/connector/control-address.ts';
import { parseExposes } from '../../../server/connector/expose.ts';
import { readState } from '../../../server/connector/kept-state.ts';
import { runConnector } from '../../../server/connector/run-connector.ts';
import { readPolicyContent } from '../../../server/control/policy-content.ts';
import { logger } from '../../../server/log.ts';
import type { CertificateFiles } from '../../../server/tls/certificate-files.ts';
import { CertificateAuthority, type Wanted } from '../../support/certificate-authority.ts';
import { FarGateway } from './far-gateway.ts';
import { Installation } from './installation.ts';

const machine = 'web-7.example.test';
const rsa1024 = {
  ...{ name: 'RSASSA-PKCS1-v1_5', modulusLength: 1_024, hash: 'SHA-256' },
  publicExponent: new Uint8Array([1, 0, 1]),
};
const folder = mkdtempSync(join(tmpdir(), 'machines-'));
let ours: CertificateAuthority;
let other: CertificateAuthority;
/** Named like ours, by a key that is too short. */
let short: CertificateAuthority;
let installation: Installation;
let gateway: FarGateway;

before(async () => {
  ours = await CertificateAuthority.found(folder);
  // Each writes root.pem into its folder.
  const elsewhere = () => mkdtempSync(join(folder, 'other-'));
  other = await CertificateAuthority.found(elsewhere());
  short = await CertificateAuthority.found(elsewhere(), rsa1024);
  const channel = { port: 0, bind: '127.0.0.1', host: '127.0.0.1', machines: [ours.root, short.root] };
  installation = new Installation((config) => ({ ...config, channel }));
  // TLS judges certificates by the time of day.
  installation.clock.leap(Date.now() - installation.clock.now());
  await installation.start({ gateway: 'a-token-of-the-supervisor' });
  gateway = new FarGateway(installation, 'a-token-of-the-supervisor');
  await gateway.next('snapshot');
});
after(async () => {
  gateway?.channel.close();
  await installation?.stop();
  installation?.remove();
  rmSync(folder, { recursive: true });
});

let names = 0;
/** A name that no connector has, and a token for it. */
async function newToken(needs: object = {}): Promise<{ name: string; token: string }> {
  names += 1;
  const name = `site${names}`;
  const { status, body } = await installation.admin('POST', '/admin/connectors', { name, ...needs });
  assert.equal(status, 200);
  return { name, token: body.token };
}

interface Joined {
  /** By the secret it was given, or by another token. */
  readonly again: (shown?: CertificateFiles, by?: { name: string; token: string }) => Promise<Joined>;
  readonly leave: () => Promise<void>;
}

/** Joins, publishing a service of the connector's name. @param own a folder that is kept for the next time */
async function joinAs(
  t: TestContext,
  { name, token }: { name: string; token: string },
  shown?: CertificateFiles,
  own = mkdtempSync(join(folder, 'connector-')),
): Promise<Joined> {
  const running = await runConnector({
    ...{ folder: own, token, bind: '127.0.0.1', mtu: 1_420, log: logger('test') },
    exposes: parseExposes([`${name}=127.0.0.1:9`]),
    machine: shown && { cert: shown.certificate, key: shown.key },
  });
  t.after(() => running.close());
  return {
    leave: () => running.close(),
    again: async (next, by = { name, token }) => {
      await running.close();
      // What it kept goes before a token; its WireGuard key stays.
      if (by.token !== token) rmSync(join(own, 'connector.json'), { force: true });
      return joinAs(t, by, next, own);
    },
  };
}

async function listed(name: string): Promise<{ evidence: string; machine?: string } | undefined> {
  const { connectors } = (await installation.admin('GET', '/admin/connectors')).body;
  return connectors.find((one: { name: string }) => one.name === name);
}

/** What policies see of a service. */
async function seenByPolicy(name: string): Promise<unknown> {
  const { context } = installation.control;
  const content = await context.store.transaction().execute((transaction) => readPolicyContent(context, transaction));
  const { entities } = parseSnapshotContent(JSON.stringify(content));
  return entities.find(({ uid }) => uid.type === 'Service' && uid.id === name)?.attrs['evidence'];
}

const issue = (wanted: Partial<Wanted> = {}, by = ours) =>
  by.issue(`machine${randomBytes(4).toString('hex')}`, { names: [machine], usage: 'client', ...wanted });

test('QHX-16: a token alone is recorded as weak, a certificate of a named authority as strong, and policy sees it', async (t) => {
  const [plain, certified] = [await newToken(), await newToken()];
  await joinAs(t, plain);
  await joinAs(t, certified, await issue());
  assert.deepEqual(
    [(await listed(plain.name))?.evidence, (await listed(certified.name))?.evidence],
    ['weak', 'strong'],
  );
  assert.match((await listed(certified.name))?.machine ?? '', /^CN=/);
  assert.deepEqual([await seenByPolicy(plain.name), await seenByPolicy(certified.name)], ['weak', 'strong']);
  const joins = await installation.events('connector.join');
  const recorded = joins.map(({ detail }) => [detail.name, detail.evidence]);
  assert.deepEqual(recorded, [
    [plain.name, 'weak'],
    [certified.name, 'strong'],
  ]);
});

test('QHX-16: who comes again without the certificate is weak again', async (t) => {
  const token = await newToken();
  const connector = await joinAs(t, token, await issue());
  await connector.again();
  assert.deepEqual([(await listed(token.name))?.evidence, await seenByPolicy(token.name)], ['weak', 'weak']);
});

test('QHX-1: where strong evidence is asked for nothing is given before it is shown, each time anew', async (t) => {
  const token = await newToken({ machine });
  await assert.rejects(joinAs(t, token), { code: 'evidence_missing' });
  assert.equal(await listed(token.name), undefined);
  // The token was not spent by that.
  const connector = await joinAs(t, token, await issue());
  await assert.rejects(connector.again(), { code: 'evidence_missing' });
});

test('QHX-1: another token for the same name and key takes nothing off of what was asked for', async (t) => {
  const token = await newToken({ machine });
  const connector = await joinAs(t, token, await issue());
  const { body } = await installation.admin('POST', '/admin/connectors', { name: token.name });
  const plain = { name: token.name, token: body.token };
  await assert.rejects(connector.again(undefined, plain), { code: 'evidence_missing' });
  const stranger = await issue({ names: ['web-8.example.test'] });
  await assert.rejects(connector.again(stranger, plain), { code: 'evidence_refused' });
  const again = await connector.again(await issue(), plain);
  await assert.rejects(again.again(), { code: 'evidence_missing' });
});

const refused: [string, () => Promise<CertificateFiles>, object?][] = [
  ['of another authority', () => issue({}, other)],
  ['of an authority whose key is too short', () => issue({}, short)],
  ['that has ended', () => issue({ from: -9, to: -1 })],
  ['that has not begun', () => issue({ from: 2 })],
  ['for servers', () => issue({ usage: 'server' })],
  ['for every machine of a domain', () => issue({ names: ['*.example.test'] }), { machine }],
  ['for a part of a name', () => issue({ names: ['web-*.example.test'] }), { machine }],
  ['that names the machine in its subject alone', () => issue({ names: [], commonName: machine }), { machine }],
  ['for another machine', () => issue({ names: ['web-8.example.test'] }), { machine }],
];
for (const [what, files, needs] of refused)
  test(`QHX-1: a certificate ${what} is refused and not taken for weak`, async (t) => {
    const token = await newToken(needs);
    await assert.rejects(joinAs(t, token, await files()), { code: 'evidence_refused' });
    assert.equal(await listed(token.name), undefined);
    assert.equal(await seenByPolicy(token.name), undefined);
  });

test('QHX-1: what a machine showed is refused on a second TLS connection, which is the same in all else', async (t) => {
  const token = await newToken({ machine });
  const files = await issue();
  const own = mkdtempSync(join(folder, 'connector-'));
  await (await joinAs(t, token, files, own)).leave();
  const state = readState(join(own, 'connector.json'))!;
  const certificateKey = createPublicKey(state.key).export({ format: 'jwk' }).x!;
  let { credential, id } = state;
  const come = async (evidence: NonNullable<ConnectorOptions['evidence']>) => {
    const connector = await startConnector({
      ...{ name: token.name, token: credential, id, exposes: [], certificateKey, evidence },
      dial: dialer(parseControlAddress(state.control), state.authority, state.trustDomain, () => ({
        key: state.key,
        cert: state.svid!,
      })),
      onCredential: (kept) => ([credential, id] = [kept.token, kept.id]),
      keyFile: join(own, 'wireguard.pem'),
      wireguard: { bind: '127.0.0.1', mtu: 1_420, announce: false },
      log: logger('test'),
    });
    await connector.close();
  };
  const shown = readMachine({ cert: files.certificate, key: files.key }, (path) => readFileSync(path, 'utf8'));
  const made: MachineEvidence[] = [];
  const fresh = (socket: Socket, wireguardKey: Uint8Array) => {
    const exporter = exporterOf(socket as TLSSocket);
    const binding = { exporter, wireguardKey, certificateKey: Buffer.from(certificateKey, 'base64url') };
    made.push(signEvidence(shown, binding));
    return made.at(-1);
  };
  await come(fresh);
  const [captured] = made;
  await assert.rejects(
    come(() => captured),
    { code: 'evidence_refused' },
  );
  await come(fresh);
  assert.deepEqual(made[1]?.chain, captured?.chain);
});

test('QHX-1: what was shown is worth nothing on another connection, or for another key', async () => {
  const { certificate, key } = await issue();
  const shown = readMachine({ cert: certificate, key }, (path) => readFileSync(path, 'utf8'));
  const binding = { exporter: randomBytes(32), wireguardKey: randomBytes(32), certificateKey: randomBytes(32) };
  const evidence = signEvidence(shown, binding);
  const own = new X509Certificate(shown.chain[0] ?? '');
  assert.equal(evidenceHolds(evidence, own, binding), true);
  for (const name of ['exporter', 'wireguardKey', 'certificateKey'] as const)
    assert.equal(evidenceHolds(evidence, own, { ...binding, [name]: randomBytes(32) }), false, name);
  const another = new X509Certificate(readFileSync((await issue()).certificate, 'utf8'));
  assert.equal(evidenceHolds(evidence, another, binding), false);
});

test('QPT-9: a machine’s files that cannot be used are named before anything is said', async (t) => {
  const [good, stranger] = [await issue(), await issue()];
  const nothing = join(folder, 'nothing.pem');
  writeFileSync(nothing, 'nothing');
  for (const files of [
    { certificate: nothing, key: good.key },
    { certificate: good.certificate, key: nothing },
    { certificate: join(folder, 'missing.pem'), key: good.key },
    { certificate: good.certificate, key: stranger.key },
  ])
    await assert.rejects(joinAs(t, await newToken(), files), { code: 'machine_unusable' });
});

test('QPT-9: strong evidence is not asked for where no authority is named', async () => {
  const bare = await new Installation().start();
  const { status, body } = await bare.admin('POST', '/admin/connectors', { name: 'site', evidence: 'strong' });
  assert.deepEqual([status, body.error], [409, 'no_machine_authority']);
  await bare.stop();
  bare.remove();
  const damaged = new Installation((config) => ({
    ...config,
    channel: { ...config.channel, machines: ['/dev/null'] },
  }));
  await assert.rejects(damaged.start(), { code: 'authority_unusable' });
  damaged.remove();
});
