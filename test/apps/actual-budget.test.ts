/** Actual: isolated by COOP and COEP, a service worker of its own, a SharedWorker, and SQLite as Wasm in another Worker. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { testRealApp } from './harness/test-real-app.ts';

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
/** The amount, where the account has it. */
const booked = '[data-testid="account-balance"]:has-text("12.50")';

testRealApp({
  name: 'actual-budget',
  start: async (place) => {
    for (const name of ['server-files', 'user-files']) mkdirSync(join(place.folder, name));
    place.spawn(process.execPath, [place.installed('@actual-app/sync-server/build/bin/actual-server.js')], {
      env: {
        ACTUAL_PORT: String(place.port),
        ACTUAL_HOSTNAME: '127.0.0.1',
        ACTUAL_DATA_DIR: place.folder,
        NODE_ENV: 'production',
      },
    });
    await place.answers('/info');
  },
  visit: async (page) => {
    await page.see('text=Welcome to Actual!');
    const isolated = await page.evaluate(() => [crossOriginIsolated, typeof SharedArrayBuffer].join(), undefined);
    if (isolated !== 'true,function') throw new Error(`its page is not isolated: ${isolated}`);
    await page.look('opened');
    await page.fill('input[placeholder="Password"]', 'hopper-1906');
    await page.fill('input[placeholder="Confirm password"]', 'hopper-1906');
    await page.press('Enter');
    await page.see('text=Sign in to this Actual instance');
    await page.fill('input[type=password]', 'hopper-1906');
    await page.press('Enter');
    await page.click('text=Start budgeting');
    await page.click('text=Add account');
    await page.click('text=Create a local account');
    await page.fill('input[name=name]', 'Purse');
    await page.fill('input[name=balance]', '12.50');
    await page.click('button[type=submit]:has-text("Create")');
    await page.see('[data-testid="transaction-table"]:has-text("Starting Balance")');
    await page.see(booked);
    await page.look('account');
    await page.reload();
    await page.see('[data-testid="transaction-table"]:has-text("Starting Balance")');
    await page.see(booked);
    await page.look('kept');
  },
  mayDiffer: [
    { part: 'dom', pattern: /react-aria\d+-_r_\w+_/g, why: 'ids that are made anew with each page' },
    { part: 'dom', pattern: uuid, why: 'random ids of what was made' },
    {
      part: 'dom',
      pattern: /<span class="css-\w+">Connecting…<\/span>/g,
      why: 'shown for a moment when it asks its server, as its timers have it',
    },
    {
      part: 'dom',
      pattern: / aria-current="page"/g,
      why: 'the first or last attribute of a link, as that was drawn after the way there or before; its class says it too',
    },
    {
      part: 'dom',
      pattern: /(?<=aria-label="Server Sync"[^>]*><div class=")css-\w+/g,
      why: 'the icon turns while it syncs, as its timers have it',
    },
    {
      part: 'dom',
      pattern: / class="animated"/g,
      why: 'its table may move rows or not, as its first load and a timer go',
    },
    {
      part: 'dom',
      pattern: /<div><div style="width:100px;height:100px;overflow:scroll;[^"]*"><\/div><\/div>/g,
      why: 'it leaves one behind each time its window gets the focus, which a frame does by a click',
    },
    {
      part: 'request',
      pattern: /^GET \/(?:static\/|archived\/|accounts\/|index\.html|[\w-]+\.(?:png|txt|wasm|webmanifest|js)).*$/,
      why: 'its service worker fetches every file ahead and answers for them later; here it has none (decision 0012)',
    },
    { part: 'request', pattern: /^POST \/sync\/sync .*$/, why: 'as often as its timers have it' },
    {
      part: 'request',
      pattern: /^POST \/(?:gocardless|simplefin|pluggyai)\/status .*$/,
      why: 'three at once, in any order',
    },
    { part: 'request', pattern: /(?<=^POST \/sync\/upload-user-file \d+ ).*$/, why: 'an archive with random ids' },
    { part: 'header', pattern: /(?<=^POST .*: content-length: )\d+$/, why: 'as above' },
    { part: 'header', pattern: /(?<=: x-actual-(?:token|file-id): ).*$/, why: 'random ids' },
  ],
});
