import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { closeFront, frontLimits, httpFront } from '../../../server/control/http/front.ts';
import { originApps } from '../../../server/control/http/origin-apps.ts';
import { Browser } from './browser.ts';
import { type Answer, Installation } from './installation.ts';

const files = {
  'hub/index.html': '<title>hub</title>',
  'hub/sw.js': 'self',
  'hub/manifest.webmanifest': '{}',
  'hub/assets/index-abc.js': 'hub()',
  'hub/.hidden.js': 'secret',
  'shell/index.html': '<title>shell</title>',
  'shell/assets/worker-abc.js': 'worker()',
  'app/helper.html': '<title>helper</title>',
  'app/helper.js': 'helper()',
  'app/sw.js': 'sw()',
  'app/shim.js': 'shim()',
  'app/boot.js': 'boot()',
};

describe('the three origins', () => {
  let installation: Installation;
  beforeEach(async () => {
    installation = await new Installation().start();
    for (const [name, content] of Object.entries(files)) {
      const path = join(installation.config.assets, name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, content);
    }
  });
  afterEach(async () => {
    await installation.stop();
    installation.remove();
  });
  const get = (origin: string, path: string, headers: Record<string, string> = {}) =>
    installation.browse(origin, { path, headers });
  const csp = (answer: Answer) => String(answer.headers['content-security-policy']);

  test('each origin serves its own pages and files, with their types and caching', async () => {
    const { hub, shell } = installation;
    const table: [string, string, string, string, string][] = [
      [hub, '/', '<title>hub</title>', 'text/html; charset=utf-8', 'no-cache'],
      [hub, '/enrol', '<title>hub</title>', 'text/html; charset=utf-8', 'no-cache'],
      [hub, '/launch?service=wiki', '<title>hub</title>', 'text/html; charset=utf-8', 'no-cache'],
      [hub, '/sw.js', 'self', 'text/javascript; charset=utf-8', 'no-cache'],
      [hub, '/manifest.webmanifest', '{}', 'application/manifest+json', 'no-cache'],
      [hub, '/assets/index-abc.js', 'hub()', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
      [shell, '/open/wiki', '<title>shell</title>', 'text/html; charset=utf-8', 'no-cache'],
      [
        installation.app('wiki'),
        '/.latchkey/helper.html',
        '<title>helper</title>',
        'text/html; charset=utf-8',
        'no-cache',
      ],
    ];
    for (const [origin, path, text, type, caching] of table) {
      const answer = await get(origin, path);
      assert.deepEqual(
        [answer.status, answer.text, answer.headers['content-type'], answer.headers['cache-control']],
        [200, text, type, caching],
      );
    }
  });

  test('nothing of one origin is served on another, and nothing outside the build at all', async () => {
    const table: [string, string][] = [
      [installation.hub, '/assets/worker-abc.js'],
      [installation.hub, '/open/wiki'],
      [installation.shell, '/enrol'],
      [installation.shell, '/assets/index-abc.js'],
      [installation.hub, '/.hidden.js'],
      [installation.hub, '/../app/sw.js'],
      [installation.hub, '/%2e%2e/app/sw.js'],
      [installation.hub, '/assets/..%2f..%2fapp/sw.js'],
      [installation.hub, '/assets/'],
      [installation.hub, '/control/control.db'],
      [installation.hub, '/assets/a\u0000.js'.replace('\u0000', '%00')],
      [installation.app('wiki'), '/.latchkey/index.html'],
      [installation.app('wiki'), '/.latchkey/../hub/index.html'],
    ];
    for (const [origin, path] of table) assert.ok((await get(origin, path)).status >= 400, path);
  });

  test('pages may do what they need and nothing else', async () => {
    const hub = await get(installation.hub, '/');
    assert.match(
      csp(hub),
      /^default-src 'none'; base-uri 'none'; form-action 'none'; script-src 'self' 'wasm-unsafe-eval';/,
    );
    assert.match(
      csp(hub),
      /frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types latchkey lit-html$/,
    );
    assert.equal(hub.headers['cross-origin-opener-policy'], 'same-origin-allow-popups');
    const shell = await get(installation.shell, '/open/wiki');
    assert.match(
      csp(shell),
      /frame-src http:\/\/\*\.apps\.localhost:8700; frame-ancestors 'none'; require-trusted-types/,
    );
    assert.equal(shell.headers['cross-origin-opener-policy'], undefined);
    const app = await get(installation.app('wiki'), '/.latchkey/helper.js');
    assert.match(csp(app), /frame-ancestors 'self' http:\/\/shell\.apps\.localhost:8700$/);
    for (const answer of [hub, shell, app, await get(installation.hub, '/api/session')]) {
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.equal(answer.headers['referrer-policy'], 'no-referrer');
      assert.ok(!csp(answer).includes('unsafe-inline') && !csp(answer).includes("'unsafe-eval'"));
    }
    assert.equal((await get(installation.hub, '/api/session')).headers['cache-control'], 'no-store');
  });

  test('the shell learns where its hub is', async () => {
    assert.deepEqual((await get(installation.shell, '/api/installation')).body, { hub: installation.hub, contact: '' });
    const root = await get(installation.shell, '/');
    assert.deepEqual([root.status, root.headers.location], [302, `${installation.hub}/`]);
  });

  test('the service worker of an app origin is at its first path, for a browser that asks for such a script', async () => {
    const wiki = installation.app('wiki');
    const script = await get(wiki, '/', { 'service-worker': 'script', 'sec-fetch-dest': 'serviceworker' });
    assert.deepEqual([script.status, script.text], [200, 'sw()']);
    assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
    assert.equal(script.headers['cache-control'], 'no-store');
    const elsewhere = await get(wiki, '/page', { 'service-worker': 'script', 'sec-fetch-dest': 'serviceworker' });
    assert.equal(elsewhere.status, 421);
    const page = await get(wiki, '/', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' });
    assert.match(page.text, /boot\.js/);
  });

  test('a navigation on an app origin gets the boot page; everything else is refused and audited', async () => {
    const wiki = installation.app('wiki');
    const page = await get(wiki, '/some/page?q=1', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' });
    assert.equal(page.status, 200);
    assert.match(page.text, /<script type="module" src="\/\.latchkey\/boot\.js"><\/script>/);
    assert.equal(page.headers['cache-control'], 'no-store');
    const bypasses = [
      await get(wiki, '/favicon.ico', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }),
      await get(wiki, '/api/data?token=secret'),
      // A link with `download`: the boot page must not be saved as if it were the file.
      await get(wiki, '/report.pdf', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'empty' }),
      await installation.browse(wiki, {
        method: 'POST',
        path: '/form',
        body: { a: 1 },
        headers: { 'sec-fetch-mode': 'navigate' },
      }),
    ];
    for (const { status, body } of bypasses) assert.deepEqual([status, body.error], [421, 'misdirected']);
    const style = await get(wiki, '/style.css', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'style' });
    // A page is told that status of nothing but a stylesheet.
    assert.deepEqual(
      [style.status, style.text, style.headers['content-type'], style.headers['cache-control']],
      [421, '', 'text/css', 'no-store'],
    );
    const events = await installation.events('bypass');
    assert.deepEqual(
      events.map(({ service, decision, detail }) => [service, decision, detail.method, detail.path, detail.dest]),
      [
        ['wiki', 'deny', 'GET', '/favicon.ico', 'image'],
        ['wiki', 'deny', 'GET', '/api/data', 'unknown'],
        ['wiki', 'deny', 'GET', '/report.pdf', 'empty'],
        ['wiki', 'deny', 'POST', '/form', 'unknown'],
        ['wiki', 'deny', 'GET', '/style.css', 'style'],
      ],
    );
  });

  test('a flood of bypasses is counted in the audit log, not written out', async () => {
    const wiki = installation.app('wiki');
    await Promise.all(Array.from({ length: 80 }, (_, n) => get(wiki, `/flood/${n}`)));
    assert.equal((await installation.events('bypass')).length, 50);
    installation.clock.advance(1_000);
    await get(wiki, '/after');
    assert.equal((await installation.events('bypass')).at(-1).detail.unrecorded, 30);
  });

  test('an app origin answers alike whether its service exists or not', async () => {
    for (const path of ['/.latchkey/helper.html', '/']) {
      const [one, two] = [await get(installation.app('wiki'), path), await get(installation.app('nothing'), path)];
      assert.deepEqual([one.status, Object.keys(one.headers)], [two.status, Object.keys(two.headers)]);
    }
  });

  const strangers = [
    'example.test',
    'hub.localhost',
    'hub.localhost:8701',
    'evil.hub.localhost:8700',
    'apps.localhost:8700',
    'a.b.apps.localhost:8700',
    '-a.apps.localhost:8700',
    'hub.localhost.:8700',
    '127.0.0.1:8700',
    '',
  ];
  for (const host of strangers) {
    test(`QPT-9: the host ${JSON.stringify(host)} is none of ours`, async () => {
      assert.equal((await get(installation.hub, '/', { host })).status, 421);
    });
  }

  test('QPT-9: a whole URL in the request line does not choose another host', async () => {
    const socket = connect(installation.connect()).setEncoding('utf8');
    socket.write(
      `GET http://shell.apps.localhost:8700/ HTTP/1.1\r\nHost: hub.localhost:8700\r\nConnection: close\r\n\r\n`,
    );
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    assert.match(text, /^HTTP\/1\.1 421 /);
  });

  test('QPT-9: a connection that never finishes its head is closed, also when it was handed over', async () => {
    const limits = { ...frontLimits, headersTimeout: 50, connectionsCheckingInterval: 20 };
    const apps = originApps(installation.control.context, installation.control.desk);
    const http = httpFront(installation.control.context, apps, limits);
    const port = createServer({ pauseOnConnect: true }, (socket) => {
      http.emit('connection', socket);
      socket.resume();
    });
    await new Promise<void>((resolve) => port.listen(0, '127.0.0.1', resolve));
    const socket = connect((port.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8');
    socket.write('GET / HTTP/1.1\r\nHost: hub');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    assert.match(text, /^HTTP\/1\.1 408 /);
    await closeFront(http);
    await new Promise<void>((resolve) => port.close(() => resolve()));
  });

  const malformed: [string, string | object, Record<string, string>, number, string][] = [
    ['no JSON', 'hello', {}, 400, 'malformed'],
    ['JSON of another shape', { token: 1 }, {}, 400, 'malformed'],
    ['a field too many', { token: 'x', admin: true }, {}, 400, 'malformed'],
    ['a form', 'token=x', { 'content-type': 'application/x-www-form-urlencoded' }, 400, 'malformed'],
    ['a body over the limit', { token: 'x'.repeat(200_000) }, {}, 413, 'too_large'],
    ['a body without a length', { token: 'x' }, { 'transfer-encoding': 'chunked' }, 411, 'length_required'],
    ['another origin', { token: 'x' }, { origin: 'http://evil.test' }, 403, 'foreign_origin'],
    ['the shell as its origin', { token: 'x' }, { origin: 'http://shell.apps.localhost:8700' }, 403, 'foreign_origin'],
  ];
  for (const [what, body, headers, status, code] of malformed) {
    test(`QPT-9: a request with ${what} is refused: ${code}`, async () => {
      const call = { method: 'POST', path: '/api/enrol/begin', body, headers };
      const answer = await installation.browse(installation.hub, call);
      assert.deepEqual([answer.status, answer.body.error], [status, code]);
      assert.match(answer.body.correlation, /^[A-Za-z0-9_-]{12}$/);
    });
  }

  test('QPT-9: a method an address does not take is refused as such', async () => {
    for (const [method, path] of [
      ['PUT', '/api/enrol/begin'],
      ['POST', '/api/session'],
      ['DELETE', '/'],
    ] as const) {
      const answer = await installation.browse(installation.hub, { method, path, body: {} });
      assert.deepEqual([answer.status, answer.body.error], [405, 'method_not_allowed']);
    }
    assert.equal((await installation.browse(installation.hub, { method: 'HEAD', path: '/' })).status, 200);
  });

  test('QHX-7: guessing links and devices is slowed down', async () => {
    const browser = new Browser(installation);
    const attempt = () => browser.post('/api/enrol/begin', { token: 'A'.repeat(43) });
    const answers = await Promise.all(Array.from({ length: 130 }, attempt));
    assert.equal(answers.filter(({ status }) => status === 429).length, 10);
    assert.equal(answers.filter(({ status }) => status === 404).length, 120);
    installation.clock.advance(1_000);
    assert.equal((await attempt()).status, 404);
  });

  test('pages that are not built yet are a sentence, not an empty answer', async () => {
    const bare = await new Installation().start();
    for (const [origin, path] of [
      [bare.hub, '/'],
      [bare.shell, '/open/wiki'],
      [bare.app('wiki'), '/.latchkey/helper.js'],
    ] as const) {
      const answer = await bare.browse(origin, { path });
      assert.deepEqual([answer.status, answer.body.error], [503, 'not_built']);
    }
    const page = await bare.browse(bare.hub, { path: '/', headers: { accept: 'text/html,*/*' } });
    assert.deepEqual([page.status, page.headers['content-type']], [503, 'text/html; charset=UTF-8']);
    assert.match(
      page.text,
      /<p>The pages of this installation are not built yet\. Run "npm run build" and reload\.<\/p>/,
    );
    await bare.stop();
    bare.remove();
  });

  test('the API describes itself', async () => {
    const { body } = await get(installation.hub, '/api/openapi.json');
    assert.deepEqual(
      Object.keys(body.paths)
        .filter((path) => path.startsWith('/api/') && !path.startsWith('/api/admin/'))
        .sort(),
      [
        '/api/changes',
        '/api/changes/begin',
        '/api/changes/finish',
        '/api/changes/refuse',
        '/api/devices',
        '/api/devices/invite',
        '/api/devices/name',
        '/api/devices/revoke',
        '/api/enrol/begin',
        '/api/enrol/finish',
        '/api/guest/end',
        '/api/guest/enter',
        '/api/guest/launch/begin',
        '/api/guest/launch/finish',
        '/api/installation',
        '/api/launch/begin',
        '/api/launch/explain',
        '/api/launch/finish',
        '/api/link/begin',
        '/api/link/finish',
        '/api/link/knock',
        '/api/link/knock/wait',
        '/api/link/preview',
        '/api/login/begin',
        '/api/login/finish',
        '/api/logout',
        '/api/oidc/begin',
        '/api/oidc/finish',
        '/api/providers',
        '/api/saml/begin',
        '/api/saml/finish',
        '/api/services',
        '/api/session',
        '/api/svids',
      ],
    );
    const admin = await installation.admin('GET', '/api/openapi.json');
    const ofPages = Object.keys(body.paths).filter((path) => path.startsWith('/api/admin/'));
    assert.deepEqual(
      ofPages.sort(),
      Object.keys(admin.body.paths)
        .map((path) => `/api${path}`)
        .sort(),
    );
    assert.ok(admin.body.components.schemas.AuditEvent.properties.type.enum.includes('bypass'));
  });
});
