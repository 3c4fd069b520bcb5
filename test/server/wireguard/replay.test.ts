import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REPLAY_WINDOW } from '../../../server/wireguard/limits.ts';
import { ReplayWindow } from '../../../server/wireguard/replay.ts';
import { newSeed, Seeded } from './seeded.ts';

/** What the window must decide, as plainly as it can be said. */
class Model {
  readonly #seen = new Set<number>();
  #highest = -1;

  take(counter: number): boolean {
    if (counter <= this.#highest - REPLAY_WINDOW || this.#seen.has(counter)) return false;
    this.#seen.add(counter);
    this.#highest = Math.max(this.#highest, counter);
    return true;
  }
}

const table: [string, number[], boolean[]][] = [
  ['takes counters in order', [0, 1, 2, 3], [true, true, true, true]],
  ['refuses a counter it has seen', [0, 0, 5, 5, 0], [true, false, true, false, false]],
  ['takes what overtook each other', [3, 1, 2, 0, 2], [true, true, true, true, false]],
  ['takes the oldest it can tell', [REPLAY_WINDOW, 1], [true, true]],
  ['refuses the first it cannot tell', [REPLAY_WINDOW, 0], [true, false]],
  ['forgets nothing after a leap', [7, 10 * REPLAY_WINDOW, 7, 9 * REPLAY_WINDOW + 1], [true, true, false, true]],
  ['keeps its count beyond 32 bits', [2 ** 33, 2 ** 33 + 1, 2 ** 33, 2 ** 52], [true, true, false, true]],
];

for (const [name, counters, answers] of table) {
  test(`the replay window ${name}`, () => {
    const window = new ReplayWindow();
    assert.deepEqual(
      counters.map((counter) => window.take(counter)),
      answers,
    );
  });
}

test('the replay window is at least 2,048 wide', () => {
  assert.ok(REPLAY_WINDOW >= 2048);
});

test('the replay window decides like a set that forgets nothing', () => {
  const random = new Seeded(newSeed());
  for (let round = 0; round < 40; round++) {
    const window = new ReplayWindow();
    const model = new Model();
    // Small, window-sized and huge strides, around a moving head.
    const stride = [4, 64, 2 * REPLAY_WINDOW, 2 ** 40][round % 4]!;
    let head = 0;
    for (let step = 0; step < 5_000; step++) {
      const counter = Math.max(
        0,
        head + random.below(stride) - random.below(random.next() < 0.5 ? 40 : 2 * REPLAY_WINDOW),
      );
      const may = window.mayTake(counter);
      const took = window.take(counter);
      assert.equal(may, took);
      assert.equal(took, model.take(counter), `seed ${random.seed}, round ${round}, step ${step}, counter ${counter}`);
      head = Math.max(head, counter);
    }
  }
});
