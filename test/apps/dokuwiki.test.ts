/** DokuWiki: forms that are answered by redirects, cookies that scripts may not see, drafts, and a file to save. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testRealApp } from './harness/test-real-app.ts';

testRealApp({
  name: 'dokuwiki',
  start: async (place) => {
    const [wiki, data, sessions] = ['wiki', 'data', 'sessions'].map((name) => join(place.folder, name)) as [
      string,
      string,
      string,
    ];
    // Debian spreads it over the system, by links.
    cpSync('/usr/share/dokuwiki', wiki, { recursive: true, dereference: true });
    cpSync('/etc/dokuwiki', join(wiki, 'conf'), { recursive: true, dereference: true });
    cpSync('/var/lib/dokuwiki/data', data, { recursive: true, dereference: true });
    mkdirSync(sessions);
    const write = (name: string, text: string) => writeFileSync(join(wiki, name), text);
    write('inc/preload.php', '<?php');
    const settings = { title: 'Beds', savedir: data, useacl: '1', superuser: '@admin', license: '' };
    const lines = Object.entries(settings).map(([name, value]) => `$conf['${name}'] = '${value}';`);
    write('conf/local.php', `<?php ${lines.join(' ')}`);
    write('conf/acl.auth.php', '* @ALL 8\n');
    const password = createHash('md5').update('hopper').digest('hex');
    write('conf/users.auth.php', `grace:${password}:Grace:grace@example.org:admin,user\n`);
    place.spawn('/usr/bin/php', ['-d', `session.save_path=${sessions}`, '-S', `127.0.0.1:${place.port}`, '-t', wiki], {
      env: { PHP_CLI_SERVER_WORKERS: '4' },
    });
    await place.answers();
  },
  visit: async (page) => {
    await page.see('.page');
    await page.click('a[href*="do=login"]');
    await page.fill('#dw__login input[name=u]', 'grace');
    await page.fill('#dw__login input[name=p]', 'hopper');
    await page.click('#dw__login button[type=submit]');
    await page.see('.user:has-text("grace")');
    await page.goto('/doku.php?id=beds&do=edit');
    await page.fill('#wiki__text', '====== Möhren ======\n\nand beans\n\n<file txt möhren.txt>\ncarrots\n</file>\n');
    await page.click('#edbtn__save');
    await page.see('h1:has-text("Möhren")');
    await page.look('written');
    const file = (await page.download('dl.file a')).toString();
    if (!file.includes('carrots')) throw new Error(`it saved ${file}`);
    await page.click('a[href*="do=logout"]');
    await page.see('a[href*="do=login"]');
    await page.look('left');
  },
  mayDiffer: [
    {
      part: 'dom',
      pattern: /(?<=sectok(?:=|" value="))[0-9a-f]+|(?<=tseed=)[0-9a-f]+/g,
      why: 'random for each session and each wiki',
    },
    { part: 'dom', pattern: /(?<=&amp;)\d{9,}|\d{4}\\?\/\d\d\\?\/\d\d \d\d:\d\d/g, why: 'times' },
    { part: 'cookie', pattern: /(?<=DW)[0-9a-f]{32}(?==)/g, why: 'each visit has a folder of its own' },
    {
      part: 'cookie',
      pattern: /(?<==)[^;]*/g,
      why: 'ids of sessions, and a password that is encrypted with a random key',
    },
    {
      part: 'request',
      pattern: /(?<=(?:sectok|tseed)=)[0-9a-f]+|(?<=taskrunner\.php\?id=\w+&)\d+/g,
      why: 'as above',
    },
    { part: 'request', pattern: /(?<=^POST \S+ \d+ ).*$/, why: 'the form carries the token and the time' },
    {
      part: 'request',
      pattern: /^GET \/lib\/exe\/(?:fetch\.php\?media=wiki:dokuwiki\.svg|manifest\.php|opensearch\.php).*$/,
      why: 'what a tab shows of its page: an icon, an app to install, a way to search',
    },
    { part: 'request', pattern: /^POST \/lib\/exe\/ajax\.php.*$/, why: 'it keeps drafts after some seconds' },
    { part: 'header', pattern: /(?<=(?:tseed|sectok)=)[0-9a-f]+/g, why: 'as above' },
    { part: 'header', pattern: /(?<=^POST .*: content-length: )\d+$/, why: 'as above' },
  ],
});
