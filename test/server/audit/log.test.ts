import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { canonical } from '../../../server/audit/chain.ts';
import { verifyAudit } from '../../../server/audit/verify.ts';
import { event, type Fixture, fixture } from './chain-fixture.ts';

describe('audit log', () => {
  let made: Fixture;
  beforeEach(async () => {
    made = await fixture();
  });
  afterEach(() => made.remove());

  test('an event that arrives twice is chained once, also within one batch', async () => {
    const [one, two] = [event(), event()];
    assert.equal(await made.log.append([one, two, one]), 2);
    assert.equal(await made.log.append([two, one]), 0);
    await made.stop();
    const report = await verifyAudit(made.data);
    assert.deepEqual(report.ok && [report.events], [2]);
  });

  test('events and the work they belong to are committed together or not at all', async () => {
    await assert.rejects(
      made.log.transact(async (transaction) => {
        await made.log.record(transaction, event());
        throw new RangeError('the work failed');
      }),
      RangeError,
    );
    await made.log.append([event()]);
    await made.stop();
    const report = await verifyAudit(made.data);
    assert.deepEqual(report.ok && [report.events], [1]);
  });

  test('200 writers at once make one chain', async () => {
    await Promise.all(Array.from({ length: 200 }, (_, n) => made.log.append([event({ detail: { n } })])));
    await made.stop();
    const report = await verifyAudit(made.data);
    assert.deepEqual(report.ok && [report.events], [200]);
  });

  test('a process that died between the database and its anchors leaves a log that is whole', async () => {
    await made.log.append([event()]);
    await made.store.destroy();
    appendFileSync(made.paths.anchors, 'TEtTMQ');
    await made.start();
    await made.log.append([event()]);
    await made.stop();
    await made.start();
    await made.log.append([event()]);
    await made.stop();
    const report = await verifyAudit(made.data);
    assert.deepEqual(report.ok && [report.events], [3]);
  });

  test('a log can be verified while it is being written', async () => {
    await made.log.append([event()]);
    assert.equal((await verifyAudit(made.data)).ok, true);
    await made.stop();
  });

  test('one event has one spelling', () => {
    const { id, time, ...rest } = event({ id: '00000000-0000-4000-8000-000000000000' });
    assert.equal(canonical({ ...rest, time, id }), canonical({ id, time, ...rest }));
    assert.match(canonical({ id, time, ...rest }), /^\{"actor":.*"detail":\{"bytes":1,"kind":"http","kiosk":false\}/);
  });
});
