/** {@link AppPage} over a window or a frame of Chromium. */
import { readFile } from 'node:fs/promises';
import type { Frame, FrameLocator, Page } from 'playwright-core';
import type { AppPage, Look } from './page.ts';
import { cut } from './screenshots.ts';

/** What an app's window is part of, and what is written down of it. */
export interface Seen {
  readonly tab: Page;
  readonly frame: Frame;
  readonly origin: string;
  readonly looks: Look[];
  /** Hidden while a screenshot is taken. */
  readonly restless: readonly string[];
}

export function appPage(seen: Seen): AppPage {
  const { tab, frame, origin } = seen;
  return {
    ...verbs(tab, frame),
    goto: async (path) => {
      const arriving = frame.waitForNavigation();
      await frame.evaluate((address) => location.assign(address), new URL(path, origin).href);
      await arriving;
    },
    reload: async () => {
      await frame.goto(frame.url().replace(/#.*/, ''));
    },
    evaluate: (run, argument) => frame.evaluate(run as never, argument),
    inner: (selector) => innerPage(tab, frame.frameLocator(selector)),
    look: (name) => look(name, seen),
  };
}

/** A frame of the app, or a window that it opened. */
function innerPage(tab: Page, frame: Pick<Frame, 'locator' | 'frameLocator'> | FrameLocator): AppPage {
  const refuse = () => Promise.reject(new TypeError('only the app’s own window can'));
  return {
    ...verbs(tab, frame),
    ...{ goto: refuse, reload: refuse, look: refuse },
    evaluate: refuse,
    inner: (selector) => innerPage(tab, frame.frameLocator(selector)),
  };
}

function verbs(tab: Page, frame: Pick<Frame, 'locator'> | FrameLocator) {
  const first = (selector: string) => frame.locator(selector).filter({ visible: true }).first();
  return {
    see: (selector: string) => first(selector).waitFor(),
    unsee: (selector: string) => first(selector).waitFor({ state: 'hidden' }),
    click: (selector: string) => first(selector).click(),
    fill: (selector: string, text: string) => first(selector).fill(text),
    type: (text: string) => tab.keyboard.type(text),
    press: (key: string) => tab.keyboard.press(key),
    popUp: async (selector: string) => {
      const opening = tab.waitForEvent('popup');
      await first(selector).click();
      const opened = await opening;
      return innerPage(opened, opened.mainFrame());
    },
    download: async (selector: string) => {
      const downloading = tab.waitForEvent('download');
      await first(selector).click();
      return readFile(await (await downloading).path());
    },
  };
}

async function look(name: string, { tab, frame, looks, restless }: Seen): Promise<void> {
  await frame.evaluate(settled);
  const [dom, cookies] = await frame.evaluate(() => [document.documentElement.outerHTML, document.cookie] as const);
  const show = await frame.evaluateHandle(hide, restless);
  const element = await frame.frameElement().catch(() => undefined);
  const box = await element?.boundingBox();
  const options = { animations: 'disabled', caret: 'hide' } as const;
  const whole = await tab.screenshot(options);
  const png = box == null ? whole : cut(whole, box);
  await show.evaluate((again) => again());
  looks.push({ name, dom, cookies, png });
}

/** Fonts are there, images too, and what was changed has been drawn. */
async function settled(): Promise<void> {
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

function hide(selectors: readonly string[]): () => void {
  const found = selectors.flatMap((selector) => [...document.querySelectorAll<HTMLElement>(selector)]);
  const before = found.map((element) => element.style.visibility);
  for (const element of found) element.style.visibility = 'hidden';
  return () => {
    for (const [i, element] of found.entries()) element.style.visibility = before[i] ?? '';
  };
}
