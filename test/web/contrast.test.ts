import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const sheet = readFileSync(join(import.meta.dirname, '../../web/design/base.css'), 'utf8');
const [light = '', dark = ''] = sheet.split('@media (prefers-color-scheme: dark)');

/** Text on its ground, as the elements combine them. */
const pairs: readonly [text: string, ground: string][] = [
  ['ink', 'paper'],
  ['ink', 'card'],
  ['ink', 'accent-paper'],
  ['ink', 'bad-paper'],
  ['ink-soft', 'paper'],
  ['ink-soft', 'card'],
  ['ink-soft', 'bad-paper'],
  ['on-accent', 'accent'],
  ['on-accent', 'accent-strong'],
  ['accent', 'accent-paper'],
  ['good', 'good-paper'],
  ['warn', 'warn-paper'],
  ['bad', 'bad-paper'],
];
/** What tells a control or the focus from its ground: WCAG 2.2, 1.4.11. */
const edges: readonly [edge: string, ground: string][] = [
  ['accent', 'paper'],
  ['accent', 'card'],
  ['line-strong', 'paper'],
  ['line-strong', 'card'],
  ['bad', 'bad-paper'],
];

function colour(scheme: string, name: string): string {
  const found = new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(scheme)?.[1];
  assert.ok(found, `no colour ${name}`);
  return found;
}

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

for (const [name, scheme] of Object.entries({ light, dark })) {
  test(`in the ${name} scheme every text has a contrast of 4.5 or more`, () => {
    for (const [text, ground] of pairs) {
      const ratio = contrast(colour(scheme, text), colour(scheme, ground));
      assert.ok(ratio >= 4.5, `${text} on ${ground}: ${ratio.toFixed(2)}`);
    }
  });
  test(`in the ${name} scheme every edge that means something has a contrast of 3 or more`, () => {
    for (const [edge, ground] of edges) {
      const ratio = contrast(colour(scheme, edge), colour(scheme, ground));
      assert.ok(ratio >= 3, `${edge} on ${ground}: ${ratio.toFixed(2)}`);
    }
  });
}
