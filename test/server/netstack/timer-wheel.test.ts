/** The timing wheel against a sorted list, and what it costs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../protocol/clock.ts';
import { TimerWheel } from '../../../server/netstack/timer-wheel.ts';
import { FakeClock } from './support/fake-clock.ts';
import { seeded } from './support/random.ts';

const delays = [1, 2, 3, 254, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 200_000, 16_777_217];

test('QPT-6: every timer runs in its own millisecond, whatever the level it waited on', async () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const ran: number[] = [];
  for (const ms of delays) wheel.after(ms, () => ran.push(clock.monotonic() - 1_000));
  await clock.advance(20_000_000);
  assert.deepEqual(ran, delays);
  assert.equal(clock.pending, 0);
});

for (const seed of [1, 2, 3])
  test(`QPT-6: timers set, cancelled and set again while others run keep their times (seed ${seed})`, async () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);
    const random = seeded(seed);
    const [expected, ran]: [string[], string[]] = [[], []];
    let made = 0;
    const set = () => {
      const ms = Math.ceil(2 ** (random() * 18));
      const [name, at] = [made++, clock.monotonic() + ms];
      const cancel = wheel.after(ms, () => {
        ran.push(`${name}@${clock.monotonic()}`);
        if (made < 2_000) set();
      });
      if (random() < 0.3) {
        cancel();
        if (made < 2_000) set();
      } else expected.push(`${name}@${at}`);
    };
    for (let n = 0; n < 200; n++) set();
    await clock.advance(2 ** 20);
    assert.deepEqual([...ran].sort(), [...expected].sort());
    const times = ran.map((line) => Number(line.split('@')[1]));
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.equal(clock.pending, 0);
  });

/** A clock whose one timer is fired by hand. */
class HandClock implements Clock {
  time = 0;
  /** Timers that wait, and how often one was set. */
  pending = 0;
  set = 0;
  fire = (): void => {};

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  after(_ms: number, run: () => void): () => void {
    this.set++;
    this.pending++;
    let gone = false;
    const end = () => {
      if (!gone) this.pending--;
      gone = true;
    };
    this.fire = () => {
      end();
      run();
    };
    return end;
  }
}

test('QPT-6: 5,000 timers are driven by one of the clock’s, and a turn looks at those that are due', () => {
  const clock = new HandClock();
  const wheel = new TimerWheel(clock);
  let ran = 0;
  // Retransmission timeouts, as far away as those of idle connections: none is due soon but one.
  for (let n = 0; n < 5_000; n++) wheel.after(60_000 + n, () => ran++);
  assert.equal(clock.pending, 1);
  wheel.after(5, () => ran++);
  clock.time = 5;
  const before = clock.set;
  clock.fire();
  assert.deepEqual([ran, clock.pending], [1, 1]);
  assert.equal(clock.set - before, 1, 'the clock’s timer was set once more, not once for each connection');
});

test('QPT-6: a timer that throws costs no other its time, in the same tick or later, and what it threw is not lost', () => {
  const clock = new HandClock();
  const wheel = new TimerWheel(clock);
  const ran: string[] = [];
  const broken = (name: string) => () => {
    ran.push(name);
    throw new RangeError(name);
  };
  wheel.after(5, () => ran.push('first'));
  wheel.after(5, broken('one'));
  wheel.after(5, () => ran.push('second'));
  wheel.after(300, () => ran.push('third'));
  clock.time = 5;
  assert.throws(clock.fire, { name: 'RangeError', message: 'one' });
  assert.deepEqual(ran, ['first', 'one', 'second']);
  wheel.after(10, broken('two'));
  wheel.after(10, broken('three'));
  clock.time = 305;
  assert.throws(clock.fire, { name: 'AggregateError' });
  assert.deepEqual(ran.slice(3), ['two', 'three', 'third']);
  assert.equal(clock.pending, 0);
});

test('a timer that is taken back leaves nothing behind', () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const cancels = delays.map((ms) => wheel.after(ms, () => assert.fail('it was taken back')));
  for (const cancel of cancels) cancel();
  assert.equal(clock.pending, 0);
});
