import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { chainHash, genesis } from '../../../server/audit/chain.ts';
import { type AuditReport, verifyAudit } from '../../../server/audit/verify.ts';
import type { AuditFault } from '../../../server/audit/walk.ts';
import { event, type Fixture, fixture } from './chain-fixture.ts';

const events = 8;

function faultOf(report: AuditReport): [AuditFault, number | null] | 'whole' {
  return report.ok ? 'whole' : [report.fault, report.position];
}

describe('audit verification', () => {
  let made: Fixture;
  beforeEach(async () => {
    made = await fixture();
    for (let i = 0; i < events; i++) await made.log.append([event({ detail: { n: i } })]);
    await made.stop();
  });
  afterEach(() => made.remove());
  const verify = async () => faultOf(await verifyAudit(made.data));

  test('QZ-8: a chain nobody touched is whole, and the report names the root it believes', async () => {
    const report = await verifyAudit(made.data);
    assert.deepEqual(report, {
      ok: true,
      events,
      anchors: 1,
      fingerprint: Buffer.from(made.pki.fingerprint).toString('base64url'),
    });
  });

  const edits: [string, string][] = [
    ['actor', `json_set(event, '$.actor', 'system')`],
    ['id inside the event', `json_set(event, '$.id', '00000000-0000-4000-8000-000000000000')`],
    ['time', `json_set(event, '$.time', 1)`],
    ['type', `json_set(event, '$.type', 'login')`],
    ['service', `json_set(event, '$.service', 'ledger')`],
    ['decision', `json_set(event, '$.decision', 'deny')`],
    ['policies', `json_set(event, '$.policies[0]', 'other')`],
    ['detail', `json_set(event, '$.detail.n', 99)`],
    ['added field', `json_set(event, '$.reason', 'none')`],
    ['removed field', `json_remove(event, '$.decision')`],
    ['spelling', `event || ' '`],
  ];
  for (const position of [1, 4, events]) {
    for (const [field, expression] of edits) {
      test(`QZ-8: an edited ${field} of event ${position} is found there`, async () => {
        made.damage(`UPDATE audit SET event = ${expression} WHERE seq = ${position}`);
        assert.deepEqual(await verify(), ['edited', position]);
      });
    }
    for (const column of ['hash', 'prev']) {
      test(`QZ-8: an edited column ${column} of event ${position} is found there`, async () => {
        made.damage(`UPDATE audit SET ${column} = x'${'ab'.repeat(32)}' WHERE seq = ${position}`);
        assert.deepEqual(await verify(), ['edited', position]);
      });
    }
    test(`QZ-8: an edited column id of event ${position} is found there`, async () => {
      made.damage(`UPDATE audit SET id = 'other' WHERE seq = ${position}`);
      assert.deepEqual(await verify(), ['edited', position]);
    });
  }

  for (const position of [1, 4]) {
    test(`QZ-8: a dropped event ${position} is found there`, async () => {
      made.damage(`DELETE FROM audit WHERE seq = ${position}`);
      assert.deepEqual(await verify(), ['dropped', position]);
    });
    test(`QZ-8: a dropped event ${position} is found although the later ones were numbered anew`, async () => {
      made.damage(
        `DELETE FROM audit WHERE seq = ${position}`,
        `UPDATE audit SET seq = -seq WHERE seq > ${position}`,
        'UPDATE audit SET seq = -seq - 1 WHERE seq < 0',
      );
      assert.deepEqual(await verify(), ['dropped', position]);
    });
  }

  test('QZ-8: two events that changed places are found at the first', async () => {
    made.damage(
      'UPDATE audit SET seq = -1 WHERE seq = 3',
      'UPDATE audit SET seq = 3 WHERE seq = 6',
      'UPDATE audit SET seq = 6 WHERE seq = -1',
    );
    assert.deepEqual(await verify(), ['reordered', 3]);
  });

  for (const left of [0, 1, events - 1]) {
    test(`QZ-8: a log cut off after event ${left} is found`, async () => {
      made.damage(`DELETE FROM audit WHERE seq > ${left}`);
      assert.deepEqual(await verify(), ['cut', left + 1]);
    });
  }

  test('QZ-8: a log cut back to an anchor that was kept is found against a position that was noted', async () => {
    await made.start();
    const kept = readFileSync(made.paths.head);
    await made.log.append([event(), event()]);
    await made.stop();
    assert.equal(faultOf(await verifyAudit(made.data, events + 2)), 'whole');
    made.damage(`DELETE FROM audit WHERE seq > ${events}`);
    writeFileSync(made.paths.head, kept);
    rmSync(made.paths.anchors, { force: true });
    assert.equal(await verify(), 'whole');
    assert.equal(faultOf(await verifyAudit(made.data, events)), 'whole');
    assert.deepEqual(faultOf(await verifyAudit(made.data, events + 2)), ['cut', events + 1]);
  });

  test('QZ-8: a chain computed anew after an edit does not fit its anchor', async () => {
    const database = new DatabaseSync(made.paths.database);
    database.exec(`UPDATE audit SET event = json_set(event, '$.decision', 'deny') WHERE seq = 2`);
    let previous = genesis as Uint8Array;
    for (const row of database.prepare('SELECT seq, event FROM audit ORDER BY seq').all()) {
      const hash = chainHash(previous, Number(row['seq']), String(row['event']));
      database.prepare('UPDATE audit SET prev = ?, hash = ? WHERE seq = ?').run(previous, hash, Number(row['seq']));
      previous = hash;
    }
    database.close();
    assert.deepEqual(await verify(), ['rewritten', events]);
  });

  test('a forged, foreign or removed anchor is found', async () => {
    const line = readFileSync(made.paths.head, 'latin1').trim();
    const bytes = Buffer.from(line, 'base64url');
    bytes.writeUInt8(bytes.readUInt8(45) ^ 1, 45);
    writeFileSync(made.paths.head, bytes.toString('base64url'));
    assert.deepEqual(await verify(), ['anchor', null]);
    const other = await fixture();
    await other.log.append([event()]);
    await other.stop();
    copyFileSync(other.paths.head, made.paths.head);
    assert.deepEqual(await verify(), ['anchor', null]);
    other.remove();
    rmSync(made.paths.head);
    rmSync(made.paths.anchors);
    assert.deepEqual(await verify(), ['anchor', null]);
  });

  test('QZ-8: a log whose end was cut is not written on, which would hide the cut', async () => {
    made.damage(`DELETE FROM audit WHERE seq = ${events}`);
    await assert.rejects(made.start(), { code: 'chain_broken' });
    rmSync(made.paths.head);
    await assert.rejects(made.start(), { code: 'chain_broken' });
  });

  test('kept anchors stand in line, and one that is taken out is missed', async () => {
    await made.start();
    await made.log.append([event()]);
    await made.stop();
    await made.start();
    for (let i = 0; i < 2; i++) await made.log.append(Array.from({ length: 300 }, () => event()));
    await made.stop();
    assert.equal(await verify(), 'whole');
    const lines = readFileSync(made.paths.anchors, 'latin1').trimEnd().split('\n');
    assert.ok(lines.length >= 4);
    // The last one is repeated as the newest anchor, so without it nothing is lost.
    for (const gone of lines.slice(0, -1).keys()) {
      writeFileSync(made.paths.anchors, `${lines.filter((_, i) => i !== gone).join('\n')}\n`);
      assert.equal((await verify())[0], 'anchor');
    }
  });

  test('a log that is missing or unreadable is reported, never thrown', async () => {
    writeFileSync(made.paths.database, randomBytes(4_096));
    assert.deepEqual(await verify(), ['unreadable', null]);
    rmSync(made.paths.database);
    assert.deepEqual(await verify(), ['unreadable', null]);
  });
});
