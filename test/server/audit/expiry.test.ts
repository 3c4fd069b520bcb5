/** A log whose old events were dropped: whole to the verifier when it was dropped by the book, and only then. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { readAnchors } from '../../../server/audit/anchor-files.ts';
import { cutAt, dueCut } from '../../../server/audit/expiry.ts';
import { signStart } from '../../../server/audit/start.ts';
import { verifyAudit } from '../../../server/audit/verify.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { clock, event, type Fixture, fixture } from './chain-fixture.ts';

const later = clock.now() + 1;

describe('an audit log whose old events were dropped', () => {
  let made: Fixture;
  beforeEach(async () => {
    made = await fixture();
    // A stop keeps an anchor: here at 5 and at 8.
    for (const count of [5, 3]) {
      await append(count);
      await made.stop();
      await made.start();
    }
    await append(2);
  });
  afterEach(() => made.remove());

  async function append(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await made.log.append([event({ detail: { n: i } })]);
  }
  const due = (before = later) => dueCut(made.store, made.paths, before);
  /** @param at the position to cut at, where there is an anchor */
  async function cut(at?: number): Promise<void> {
    const chosen = at === undefined ? await due() : { seq: at, hash: await hashOf(at) };
    assert.ok(chosen !== undefined);
    await made.log.transact((transaction) => cutAt(transaction, chosen, made.pki.signer('audit'), clock.now()));
  }
  const hashOf = async (seq: number) =>
    (await made.store.selectFrom('audit').select('hash').where('seq', '=', seq).executeTakeFirstOrThrow()).hash;
  const positions = async () =>
    (await made.store.selectFrom('audit').select('seq').orderBy('seq').execute()).map(({ seq }) => seq);
  async function verdict(): Promise<unknown> {
    await made.stop();
    const report = await verifyAudit(made.data);
    return report.ok ? [report.dropped, report.events] : [report.fault, report.position];
  }

  test('QZ-42: it is cut at an anchor that is old enough, what is left follows it, and it goes on', async () => {
    await cut();
    assert.deepEqual(await positions(), [9, 10]);
    await append(1);
    assert.deepEqual(await verdict(), [8, 11]);
    await made.start();
    await append(1);
    assert.deepEqual(await verdict(), [8, 12]);
  });

  test('QZ-42: it is cut again, from where it begins now', async () => {
    await cut(5);
    assert.equal((await due())?.seq, 8);
    await cut();
    assert.deepEqual(await positions(), [9, 10]);
    assert.deepEqual(await verdict(), [8, 10]);
  });

  test('QZ-42: what was anchored later stays, and so does the last event', async () => {
    assert.equal(await due(clock.now()), undefined);
    await made.stop();
    await made.start();
    await cut();
    assert.deepEqual(await positions(), [9, 10], 'there is an anchor at 10 too');
    assert.equal(await due(), undefined);
  });

  test('QZ-42: events that are gone without a start, or with one of another place, are found', async () => {
    const { object } = await oldStart(5, undefined, await hashOf(5));
    await made.store.deleteFrom('audit').where('seq', '<=', 5).execute();
    assert.deepEqual(await verdict(), ['dropped', 1]);
    await made.start();
    await made.store.insertInto('audit_start').values({ seq: 5, object }).execute();
    await made.store.deleteFrom('audit').where('seq', '<=', 7).execute();
    assert.deepEqual(await verdict(), ['dropped', 6]);
  });

  async function oldStart(seq: number, signer = made.pki.signer('audit'), hash: Uint8Array = new Uint8Array(32)) {
    return { object: await signStart(nodeCrypto, signer, { seq, hash, time: clock.now() }) };
  }

  test('QZ-42: a start by another key or of another type is no start, and one that does not fit the anchors is found', async () => {
    const hash = await hashOf(8);
    await cut();
    const set = (object: Uint8Array) => made.store.updateTable('audit_start').set({ object }).execute();
    const [, anchorOf8 = new Uint8Array()] = readAnchors(made.paths);
    const faults: [unknown, Uint8Array][] = [
      [['anchor', null], anchorOf8],
      [['anchor', null], (await oldStart(8, made.pki.signer('notary'), hash)).object],
      [['anchor', null], new Uint8Array(10)],
      [['rewritten', 8], (await oldStart(8)).object],
      [['dropped', 8], (await oldStart(7, undefined, hash)).object],
    ];
    for (const [expected, object] of faults) {
      await set(object);
      assert.deepEqual(await verdict(), expected);
      await made.start();
    }
    await set((await oldStart(8, undefined, hash)).object);
    assert.deepEqual(await verdict(), [8, 10]);
  });

  test('QZ-42: an edited event after the start is found, and a second cut from the front too', async () => {
    await cut(5);
    await made.stop();
    made.damage("UPDATE audit SET event = json_set(event, '$.actor', 'system') WHERE seq = 7");
    await made.start();
    assert.deepEqual(await verdict(), ['edited', 7]);
    made.damage('DELETE FROM audit WHERE seq = 6');
    await made.start();
    assert.deepEqual(await verdict(), ['dropped', 6]);
  });

  test('QZ-42: nothing is dropped by an anchor that is not ours, or not of this log', async () => {
    const other = await fixture();
    await other.log.append([event()]);
    await other.stop();
    appendFileSync(made.paths.anchors, readFileSync(other.paths.anchors));
    other.remove();
    // It says 1, which is the first that may go, when no other is due.
    await made.store.deleteFrom('audit').where('seq', 'in', [5, 8]).execute();
    await assert.rejects(due(), { code: 'chain_broken' });
  });
});
