/**
 * phpMyAdmin over a MariaDB of its own: a page that will not be framed, cookies that scripts may not see, forms,
 * redirects, a strict policy, and a file that comes of a form.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './harness/app.ts';
import { testRealApp } from './harness/test-real-app.ts';

const beds = `CREATE DATABASE garden; CREATE TABLE garden.beds (id INT PRIMARY KEY, crop TEXT);
  INSERT INTO garden.beds VALUES (1, 'Möhren'), (2, 'beans');`;

testRealApp({
  name: 'phpmyadmin',
  ownWindow: true,
  start: async (place) => {
    const socket = startMariaDb(place);
    const sessions = join(place.folder, 'sessions');
    mkdirSync(sessions);
    const settings = [`mysqli.default_socket=${socket}`, `session.save_path=${sessions}`].flatMap((one) => ['-d', one]);
    place.spawn('/usr/bin/php', [...settings, '-S', `127.0.0.1:${place.port}`, '-t', '/usr/share/phpmyadmin'], {
      env: { PHP_CLI_SERVER_WORKERS: '4' },
    });
    await place.answers();
  },
  visit: async (page) => {
    await page.see('#input_username');
    await page.look('sign-in');
    await page.fill('#input_username', 'grace');
    await page.fill('#input_password', 'hopper');
    await page.click('#input_go');
    await page.see('#pma_navigation_tree');
    await page.evaluate(panelsStand, undefined);
    await page.goto('/index.php?route=/server/sql');
    await page.see('#sqlqueryform .CodeMirror');
    await page.evaluate(panelsStand, undefined);
    await page.evaluate(writeQuery, beds);
    await page.click('#button_submit_query');
    await page.see('text=2 rows inserted.');
    await page.goto('/index.php?route=/sql&db=garden&table=beds&pos=0');
    await page.see('td:has-text("Möhren")');
    await page.see('#pma_navigation_tree .nav_node_table.selected');
    await page.evaluate(panelsStand, undefined);
    await page.look('beds');
    await page.goto('/index.php?route=/table/export&db=garden&table=beds&single_table=true');
    const file = (await page.download('#buttonGo')).toString();
    if (!file.includes("(1, 'Möhren')")) throw new Error(`exported ${file.slice(0, 2_000)}`);
    await page.click('a.logout');
    await page.see('#input_username');
    await page.look('signed-out');
  },
  mayDiffer: [
    {
      part: 'dom',
      pattern: /(?:token|set_session|sessionHash|commonParamsHash)(?:=|"?:"|" value="|%3D)[^"&]*/g,
      why: 'random for each session, against forged requests',
    },
    {
      part: 'dom',
      pattern: /(?<=sql_signature=)[0-9a-f]+|(?<=[A-Za-z_"])\d{5,}/g,
      why: 'signed by a key of the session; ids of a table of results are random',
    },
    {
      part: 'dom',
      pattern: /(?<=took )[\d.]+(?= seconds)|(?<="table_create_time" type="hidden" value=")[^"]*/g,
      why: 'times',
    },
    {
      part: 'cookie',
      pattern: /(?<==)[^;]*/g,
      why: 'session ids, and a name and password that are encrypted with a random key',
    },
    {
      part: 'request',
      pattern: /(?<=[?&](?:token|_nocache|set_session)=)[^& ]*/g,
      why: 'as above, and the time against caches',
    },
    {
      part: 'request',
      pattern: /^POST \/index\.php\?route=\/(?:config\/[gs]et|navigation|lint)\b.*$/,
      why: 'panels and the editor ask beside each other, in any order',
    },
    { part: 'request', pattern: /(?<=^POST \S+ \d+ ).*$/, why: 'forms carry the token' },
    { part: 'header', pattern: /(?<=^POST .*: content-length: )\d+$/, why: 'as above' },
  ],
});

/** @returns the path of its socket, where it listens alone. */
function startMariaDb(place: Place): string {
  const at = (name: string) => join(place.folder, name);
  const user = "CREATE USER 'grace'@'localhost' IDENTIFIED BY 'hopper'; GRANT ALL ON *.* TO 'grace'@'localhost';";
  writeFileSync(at('init.sql'), user.replace('; ', ';\n'));
  const common = ['--no-defaults', '--user=root', `--datadir=${at('db')}`];
  const fresh = ['--skip-test-db', '--auth-root-authentication-method=normal'];
  execFileSync('/usr/bin/mariadb-install-db', [...common, ...fresh], { stdio: 'ignore' });
  const quiet = ['--skip-networking', '--innodb-buffer-pool-size=8M', `--pid-file=${at('db.pid')}`];
  place.spawn('/usr/sbin/mariadbd', [
    ...common,
    ...quiet,
    `--socket=${at('db.sock')}`,
    `--init-file=${at('init.sql')}`,
  ]);
  return at('db.sock');
}

/** Until the navigation and the console have what they ask the server for, and nothing moves. */
async function panelsStand(): Promise<void> {
  type Query = ((selector: string) => { length: number }) & { active: number };
  const { jQuery } = window as unknown as { jQuery: Query };
  const isAtRest = () =>
    jQuery('#pma_console .CodeMirror').length > 0 && jQuery.active === 0 && jQuery(':animated').length === 0;
  while (!isAtRest()) await new Promise(requestAnimationFrame);
}

/** Into its editor, which would complete what a person types. */
function writeQuery(query: string): void {
  type Editor = Element & { CodeMirror: { setValue(text: string): void } };
  document.querySelector<Editor>('#sqlqueryform .CodeMirror')?.CodeMirror.setValue(query);
}
