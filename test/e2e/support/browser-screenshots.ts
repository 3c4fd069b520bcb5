/**
 * Takes the pictures of docs/images, to be run by hand where there are namespaces and a Chromium:
 * `node test/e2e/support/browser-screenshots.ts`
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Page } from 'playwright-core';
import { FarNetwork, farAddress, notesPort } from './far-network.ts';
import { Person } from './person.ts';
import { Product } from './product.ts';

const folder = join(import.meta.dirname, '../../../docs/images');
const size = { width: 1_280, height: 800 };

/** Something to look at, as a team would have it. */
const tiddlers = {
  '$:/SiteTitle': 'Team wiki',
  '$:/SiteSubtitle': 'How we work, and why',
  '$:/DefaultTiddlers': '[[On call this week]] [[Release checklist]]',
  'On call this week':
    'Platform until Thursday noon, then storage.\n\n* Pager hand-over at the stand-up\n* Escalate to the platform team after 15 minutes\n* Notes of every incident go to [[Incidents]]',
  'Release checklist':
    '|!Step |!Who |!Done |\n|Changelog written |author |yes |\n|Database migration rehearsed |platform |yes |\n|Canary watched for an hour |on call |open |',
} as const;

await using product = await Product.start();
await using far = new FarNetwork();
await far.joinTo(product);
// More names for the launcher; they lead to the same small app.
for (const [name, title] of [
  ['builds', 'Build monitor'],
  ['incidents', 'Incident board'],
  ['stock', 'Spare parts'],
] as const)
  await product.cliJson('service', 'add', name, `http://${farAddress}:${notesPort}`, '--title', title);
await using person = await Person.arrive();
mkdirSync(folder, { recursive: true });

await person.hub.setViewportSize(size);
await person.hub.goto(product.ready.enrol ?? '');
await person.hub.getByRole('button', { name: 'Create a passkey' }).waitFor();
await take(person.hub, 'enrolment');
await person.enrol(product.ready.enrol ?? '');
await take(person.hub, 'launcher');

let { shell, app } = await person.open('Team wiki');
await shell.setViewportSize(size);
await app.getByRole('heading', { name: 'GettingStarted' }).waitFor();
await write(app);
await shell.reload();
({ shell, app } = await person.appOf(shell, 'Team wiki'));
await app.getByRole('heading', { name: 'Release checklist' }).waitFor();
await take(shell, 'shell');

async function write(wiki: Frame): Promise<void> {
  await wiki.evaluate(async (all) => {
    for (const [title, text] of Object.entries(all)) {
      const answer = await fetch(`/recipes/default/tiddlers/${encodeURIComponent(title)}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'x-requested-with': 'TiddlyWiki' },
        body: JSON.stringify({ title, text }),
      });
      if (!answer.ok) throw new Error(`${title}: ${answer.status}`);
    }
  }, tiddlers);
}

async function take(page: Page, name: string): Promise<void> {
  const path = join(folder, `${name}.png`);
  await page.mouse.move(size.width - 1, size.height - 1);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  console.log(`${path}: ${Math.round(statSync(path).size / 1_024)} KiB`);
}
