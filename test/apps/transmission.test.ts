/**
 * Transmission's own pages: the first thing its script does is a synchronous request, and the daemon wants a session id back
 * in a header that it gave with an error.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testRealApp } from './harness/test-real-app.ts';

/** A torrent of one empty hash, with a tracker that nobody is. */
const torrent = `d8:announce20:http://127.0.0.1:1/a4:infod6:lengthi5e4:name9:beans.txt12:piece lengthi16384e6:pieces20:${'x'.repeat(20)}ee`;

testRealApp({
  name: 'transmission',
  start: async (place) => {
    const at = (name: string) => join(place.folder, name);
    for (const name of ['config', 'files']) mkdirSync(at(name));
    const port = await place.freePort();
    const settings = { 'rpc-host-whitelist-enabled': false, 'start-added-torrents': false, 'peer-port': port };
    writeFileSync(at('config/settings.json'), JSON.stringify({ ...settings, 'rpc-bind-address': '127.0.0.1' }));
    const alone = ['--no-dht', '--no-lpd', '--no-utp', '--no-portmap', '--no-auth', '--bind-address-ipv4', '127.0.0.1'];
    const where = ['--config-dir', at('config'), '--download-dir', at('files'), '--port', String(place.port)];
    place.spawn('/usr/bin/transmission-daemon', ['--foreground', ...where, ...alone]);
    await place.answers();
  },
  visit: async (page) => {
    await page.see('#statusbar');
    await page.evaluate(isReady, undefined);
    await page.look('opened');
    await page.evaluate(addTorrent, btoa(torrent));
    await page.see('text=beans.txt');
    await page.click('.torrent_name');
    await page.click('#toolbar-inspector');
    await page.see('#torrent_inspector');
    await page.see('#inspector-info-hash:has-text("3734d6e5")');
    // What can be done with the one that is selected, it says a moment later.
    await page.see('#toolbar-start:not(.disabled)');
    await page.look('added');
  },
  mayDiffer: [
    {
      part: 'dom',
      pattern: /(?<="(?:stats-session-duration|stats-total-duration|inspector-info-last-activity)">)[^<]*/g,
      why: 'times',
    },
    { part: 'dom', pattern: /(?<="inspector-info-location">)[^<]*/g, why: 'each visit has a folder of its own' },
    {
      part: 'header',
      pattern: /^POST \/transmission\/rpc: sec-ch-ua.*$/,
      why: 'the first is synchronous, and a Worker asks in the page’s place, of which Chromium tells no client hints',
    },
    { part: 'header', pattern: /(?<=: x-transmission-session-id: ).*$/, why: 'random for each daemon' },
    {
      part: 'request',
      pattern: /(?<=^POST \/transmission\/rpc 200 ).*$/,
      why: 'it asks again every few seconds for what has changed meanwhile',
    },
  ],
});

/** Its script has the settings of the daemon. */
async function isReady(): Promise<void> {
  type Page = { transmission?: object };
  while ((window as Page).transmission === undefined) await new Promise(requestAnimationFrame);
}

/** As its dialog does, by the form that uploads. */
async function addTorrent(metainfo: string): Promise<void> {
  const ask = (id: string) =>
    fetch('/transmission/rpc', {
      method: 'POST',
      headers: { 'x-transmission-session-id': id },
      body: JSON.stringify({ method: 'torrent-add', arguments: { paused: true, metainfo } }),
    });
  const refused = await ask('');
  await ask(refused.headers.get('x-transmission-session-id') ?? '');
}
