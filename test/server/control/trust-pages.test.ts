/** What the pages of the PKI and notary roles are told: keys by fingerprint, and the audit log, whole and broken. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { Installation } from './installation.ts';

let installation: Installation;
before(async () => {
  installation = await new Installation().start();
});
after(async () => {
  await installation.stop();
  installation.remove();
});
const sha256 = (text: string) => createHash('sha256').update(Buffer.from(text, 'base64url')).digest('hex');

test('QHX-2: the keys of the installation are told by their fingerprints, with their lives', async () => {
  const { body } = await installation.admin('GET', '/admin/keys');
  const pins = (await installation.browse(installation.hub, { path: '/.well-known/latchkey/pins' })).body;
  assert.deepEqual(body.roots, [{ fingerprint: sha256(pins.pins), inForce: true }]);
  assert.match(body.nextRoot, /^[0-9a-f]{64}$/);
  const signing = body.keys.filter(({ signs }: { signs: boolean }) => signs);
  assert.deepEqual(signing.map(({ role }: { role: string }) => role).sort(), [
    'audit',
    'directory',
    'notary',
    'policy',
    'revocation',
    'svid',
  ]);
  const now = installation.clock.now();
  for (const { notBefore, notAfter } of signing) assert.ok(notBefore < now && notAfter - now === 90 * 86_400_000);
  assert.equal(body.tokenKeys.length, 1);
  assert.equal(body.rotation, undefined);
  assert.equal(
    new Set([body.nextRoot, body.authority.fingerprint, ...body.keys.map(({ id }: { id: string }) => id)]).size,
    8,
  );
});

test('QHX-2: a rotation that waits is shown, and a successor beside the key that it follows', async () => {
  assert.equal((await installation.admin('POST', '/admin/root', { dryRun: false })).status, 200);
  const { rotation } = (await installation.admin('GET', '/admin/keys')).body;
  assert.deepEqual([rotation.approvals, rotation.needed], [0, 2]);
  installation.clock.leap(61 * 86_400_000);
  await installation.control.context.pki.renew(installation.clock.now());
  const { keys } = (await installation.admin('GET', '/admin/keys')).body;
  const audit = keys.filter(({ role }: { role: string }) => role === 'audit');
  assert.deepEqual(audit.map(({ signs }: { signs: boolean }) => signs).sort(), [false, true]);
});

/** Once the thread that looks has said what it found. */
async function checked() {
  const found = installation.logs(/the audit log (was looked through|is not whole)/, installation.logged.length);
  assert.equal((await installation.admin('POST', '/admin/audit/verify', {})).status, 200);
  await found;
  return (await installation.admin('GET', '/admin/audit/state')).body;
}

test('QZ-37: the notary sees how far the log reaches, that it is whole, and takes it away line by line', async () => {
  const { body: before } = await installation.admin('GET', '/admin/audit/state');
  assert.deepEqual(
    [before.first, before.anchor.position, before.days, before.check],
    [1, before.last, undefined, undefined],
  );
  const exported = await installation.admin('GET', '/admin/audit/export');
  assert.equal(exported.headers['content-disposition'], 'attachment; filename="latchkey-audit.ndjson"');
  const lines = exported.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ seq }) => seq),
    Array.from({ length: before.last + 1 }, (_, at) => at + 1),
  );
  assert.equal(lines.at(-1).event.detail.operation, 'audit.export');
  const { check, last } = await checked();
  const { fingerprint } = (await installation.admin('GET', '/admin/keys')).body.roots[0];
  assert.deepEqual([check.state, check.whole.last, check.whole.fingerprint], ['whole', last, fingerprint]);
});

test('QZ-37: an event that was changed is found, and said', async () => {
  const { store } = installation.control.context;
  await sql`UPDATE audit SET event = replace(event, '"system"', '"nobody"') WHERE seq = 2`.execute(store);
  const { check } = await checked();
  assert.deepEqual([check.state, check.broken.fault, check.whole], ['broken', 'edited', undefined]);
  assert.match(check.broken.message, /Event 2 /);
});
