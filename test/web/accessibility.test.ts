/**
 * Every page in every state, as axe-core sees it in both colour schemes, and no wider than a phone. With
 * LATCHKEY_SCREENSHOTS=FOLDER it leaves pictures of them all, to be looked at by a person.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import axe, { type RunOnly } from 'axe-core';
import type { Frame, Page } from 'playwright-core';
import { MockInstallation } from './support/mock-installation.ts';
import { pageStates } from './support/page-states.ts';
import { Visitor } from './support/visitor.ts';

const wide = { width: 1_280, height: 800 };
const phone = { width: 360, height: 740 };
/** A scheme changes colours and nothing else, so everything is looked at once and colours twice. */
const rules = {
  light: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
  dark: { type: 'rule', values: ['color-contrast'] },
} satisfies Record<string, RunOnly>;
const folder = process.env['LATCHKEY_SCREENSHOTS'];

let mock: MockInstallation;
let visitor: Visitor;
before(async () => {
  mock = await MockInstallation.start();
  visitor = await Visitor.arrive({ ...wide, deviceScaleFactor: 1, reducedMotion: 'reduce' });
});
after(async () => {
  await visitor[Symbol.asyncDispose]();
  await mock[Symbol.asyncDispose]();
});

/** What axe objects to, a line each. */
async function objections(page: Page | Frame, rules: RunOnly): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async (runOnly) => {
    const { axe: engine } = globalThis as unknown as { axe: typeof import('axe-core') };
    // Frames are other origins, and pages of their own here.
    const { violations } = await engine.run(document, { runOnly, iframes: false });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
    );
  }, rules);
}

async function picture(page: Page, name: string): Promise<void> {
  if (folder === undefined) return;
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
}

for (const { name, reach, within } of pageStates) {
  test(`BR-11: ${name} has nothing axe objects to, light and dark, and fits a phone`, async () => {
    await using closing = new AsyncDisposableStack();
    const page = await reach(visitor, mock);
    closing.defer(async () => {
      if (page !== visitor.page) await page.close();
      await visitor.context.unrouteAll();
    });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, forcedColors: 'none' });
      for (const [size, viewport] of Object.entries({ wide, phone })) {
        await page.setViewportSize(viewport);
        await picture(page, `${name}.${size}-${colorScheme}`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${over} pixels wider than ${size}`);
      }
      assert.deepEqual(await objections(within?.(page) ?? page, rules[colorScheme]), []);
    }
    if (folder !== undefined) {
      await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
      await picture(page, `${name}.phone-forced`);
    }
  });
}
