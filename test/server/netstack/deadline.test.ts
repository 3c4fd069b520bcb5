import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from '../../../server/netstack/deadline.ts';
import { FakeClock } from './support/fake-clock.ts';

function watched(): { clock: FakeClock; deadline: Deadline; runs: number[] } {
  const clock = new FakeClock();
  const runs: number[] = [];
  const start = clock.monotonic();
  return { clock, runs, deadline: new Deadline(clock, () => runs.push(clock.monotonic() - start)) };
}

test('runs once at its time', async () => {
  const { clock, deadline, runs } = watched();
  deadline.arm(100);
  await clock.advance(1_000);
  assert.deepEqual(runs, [100]);
  assert.equal(deadline.armed, false);
});

test('moving it later or earlier counts, and only the last time does', async () => {
  const { clock, deadline, runs } = watched();
  deadline.arm(100);
  deadline.arm(300);
  await clock.advance(200);
  assert.deepEqual(runs, []);
  deadline.arm(20);
  await clock.advance(500);
  assert.deepEqual(runs, [220]);
});

test('a stopped one does not run, and can be armed again', async () => {
  const { clock, deadline, runs } = watched();
  deadline.arm(100);
  deadline.stop();
  await clock.advance(50);
  deadline.arm(100);
  await clock.advance(500);
  assert.deepEqual(runs, [150]);
});

test('a disposed one leaves no timer behind', () => {
  const { clock, deadline } = watched();
  deadline.arm(100);
  deadline.dispose();
  assert.equal(clock.pending, 0);
});
