/** A log whose old events were dropped: whole to the verifier when it was dropped by the book, and only then. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { base64url } from '../../../protocol/bytes.ts';
import type { Signer } from '../../../protocol/crypto.ts';
import { anchors } from '../../../server/audit/anchor.ts';
import { readAnchors } from '../../../server/audit/anchor-files.ts';
import { chainHash, genesis } from '../../../server/audit/chain.ts';
import { cutAt, dueCut } from '../../../server/audit/expiry.ts';
import type { KeptAnchor } from '../../../server/audit/kept-anchors.ts';
import { starts } from '../../../server/audit/start.ts';
import { verifyAudit } from '../../../server/audit/verify.ts';
import { beside, clock, event, type Fixture, fixture } from './chain-fixture.ts';

const dayMs = 86_400_000;
/** All that was anchored is old. */
const old = { now: clock.now() + 1, keep: 0 };

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
  const due = (age = old) => dueCut(made.store, made.paths, age);
  /** The kept anchor at that position. */
  const keptAt = (seq: number): KeptAnchor =>
    readAnchors(made.paths)
      .map((object) => ({ ...anchors.peek(object), object }))
      .find((anchor) => anchor.seq === seq)!;
  const dropTo = (cut: KeptAnchor, signer = made.pki.certified('audit'), paths = made.paths) =>
    made.log.transact((transaction) => cutAt(transaction, cut, { paths, signer, now: clock.now() }));
  /** @param at the position to cut at, where there is an anchor */
  async function cut(at?: number): Promise<boolean> {
    const chosen = at === undefined ? await due() : keptAt(at);
    assert.ok(chosen !== undefined);
    return dropTo(chosen);
  }
  const hashOf = async (seq: number) =>
    (await made.store.selectFrom('audit').select('hash').where('seq', '=', seq).executeTakeFirstOrThrow()).hash;
  const positions = async () =>
    (await made.store.selectFrom('audit').select('seq').orderBy('seq').execute()).map(({ seq }) => seq);
  async function verdict(): Promise<unknown> {
    await made.stop();
    return seenFrom(made.data);
  }
  async function seenFrom(data: string): Promise<unknown> {
    const report = await verifyAudit(data, 0, { file: made.paths.database });
    return report.ok ? [report.dropped, report.events] : [report.fault, report.position];
  }

  test('QZ-42: it is cut at an anchor that is old enough, what is left follows it, and it goes on', async () => {
    assert.equal(await cut(), true);
    assert.deepEqual(await positions(), [9, 10]);
    await append(1);
    assert.deepEqual(await verdict(), [8, 11]);
    await made.start();
    await append(1);
    assert.deepEqual(await verdict(), [8, 12]);
  });

  test('QZ-42: it is cut again, from where it begins now, and never back', async () => {
    await cut(5);
    assert.equal((await due())?.seq, 8);
    await cut();
    assert.equal(await cut(5), false);
    assert.equal(await cut(8), false);
    assert.deepEqual(await positions(), [9, 10]);
    assert.deepEqual(await verdict(), [8, 10]);
  });

  test('QZ-42: what was anchored later stays, and so does the last event', async () => {
    assert.equal(await due({ now: clock.now(), keep: 0 }), undefined);
    await made.stop();
    await made.start();
    await cut();
    assert.deepEqual(await positions(), [9, 10], 'there is an anchor at 10 too');
    assert.equal(await due(), undefined);
  });

  test('QZ-42: events that are gone without a start, or with one of another place, are found', async () => {
    const start = await startAt(5, await hashOf(5));
    await made.store.deleteFrom('audit').where('seq', '<=', 5).execute();
    assert.deepEqual(await verdict(), ['dropped', 1]);
    await made.start();
    await made.store
      .insertInto('audit_start')
      .values({ seq: 5, ...start })
      .execute();
    await made.store.deleteFrom('audit').where('seq', '<=', 7).execute();
    assert.deepEqual(await verdict(), ['dropped', 6]);
  });

  const startAt = (seq: number, hash: Uint8Array = new Uint8Array(32), signer = made.pki.certified('audit')) =>
    starts.signForStore(signer, { seq, hash, time: clock.now() });

  test('QZ-42: a start by another key or of another type is no start, and one that does not fit the anchors is found', async () => {
    const hash = await hashOf(8);
    await cut();
    const set = (object: Uint8Array) => made.store.updateTable('audit_start').set({ object }).execute();
    const faults: [unknown, Uint8Array][] = [
      [['anchor', null], anchorOf8()],
      [['anchor', null], (await startAt(8, hash, made.pki.certified('notary'))).object],
      [['anchor', null], new Uint8Array(10)],
      [['rewritten', 8], (await startAt(8)).object],
      [['dropped', 8], (await startAt(7, hash)).object],
    ];
    for (const [expected, object] of faults) {
      await set(object);
      assert.deepEqual(await verdict(), expected);
      await made.start();
    }
    await set((await startAt(8, hash)).object);
    assert.deepEqual(await verdict(), [8, 10]);
  });
  const anchorOf8 = () => keptAt(8).object;

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

  test('QZ-42: nothing is dropped by an anchor of the right event that the audit key did not sign', async () => {
    const other = await fixture();
    const right = keptAt(8);
    const by = (signer: Signer) => anchors.sign(signer, right);
    const flipped = (at: number) =>
      right.object.map((byte, index) => byte ^ Number(index === right.object.length - at));
    const wrong: [string, Uint8Array][] = [
      ['of another installation', await by(other.pki.signer('audit'))],
      ['of another role', await by(made.pki.signer('notary'))],
      ['with a bit of the Ed25519 signature changed', flipped(1)],
      ['with a bit of the ML-DSA signature changed', flipped(100)],
    ];
    for (const [what, object] of wrong)
      await assert.rejects(dropTo({ ...right, object }), { code: 'chain_broken' }, what);
    other.remove();
    assert.equal((await positions()).length, 10);
    assert.equal(await dropTo(right), true, 'the same by the audit key');
  });

  const damages: [string, string][] = [
    ['was edited', "UPDATE audit SET event = json_set(event, '$.actor', 'system') WHERE seq = 3"],
    ['is gone', 'DELETE FROM audit WHERE seq = 3'],
    ['at the end of them is another', "UPDATE audit SET hash = x'00' WHERE seq = 8"],
  ];
  for (const [what, statement] of damages)
    test(`QZ-42: events are not dropped while one of them ${what}, which nobody could find afterwards`, async () => {
      await made.stop();
      made.damage(statement);
      await made.start();
      const before = await positions();
      await assert.rejects(cut(8), { code: 'chain_broken' });
      assert.deepEqual(await positions(), before);
    });

  test('QZ-42: events that were edited and chained anew are not dropped: the anchor speaks of others', async () => {
    const rows = await made.store.selectFrom('audit').selectAll().where('seq', '<=', 8).orderBy('seq').execute();
    let prev: Uint8Array = genesis;
    for (const { seq, event } of rows) {
      const edited = event.replace('"allow"', '"deny"');
      const hash = chainHash(prev, seq, edited);
      await made.store.updateTable('audit').set({ event: edited, prev, hash }).where('seq', '=', seq).execute();
      prev = hash;
    }
    await assert.rejects(cut(8), { code: 'chain_broken' });
    assert.equal((await positions()).length, 10);
  });

  test('QZ-42: nothing is dropped after a start that the audit key did not sign', async () => {
    await cut(5);
    const stranger = await startAt(5, keptAt(5).hash, made.pki.certified('notary'));
    await made.store.updateTable('audit_start').set(stranger).execute();
    await assert.rejects(cut(8), { code: 'chain_broken' });
    assert.deepEqual(await positions(), [6, 7, 8, 9, 10]);
  });

  test('QZ-42: a log that is cut while it is verified is read as it was', async () => {
    await cut(5);
    const open = starts.open.bind(starts);
    const opened = mock.method(starts, 'open', async (...given: Parameters<typeof open>) => {
      opened.mock.restore();
      const start = await open(...given);
      const by = { paths: made.paths, signer: made.pki.certified('audit'), now: clock.now() };
      await made.store.transaction().execute((transaction) => cutAt(transaction, keptAt(8), by));
      return start;
    });
    const report = await verifyAudit(made.data);
    assert.deepEqual(report.ok && [report.dropped, report.events], [5, 10]);
    assert.deepEqual(await verdict(), [8, 10]);
  });

  describe('by one of two control planes', () => {
    /** Their keys have gone different ways by then. */
    const later = { now: () => clock.now() + 61 * dayMs };

    test('QZ-8: it verifies from the folder of either, though each has audit keys of its own', async (t) => {
      const second = await beside(made, later);
      t.after(() => second.remove());
      const its = second.pki.certified('audit');
      assert.notDeepEqual(its.signer.publicKey, made.pki.signer('audit').publicKey);
      const by = { paths: second.paths, signer: its, now: later.now() };
      await made.log.transact((transaction) => cutAt(transaction, keptAt(8), by));
      assert.deepEqual(await verdict(), [8, 10]);
      assert.deepEqual(await seenFrom(second.data), [8, 10]);
      await made.start();
      const { certificate } = made.pki.certified('audit');
      for (const wrong of [null, certificate, new Uint8Array(7)]) {
        await made.store.updateTable('audit_start').set({ certificate: wrong }).execute();
        assert.deepEqual(await verdict(), ['anchor', null], 'nobody says whose it is');
        await made.start();
      }
    });

    test('QZ-8: one that was away during the cut starts, and does not when events are gone in another way', async (t) => {
      const second = await beside(made, clock);
      t.after(() => second.remove());
      await append(2);
      await made.stop();
      await made.start();
      const atTheEnd = keptAt(12);
      await append(1);
      await made.store.deleteFrom('audit').where('seq', '<=', 12).execute();
      await assert.rejects(second.open(), { code: 'chain_broken' }, 'without a start');
      await made.store
        .insertInto('audit_start')
        .values({ seq: 12, ...(await startAt(12, atTheEnd.hash, made.pki.certified('notary'))) })
        .execute();
      await assert.rejects(second.open(), { code: 'chain_broken' }, 'with a start of another key');
      await made.store
        .updateTable('audit_start')
        .set(await startAt(12, atTheEnd.hash))
        .execute();
      await (await second.open()).append([event()]);
      assert.deepEqual(
        [await verdict(), await seenFrom(second.data)],
        [
          [12, 14],
          [12, 14],
        ],
      );
    });
  });
});

describe('how old an event of the audit log is', () => {
  const [today, years] = [200, 3_650];
  let day = 0;
  let made: Fixture;
  beforeEach(async () => {
    day = 100;
    made = await fixture({ now: () => clock.now() + day * dayMs });
  });
  afterEach(async () => {
    await made.stop();
    made.remove();
  });
  /** An event, and an anchor that is kept, on each of these days. */
  async function anchoredOn(...days: number[]): Promise<void> {
    for (day of days) {
      await made.log.append([event()]);
      // Of which only those that are not by themselves kept are.
      await made.log.close();
    }
  }
  const due = (keepDays: number) =>
    dueCut(made.store, made.paths, { now: clock.now() + day * dayMs, keep: keepDays * dayMs });
  const everyTenth = Array.from({ length: 11 }, (_, n) => 100 + n * 10);

  test('QZ-42: it is the time since its anchor while something is anchored again and again', async () => {
    await anchoredOn(...everyTenth);
    assert.deepEqual(
      [day, (await due(90))?.seq, (await due(89))?.seq, (await due(100))?.seq],
      [today, 1, 2, undefined],
    );
  });

  test('QZ-42: of a clock that is set ahead by years a month counts, and nothing once it is right again', async () => {
    await anchoredOn(...everyTenth);
    day = today + years;
    assert.equal((await due(90))?.seq, 4, 'days 100 to 130, and not 140');
    await anchoredOn(day);
    assert.equal((await due(90))?.seq, 4, 'the same when it was anchored so');
    await anchoredOn(today + 1, today + 2);
    assert.equal((await due(90))?.seq, 2);
  });

  test('QZ-42: what was anchored by a clock that was ahead goes with what was anchored after it', async () => {
    await anchoredOn(100, 100 + years, 101 + years, 101, 120, 140, 160);
    assert.equal((await due(30))?.seq, 5);
    await made.store.deleteFrom('audit').where('seq', '=', 1).execute();
    assert.deepEqual([(await due(45))?.seq, (await due(60))?.seq], [4, undefined]);
  });

  test('QZ-42: an anchor is kept for each day on which anything is written', async () => {
    day = 101;
    await made.log.append([event()]);
    assert.equal(readAnchors(made.paths).length, 1);
    await made.log.append([event()]);
    assert.equal(readAnchors(made.paths).length, 1);
    day = 102;
    await made.log.append([event()]);
    day = 103;
    await made.log.append([]);
    assert.deepEqual(
      readAnchors(made.paths).map((object) => anchors.peek(object).seq),
      [1, 3],
    );
  });

  test('QZ-42: among very many anchors the one to cut at is found by reading few', async () => {
    await anchoredOn(100);
    const [first] = readAnchors(made.paths).map((object) => anchors.peek(object));
    const many = await Promise.all(
      Array.from({ length: 1_000 }, async (_, n) => ({ ...first!, seq: n + 1, time: first!.time + n * dayMs })),
    );
    // Unsigned: choosing believes nothing yet.
    const object = await anchors.sign(made.pki.signer('audit'), first!);
    const lines = many.map(({ seq, time }) => {
      const line = Buffer.from(object);
      line.writeBigUInt64BE(BigInt(seq), 41);
      line.writeBigUInt64BE(BigInt(time), 81);
      return base64url(line);
    });
    writeFileSync(made.paths.anchors, `${lines.join('\n')}\n`);
    await made.store
      .insertInto('audit')
      .values(await rowAt(1_000))
      .execute();
    const peeked = mock.method(anchors, 'peek');
    day = 1_099;
    assert.equal((await due(90))?.seq, 909);
    peeked.mock.restore();
    assert.ok(peeked.mock.callCount() < 150, `${peeked.mock.callCount()} were read`);
  });
  test('a file of anchors that is none is said', async () => {
    await anchoredOn(100, 110);
    for (const line of [`${'A'.repeat(4_659)}\n`, `${'?'.repeat(4_659)}\n`]) {
      writeFileSync(made.paths.anchors, line);
      await assert.rejects(due(0), { code: 'files_malformed' });
    }
  });

  const rowAt = async (seq: number) => {
    const row = await made.store.selectFrom('audit').selectAll().executeTakeFirstOrThrow();
    return { ...row, seq, id: `at ${seq}` };
  };
});
