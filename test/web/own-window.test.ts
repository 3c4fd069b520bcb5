import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LedAways } from '../../web/shell/own-window.ts';

const cases: [name: string, timesMs: readonly number[], wantsOwn: boolean][] = [
  ['a page that led the tab away once', [0], false],
  ['one that does it again at once', [0, 900], true],
  ['one that does it again when a slow service has brought it', [0, 40_000], true],
  ['one that does it again much later', [0, 600_000], false],
];
for (const [name, times, wantsOwn] of cases)
  test(`app-access: ${name} ${wantsOwn ? 'gets a window of its own' : 'stays in the frame'}`, () => {
    const ledAways = new LedAways();
    assert.equal(times.map((now) => ledAways.again(now)).at(-1), wantsOwn);
  });

test('app-access: a page that a person wants in the frame all the same is tried there anew', () => {
  const ledAways = new LedAways();
  ledAways.again(0);
  ledAways.forget();
  assert.equal(ledAways.again(100), false);
});
