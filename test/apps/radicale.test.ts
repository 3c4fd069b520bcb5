/** Radicale: calendars by WebDAV verbs, from its own pages and as a calendar program in a page would speak. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testRealApp } from './harness/test-real-app.ts';

testRealApp({
  name: 'radicale',
  start: async (place) => {
    const config = [
      '[server]',
      `hosts = 127.0.0.1:${place.port}`,
      '[auth]',
      'type = htpasswd',
      `htpasswd_filename = ${place.folder}/users`,
      'htpasswd_encryption = plain',
      '[storage]',
      `filesystem_folder = ${place.folder}/collections`,
    ];
    writeFileSync(join(place.folder, 'config'), config.join('\n'));
    writeFileSync(join(place.folder, 'users'), 'grace:hopper\n');
    place.spawn('/usr/bin/radicale', ['--config', join(place.folder, 'config')]);
    await place.answers('/.web/');
  },
  visit: async (page) => {
    await page.see('#loginscene');
    await page.look('sign-in');
    await page.fill('#loginscene [data-name=user]', 'grace');
    await page.fill('#loginscene [data-name=password]', 'hopper');
    await page.click('#loginscene button[type=submit]');
    await page.see('#collectionsscene');
    const statuses = await page.evaluate(speakDav, undefined);
    if (!/^201,201,207,207,200,201,20[04]$/.test(statuses.join())) throw new Error(`WebDAV answered ${statuses}`);
    await page.reload();
    await page.fill('#loginscene [data-name=user]', 'grace');
    await page.fill('#loginscene [data-name=password]', 'hopper');
    await page.click('#loginscene button[type=submit]');
    await page.see('text=Appointments');
    await page.look('calendars');
  },
  mayDiffer: [],
});

/** What a calendar program does: makes a calendar, puts an event, asks for it in three ways, moves and deletes it. */
async function speakDav(): Promise<number[]> {
  const authorization = `Basic ${btoa('grace:hopper')}`;
  const ask = async (method: string, path: string, body?: string, more: Record<string, string> = {}) =>
    (await fetch(path, { method, headers: { authorization, ...more }, ...(body !== undefined && { body }) })).status;
  const xml = { 'content-type': 'application/xml; charset=utf-8' };
  const calendar = `<?xml version="1.0"?><C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>
    <displayname>Appointments</displayname></prop></set></C:mkcalendar>`;
  const event = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//test//EN',
    'BEGIN:VEVENT',
    'UID:one',
    'DTSTAMP:20260101T000000Z',
  ]
    .concat(['DTSTART:20260102T100000Z', 'DTEND:20260102T110000Z', 'SUMMARY:Lunch', 'END:VEVENT', 'END:VCALENDAR', ''])
    .join('\r\n');
  const report = `<?xml version="1.0"?><C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/>
    </prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`;
  const found = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><displayname/></prop></propfind>';
  const moved = new URL('/grace/plans/two.ics', location.href).href;
  return [
    await ask('MKCALENDAR', '/grace/plans/', calendar, xml),
    await ask('PUT', '/grace/plans/one.ics', event, { 'content-type': 'text/calendar; charset=utf-8' }),
    await ask('PROPFIND', '/grace/', found, { ...xml, depth: '1' }),
    await ask('REPORT', '/grace/plans/', report, { ...xml, depth: '1' }),
    await ask('GET', '/grace/plans/one.ics'),
    await ask('MOVE', '/grace/plans/one.ics', undefined, { destination: moved }),
    await ask('DELETE', '/grace/plans/two.ics'),
  ];
}
