/** TiddlyWiki: one document of 2.7 MB that saves itself by PUT, with editors in blank frames. */
import { execFileSync } from 'node:child_process';
import { testRealApp } from './harness/test-real-app.ts';

testRealApp({
  name: 'tiddlywiki',
  start: async (place) => {
    const program = place.installed('tiddlywiki/tiddlywiki.js');
    execFileSync(process.execPath, [program, place.folder, '--init', 'server'], { stdio: 'ignore' });
    place.spawn(process.execPath, [program, place.folder, '--listen', 'host=127.0.0.1', `port=${place.port}`]);
    await place.answers('/status');
  },
  visit: async (page) => {
    await page.see('text=GettingStarted');
    await page.look('opened');
    await page.click('button[aria-label="new tiddler"]');
    await page.fill('input.tc-titlebar', 'Written twice');
    await page.inner('iframe.tc-edit-texteditor-body').fill('textarea', 'Once directly, once through the tunnel.');
    await page.click('button[aria-label="Confirm changes to this tiddler"]');
    await page.see('text=Once directly, once through the tunnel.');
    await page.see('body:not(.tc-dirty)');
    await page.evaluate(still, undefined);
    await page.look('written');
    await page.goto('/#Written%20twice');
    await page.see('text=Once directly, once through the tunnel.');
    await page.evaluate(still, undefined);
    await page.look('reopened');
  },
  mayDiffer: [
    { part: 'dom', pattern: /(?<= at )\d\d?:\d\d[ap]m/g, why: 'the minute in which it was written' },
    {
      part: 'request',
      pattern: /^(?:PUT|DELETE) \S*(?:Draft|StoryList).*$/,
      why: 'drafts and the list of what is open are saved by a timer, more or less often',
    },
    { part: 'request', pattern: /(?<=^PUT .* )\d+ \w+$/, why: 'what is saved carries the time' },
    { part: 'header', pattern: /(?<=^PUT .*: content-length: )\d+$/, why: 'as above' },
  ],
});

/** Resolves when nothing moves any more: what moves says so in its style. */
async function still(): Promise<void> {
  while (document.querySelector('[style*="transition"], body[style*="overflow"]') !== null)
    await new Promise(requestAnimationFrame);
}
