import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { AuditEvent } from '../../../../server/channel/audit-event.ts';
import type { FromPeer } from '../../../../server/channel/messages.ts';
import { eventsPauseMs, eventsUnderWay } from '../../../../server/gateway/limits.ts';
import { Spool } from '../../../../server/gateway/state/spool.ts';
import { SpoolSender } from '../../../../server/gateway/state/spool-sender.ts';
import { ManualClock } from '../../transport/support/clock.ts';
import { someEvent } from '../world/authority.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-spool-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `${files++}.sqlite`);
const ids = (events: readonly AuditEvent[]) => events.map((event) => event.id);

test('QZ-39: keeps order, resolves when on disk, and forgets what is acknowledged', async () => {
  const path = newFile();
  const spool = new Spool(path);
  const events = Array.from({ length: 10 }, () => someEvent());
  await Promise.all(events.map((event) => spool.append(event)));
  const other = new Spool(path);
  assert.deepEqual(ids(other.oldest(100)), ids(events), 'another reader sees them');
  spool.acknowledge([events[0]!.id, events[3]!.id, events[0]!.id, 'never heard of']);
  assert.deepEqual(ids(spool.oldest(3)), ids([events[1]!, events[2]!, events[4]!]));
  other.close();
  spool.close();
});

test('QZ-39: an event that may wait goes with the next one, before it', async () => {
  const spool = new Spool(newFile());
  let commits = 0;
  spool.onAppended = () => {
    commits += 1;
  };
  const [first, second] = [someEvent(), someEvent()];
  await Promise.all([spool.append(first, 'soon'), spool.append(second)]);
  assert.deepEqual(ids(spool.oldest(9)), ids([first, second]));
  assert.equal(commits, 1);
  const alone = someEvent();
  await spool.append(alone, 'soon');
  assert.equal(spool.oldest(9).at(-1)?.id, alone.id, 'and by itself when nothing follows');
  spool.close();
});

test('QZ-39: an event that is malformed or comes twice is refused and takes no other with it', async () => {
  const spool = new Spool(newFile());
  await assert.rejects(spool.append(someEvent({ id: 'not a uuid' })));
  const event = someEvent();
  await spool.append(event);
  await assert.rejects(spool.append(event));
  await spool.append(someEvent());
  assert.equal(spool.oldest(10).length, 2);
  spool.close();
  await assert.rejects(spool.append(someEvent()));
});

test('QZ-39: what was on disk survives kill -9, in order, once', async () => {
  let confirmed = 0;
  for (let round = 0; round < 3; round++) {
    const path = newFile();
    const child = fork(new URL('./spool-child.ts', import.meta.url), [path], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    let said = '';
    const enough = Promise.withResolvers<void>();
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.length > 37 * 100 * (round + 1)) enough.resolve();
    });
    await enough.promise;
    child.kill('SIGKILL');
    await once(child, 'close');
    const promised = said.split('\n').slice(0, -1);
    confirmed += promised.length;
    const spool = new Spool(path);
    const kept = spool.oldest(1_000_000);
    spool.close();
    const keptIds = new Set(ids(kept));
    assert.equal(keptIds.size, kept.length);
    for (const id of promised) assert.ok(keptIds.has(id), `round ${round}: ${id} was promised`);
    for (const writer of ['a', 'b', 'c']) {
      const numbers = kept.filter(({ detail }) => detail?.['writer'] === writer).map(({ detail }) => detail?.['n']);
      assert.deepEqual(
        numbers,
        numbers.map((_, i) => i),
        'no gap and no repetition',
      );
    }
  }
  assert.ok(confirmed > 300);
});

/** A control plane that takes events when it is there. */
class Wire {
  isUp = true;
  readonly batches: AuditEvent[][] = [];
  readonly send = (message: FromPeer): boolean => {
    if (!this.isUp || message.t !== 'events') return false;
    this.batches.push(message.events);
    return true;
  };
}

test('QZ-39: sends one batch at a time and the next when it was acknowledged', async () => {
  const spool = new Spool(newFile());
  const wire = new Wire();
  const clock = new ManualClock(0);
  const sender = new SpoolSender(spool, wire.send, clock);
  await spool.append(someEvent());
  const events = Array.from({ length: eventsUnderWay + 10 }, () => someEvent());
  await Promise.all(events.map((event) => spool.append(event)));
  assert.deepEqual(
    wire.batches.map((batch) => batch.length),
    [1],
  );
  sender.acknowledged(ids(wire.batches[0]!));
  clock.advance(eventsPauseMs);
  assert.deepEqual(
    wire.batches.map((batch) => batch.length),
    [1, eventsUnderWay],
  );
  sender.acknowledged(ids(wire.batches[1]!).slice(0, 5));
  assert.equal(wire.batches.length, 2, 'the rest of the batch is still under way');
  sender.acknowledged(ids(wire.batches[1]!).slice(5));
  sender.acknowledged(ids(wire.batches[2]!));
  assert.deepEqual(ids(wire.batches.slice(1).flat()), ids(events));
  assert.equal(spool.oldest(1).length, 0);
  spool.close();
});

test('QZ-39: what comes soon after a batch goes in one message, once a while has passed; what follows a full one at once', async () => {
  const spool = new Spool(newFile());
  const wire = new Wire();
  const clock = new ManualClock(0);
  const sender = new SpoolSender(spool, wire.send, clock);
  const sizes = () => wire.batches.map((batch) => batch.length);
  await spool.append(someEvent());
  sender.acknowledged(ids(wire.batches[0]!));
  await spool.append(someEvent());
  await spool.append(someEvent());
  clock.advance(eventsPauseMs - 1);
  assert.deepEqual(sizes(), [1]);
  clock.advance(1);
  assert.deepEqual(sizes(), [1, 2]);
  clock.advance(eventsPauseMs);
  assert.deepEqual(sizes(), [1, 2], 'still under way');
  await Promise.all(Array.from({ length: eventsUnderWay + 1 }, () => spool.append(someEvent())));
  sender.acknowledged(ids(wire.batches[1]!));
  assert.deepEqual(sizes(), [1, 2, eventsUnderWay], 'the pause is over long since');
  sender.acknowledged(ids(wire.batches[2]!));
  assert.deepEqual(sizes(), [1, 2, eventsUnderWay, 1]);
  sender.acknowledged(ids(wire.batches[3]!));
  await spool.append(someEvent());
  sender.close();
  spool.close();
  assert.equal(clock.pending, 0, 'and nothing is looked up in a spool that is closed');
  clock.advance(eventsPauseMs);
  assert.equal(wire.batches.length, 4);
});

test('QZ-39: sends again what was under way when the channel broke', async () => {
  const spool = new Spool(newFile());
  const wire = new Wire();
  const sender = new SpoolSender(spool, wire.send, new ManualClock(0));
  await spool.append(someEvent());
  wire.isUp = false;
  sender.connectionChanged(false);
  await spool.append(someEvent());
  wire.isUp = true;
  sender.connectionChanged(true);
  assert.deepEqual(
    wire.batches.map((batch) => batch.length),
    [1, 2],
  );
  assert.equal(wire.batches[0]?.[0]?.id, wire.batches[1]?.[0]?.id);
  spool.close();
});
