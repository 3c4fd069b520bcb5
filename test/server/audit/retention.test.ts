/** How long the log is kept counts only as two approved it and the audit key wrote it down. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { utf8 } from '../../../protocol/bytes.ts';
import type { CertifiedSigner } from '../../../server/audit/audit-object.ts';
import { approvals, readRetention, writeRetention } from '../../../server/audit/retention.ts';
import { starts } from '../../../server/audit/start.ts';
import { readVouched, vouchAnew } from '../../../server/audit/vouch.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import type { RetentionTable } from '../../../server/store/tables/audit.ts';
import { beside, clock, type Fixture, fixture } from './chain-fixture.ts';

const dayMs = 86_400_000;

describe('how long the audit log is kept', () => {
  let made: Fixture;
  beforeEach(async () => {
    made = await fixture();
  });
  afterEach(async () => {
    await made.store.destroy();
    made.remove();
  });

  /** A change that was carried out. @returns the digest that was signed */
  async function changed(to: number | null, outcome = 'done'): Promise<Uint8Array> {
    const id = randomUUID();
    const document = JSON.stringify({ id, kind: 'retention.set', from: null, to });
    const times = { created_at: 1, expires_at: 2, decided_at: 1 };
    const row = {
      id,
      kind: 'retention.set' as const,
      document,
      dangers: '[]',
      requested_by: 'system',
      outcome,
      ...times,
    };
    await made.store.insertInto('changes').values(row).execute();
    return nodeCrypto.sha256(utf8(document));
  }
  async function approve(days: number | null, signer = made.pki.certified('audit'), at = made.paths): Promise<void> {
    const approved = { days, time: clock.now(), digest: await changed(days) };
    await made.store.transaction().execute((transaction) => writeRetention(transaction, at, signer, approved));
  }
  const read = (at = made.paths) => readRetention(made.store, at);
  const stored = () => made.store.selectFrom('retention').selectAll().executeTakeFirstOrThrow();
  async function put(row: RetentionTable): Promise<void> {
    await made.store.deleteFrom('retention').execute();
    await made.store.insertInto('retention').values(row).execute();
  }

  test('QZ-42: it is for ever until a time was approved, and for ever again when that was', async () => {
    assert.deepEqual(await read(), { days: null });
    for (const days of [90, 36_500, null, 365]) {
      await approve(days);
      assert.deepEqual(await read(), { days });
    }
    assert.equal((await stored()).epoch, 4);
  });

  const forged: [what: string, fault: string, signer: () => CertifiedSigner, days?: number, approved?: number][] = [
    ['by the key of another role', 'retention_unsigned', () => made.pki.certified('notary')],
    ['by a key that no root certified', 'retention_unsigned', () => ({ ...ours(), signer: made.pki.signer('policy') })],
    ['of a change that says another time', 'retention_unapproved', () => ours(), 90, 365],
    ['of a time that is too short', 'retention_unapproved', () => ours(), 89, 89],
  ];
  const ours = () => made.pki.certified('audit');
  for (const [what, fault, signer, days = 90, approved = days] of forged)
    test(`QZ-42: everything is kept where the approval is ${what}`, async () => {
      const digest = await changed(approved);
      const content = { epoch: 1, days, time: clock.now(), digest };
      await put({ epoch: 1, ...(await approvals.signForStore(signer(), content)) });
      assert.deepEqual(await read(), { days: null, fault });
    });

  const edits: [what: string, fault: string, edit: (row: RetentionTable) => RetentionTable][] = [
    ['days', 'retention_unsigned', (row) => ({ ...row, object: withByte(row.object, 41 + 11, 1) })],
    ['signature', 'retention_unsigned', (row) => ({ ...row, object: withByte(row.object, row.object.length - 1) })],
    ['length', 'retention_unsigned', (row) => ({ ...row, object: row.object.subarray(1) })],
  ];
  function withByte(bytes: Uint8Array, at: number, value = bytes[at]! ^ 1): Uint8Array {
    return bytes.map((byte, index) => (index === at ? value : byte));
  }
  for (const [what, fault, edit] of edits)
    test(`QZ-42: everything is kept where the ${what} of an approval was edited`, async () => {
      await approve(365);
      await put(edit(await stored()));
      assert.deepEqual(await read(), { days: null, fault });
    });

  test('QZ-42: everything is kept where the change it names was never carried out, or is not there', async () => {
    await approve(90);
    await made.store.updateTable('changes').set({ outcome: 'refused' }).execute();
    assert.deepEqual(await read(), { days: null, fault: 'retention_unapproved' });
    await made.store.deleteFrom('changes').execute();
    assert.deepEqual(await read(), { days: null, fault: 'retention_unapproved' });
  });

  test('QZ-42: an approval that another replaced is none when it is put back, nor is it forgotten when it is taken away', async () => {
    await approve(90);
    const short = await stored();
    await approve(null);
    await put(short);
    assert.deepEqual(await read(), { days: null, fault: 'retention_replayed' });
    await made.store.deleteFrom('retention').execute();
    assert.deepEqual(await read(), { days: null, fault: 'retention_missing' });
    await approve(365);
    assert.deepEqual(await read(), { days: 365 });
  });

  test('a file of the newest approval that cannot be read is said, and nothing is assumed', async () => {
    await approve(90);
    writeFileSync(made.paths.retention, 'nothing');
    await assert.rejects(read(), { code: 'files_malformed' });
    rmSync(made.paths.retention);
    assert.deepEqual(await read(), { days: 90 });
  });

  test('QZ-42: what one control plane wrote down holds at the other, whose audit key is another', async (t) => {
    const second = await beside(made, { now: () => clock.now() + 61 * dayMs });
    t.after(() => second.remove());
    const its = second.pki.certified('audit');
    const digest = await changed(90);
    const approved = { days: 90, time: clock.now() + 61 * dayMs, digest };
    await made.store.transaction().execute((transaction) => writeRetention(transaction, second.paths, its, approved));
    assert.deepEqual([await read(), await read(second.paths)], [{ days: 90 }, { days: 90 }]);
    const row = await stored();
    await approve(365);
    await put(row);
    assert.deepEqual(await read(), { days: null, fault: 'retention_replayed' }, 'to whoever saw the newer one');
  });

  test('QZ-22: what the other control plane’s key signed holds under a new root too, and what did not hold does not', async (t) => {
    const time = clock.now() + 61 * dayMs;
    const second = await beside(made, { now: () => time });
    t.after(() => second.remove());
    const its = second.pki.certified('audit');
    const start = { seq: 7, hash: new Uint8Array(32).fill(7), time };
    const approved = { days: 90, time, digest: await changed(90) };
    await made.store.transaction().execute(async (transaction) => {
      const signed = await starts.signForStore(its, start);
      await transaction
        .insertInto('audit_start')
        .values({ seq: 7, ...signed })
        .execute();
      await writeRetention(transaction, second.paths, its, approved);
    });
    const held = () => made.store.transaction().execute((transaction) => readVouched(transaction, made.paths));
    const before = await held();
    await made.pki.rotateRoot(time);
    assert.deepEqual(await held(), { start: undefined, approval: undefined });
    const again = (vouched: typeof before) =>
      made.store
        .transaction()
        .execute((transaction) => vouchAnew(transaction, vouched, made.pki.certified('audit'), time));
    await again(await held());
    assert.deepEqual(await held(), { start: undefined, approval: undefined });
    await again(before);
    assert.deepEqual(await held(), { start, approval: { ...approved, epoch: 1 } });
    assert.deepEqual(await read(), { days: 90 });
  });
});
