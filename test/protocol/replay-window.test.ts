import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datagramWindow } from '../../protocol/limits.ts';
import { ReplayWindow } from '../../protocol/replay-window.ts';
import { REPLAY_WINDOW } from '../../server/wireguard/limits.ts';
import { newSeed, Seeded } from '../server/wireguard/seeded.ts';

/** What the window must decide, as plainly as it can be said. */
class Model {
  readonly #width: number;
  readonly #seen = new Set<number>();
  #highest = -1;

  constructor(width: number) {
    this.#width = width;
  }

  take(counter: number): boolean {
    if (counter <= this.#highest - this.#width || this.#seen.has(counter)) return false;
    this.#seen.add(counter);
    this.#highest = Math.max(this.#highest, counter);
    return true;
  }
}

const table = (width: number): [string, number[], boolean[]][] => [
  ['takes counters in order', [0, 1, 2, 3], [true, true, true, true]],
  ['refuses a counter it has seen', [0, 0, 5, 5, 0], [true, false, true, false, false]],
  ['takes what overtook each other', [3, 1, 2, 0, 2], [true, true, true, true, false]],
  ['takes the oldest it can tell', [width, 1], [true, true]],
  ['refuses the first it cannot tell', [width, 0], [true, false]],
  ['forgets nothing after a leap', [7, 10 * width, 7, 9 * width + 1], [true, true, false, true]],
  ['keeps its count beyond 32 bits', [2 ** 33, 2 ** 33 + 1, 2 ** 33, 2 ** 52], [true, true, false, true]],
];

for (const width of [datagramWindow, REPLAY_WINDOW, 33])
  for (const [name, counters, answers] of table(width)) {
    test(`QZ-2: a replay window of ${width} ${name}`, () => {
      const window = new ReplayWindow(width);
      assert.deepEqual(
        counters.map((counter) => window.take(counter)),
        answers,
      );
    });
  }

for (const width of [datagramWindow, REPLAY_WINDOW, 33])
  test(`QZ-2: a replay window of ${width} decides like a set that forgets nothing`, () => {
    const random = new Seeded(newSeed());
    for (let round = 0; round < 40; round++) {
      const window = new ReplayWindow(width);
      const model = new Model(width);
      // Small, window-sized and huge strides, around a moving head.
      const stride = [4, 64, 2 * width, 2 ** 40][round % 4]!;
      let head = 0;
      for (let step = 0; step < 5_000; step++) {
        const counter = Math.max(0, head + random.below(stride) - random.below(random.next() < 0.5 ? 40 : 2 * width));
        const may = window.mayTake(counter);
        const took = window.take(counter);
        assert.equal(may, took);
        assert.equal(
          took,
          model.take(counter),
          `seed ${random.seed}, round ${round}, step ${step}, counter ${counter}`,
        );
        head = Math.max(head, counter);
      }
    }
  });
