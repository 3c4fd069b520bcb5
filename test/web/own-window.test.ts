import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LedAways, type LedTo } from '../../web/shell/own-window.ts';

type Step = readonly [now: number, path: string, clicked?: 'clicked', by?: 'itself'];
const cases: [name: string, steps: readonly Step[], last: LedTo][] = [
  ['a page that led the tab away once is tried anew', [[0, '/a']], 'anew'],
  [
    'one that does it again at once gets a window',
    [
      [0, '/a'],
      [900, '/a'],
    ],
    'own-window',
  ],
  [
    'one that does it again when a slow service has brought it too',
    [
      [0, '/a'],
      [40_000, '/a'],
    ],
    'own-window',
  ],
  [
    'one that goes elsewhere by itself in between too',
    [
      [0, '/a'],
      [900, '/b'],
    ],
    'own-window',
  ],
  [
    'one that does it again much later is tried anew',
    [
      [0, '/a'],
      [600_000, '/a'],
    ],
    'anew',
  ],
  ['a click leads the frame', [[0, '/a', 'clicked']], 'go'],
  [
    'two clicks in a row lead it to both',
    [
      [0, '/a', 'clicked'],
      [900, '/b', 'clicked'],
    ],
    'go',
  ],
  ['a click that leads where the frame is loads it anew', [[0, '/shown', 'clicked']], 'anew'],
  [
    'the same click twice is a click each time',
    [
      [0, '/a', 'clicked'],
      [20_000, '/a', 'clicked'],
    ],
    'go',
  ],
  [
    'a click on a page that will not be framed gets a window',
    [
      [0, '/a', 'clicked'],
      [300, '/a', 'clicked', 'itself'],
    ],
    'own-window',
  ],
  [
    'a double click is a click',
    [
      [0, '/a', 'clicked'],
      [300, '/a', 'clicked'],
    ],
    'go',
  ],
  [
    'so does one whose click is forgotten meanwhile',
    [
      [0, '/a', 'clicked'],
      [7_000, '/a'],
    ],
    'own-window',
  ],
];
for (const [name, steps, last] of cases)
  test(`app-access: ${name}`, () => {
    const ledAways = new LedAways();
    const answers = steps.map(([now, path, clicked, by]) =>
      ledAways.next({ now, path, isThere: path === '/shown' || by === 'itself', clicked: clicked !== undefined }),
    );
    assert.equal(answers.at(-1), last);
  });

test('app-access: a page that a person wants in the frame all the same is tried there anew', () => {
  const ledAways = new LedAways();
  const led = { path: '/a', isThere: false, clicked: false };
  ledAways.next({ ...led, now: 0 });
  ledAways.forget();
  assert.equal(ledAways.next({ ...led, now: 100 }), 'anew');
});
