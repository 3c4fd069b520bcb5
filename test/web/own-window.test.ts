import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LedAways } from '../../web/shell/own-window.ts';

const cases: [name: string, times: readonly (readonly [ms: number, isClicked: boolean])[], wantsOwn: boolean][] = [
  ['a page that led the tab away once', [[0, false]], false],
  [
    'one that does it again at once',
    [
      [0, false],
      [900, false],
    ],
    true,
  ],
  [
    'one that does it again much later',
    [
      [0, false],
      [60_000, false],
    ],
    false,
  ],
  [
    'a person who clicks twice',
    [
      [0, true],
      [400, true],
    ],
    false,
  ],
  [
    'a page that goes on after a click',
    [
      [0, true],
      [400, true],
      [900, true],
    ],
    true,
  ],
];
for (const [name, times, wantsOwn] of cases)
  test(`app-access: ${name} ${wantsOwn ? 'gets a window of its own' : 'stays in the frame'}`, () => {
    const ledAways = new LedAways();
    const said = times.map(([now, isClicked]) => ledAways.again(now, isClicked));
    assert.equal(said.at(-1), wantsOwn);
  });
