/** The compatibility probe, by a real gateway through WireGuard, on small services with one trait each. */
import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener } from 'node:http';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ProbeReport, Trait } from '../../../server/channel/probe-report.ts';
import { World } from './world/world.ts';

type Answer = { head?: Record<string, string | string[]>; body?: string | Buffer; status?: number };
const page = (text: string, head: Answer['head'] = {}): Answer => ({
  head: { 'content-type': 'text/html', ...head },
  body: text,
});
const script = (text: string): Answer => ({ head: { 'content-type': 'text/javascript' }, body: text });

/** Each service lives below a path of its own; `/name/` is its start page. */
const services: Record<string, Record<string, Answer | ((request: IncomingMessage) => Answer)>> = {
  plain: { '': page('<html><head><title>nothing special</title></head></html>') },
  csp: { '': page('<p>', { 'content-security-policy': "default-src 'self'; script-src 'nonce-abc'" }) },
  meta: { '': page('<head><meta http-equiv="Content-Security-Policy" content="img-src *">') },
  isolated: {
    '': page('<p>', { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }),
  },
  unframed: { '': page('<p>', { 'x-frame-options': 'DENY', 'content-security-policy': "frame-ancestors 'none'" }) },
  busting: { '': page('<script>if (window.self !== window.top) top.location = location</script>') },
  sockets: { '': page('<script src="app.js"></script>'), 'app.js': script('const s = new WebSocket(url)') },
  deep: {
    '': page('<script type=module src=/deep/a.js></script>'),
    'a.js': script("import { b } from './lib/b.js'"),
    'lib/b.js': script('new EventSource("feed")'),
  },
  events: { '': { head: { 'content-type': 'text/event-stream' }, body: 'data: 1\n\n' } },
  offline: { '': page('<script>navigator.serviceWorker.register("/sw.js")</script>') },
  workers: { '': page('<script>new Worker("w.js")</script>'), 'w.js': script('new WebSocket("/x")') },
  waiting: { '': page('<script>x.open("GET", "/data?" + n, false); x.send()</script>') },
  minified: { '': page('<script>r.open("GET",u,!1)</script>') },
  asynchronous: { '': page('<script>x.open("GET", "/data", true)</script>') },
  absolute: { '': page('<a href="http://100.100.0.7/absolute/next">next</a>') },
  almost: { '': page('<a href="http://100.100.0.70/">another machine</a>') },
  strangers: {
    '': page('<script src="https://cdn.example/lib.js"></script><link rel=stylesheet href="//fonts.example/f.css">'),
  },
  strict: {
    '': ({ headers }) =>
      headers.host === 'strict.internal' ? page('<script>new WebSocket(u)</script>') : { status: 403, body: 'host' },
  },
  friendly: { '': ({ headers }) => ({ status: headers.host === '100.100.0.7' ? 421 : 200 }) },
  asking: { '': { status: 401, head: { 'www-authenticate': 'Basic realm="x"' } } },
  moved: {
    '': { status: 302, head: { location: '/moved/start' } },
    start: page('<p>', { 'strict-transport-security': 'max-age=1' }),
  },
  away: { '': { status: 302, head: { location: 'https://idp.example/login?secret=1' } } },
  baking: {
    '': page('<p>', { 'set-cookie': ['sid=very-secret; HttpOnly; Path=/', 'bad=also-secret; Domain=evil.example'] }),
  },
  noisy: { '': page('<p>', { 'alt-svc': 'h3=":443"', nel: '{}' }) },
  zipped: {
    '': {
      head: { 'content-type': 'text/html', 'content-encoding': 'gzip' },
      body: gzipSync('<script>new EventSource("x")</script>'),
    },
  },
  evil: {
    '': page('<script>new WebSocket("\u001b[31m\u202e")</script>', {
      'content-security-policy': `script-src x${'y'.repeat(2_000)}`,
    }),
  },
  endless: {
    '': page('<script src="a.js">'),
    'a.js': {
      head: { 'content-type': 'text/javascript', 'content-encoding': 'gzip' },
      body: gzipSync('x'.repeat(13 * 1024 * 1024)),
    },
  },
  many: { '': page(Array.from({ length: 60 }, (_, i) => `<script src="s${i}.js"></script>`).join('')) },
  hostile: {
    '': page(
      '<script '.repeat(100_000) +
        '<meta http-equiv='.repeat(50_000) +
        'import '.repeat(50_000) +
        `new ${' '.repeat(500_000)}`,
    ),
  },
};

const seen: IncomingMessage[] = [];
const listener: RequestListener = (request, response) => {
  seen.push(request);
  const [, name = '', ...rest] = (request.url ?? '').split('/');
  const found = services[name]?.[rest.join('/')];
  const {
    status = 200,
    head = {},
    body = '',
  } = (typeof found === 'function' ? found(request) : found) ?? { status: 404 };
  response.writeHead(status, head).end(body);
};

let world: World;
before(async () => {
  world = await World.open(listener, [
    ...Object.keys(services).map((name) => ({ name, path: `/${name}/` })),
    { name: 'strict', path: '/strict/', upstreamHost: 'strict.internal' },
    { name: 'silent', port: 81 },
    { name: 'ssh', scheme: 'tcp' as const, port: 22 },
    { name: 'stolen', wireguardKey: Buffer.alloc(32, 9).toString('base64') },
  ]);
});
after(() => world.close());

async function probed(name: string): Promise<ProbeReport> {
  const answer = await world.authority.probe(name);
  assert.equal(answer.t, 'probe.report', JSON.stringify(answer));
  return answer.t === 'probe.report' ? answer.report : assert.fail();
}

/** What is found, and a piece of the evidence of each. */
const table: [name: string, found: [trait: Trait, where: string, what: RegExp][]][] = [
  ['plain', []],
  [
    'csp',
    [
      ['csp', '/csp/', /^content-security-policy: default-src 'self'; script-src 'nonce-abc'$/],
      ['csp', '/csp/', /a file of its own origin, by a nonce/],
    ],
  ],
  ['meta', [['csp', '/meta/', /<meta http-equiv="Content-Security-Policy"/]]],
  ['isolated', [['cross-origin-isolation', '/isolated/', /^cross-origin-opener-policy: same-origin$/]]],
  [
    'unframed',
    [
      ['frame-refusal', '/unframed/', /^x-frame-options: DENY$/],
      ['csp', '/unframed/', /frame-ancestors/],
    ],
  ],
  ['busting', [['frame-busting', '/busting/', /window\.self !== window\.top/]]],
  ['sockets', [['websocket', '/sockets/app.js', /new WebSocket\(url\)/]]],
  ['deep', [['server-sent-events', '/deep/lib/b.js', /new EventSource/]]],
  ['events', [['server-sent-events', '/events/', /text\/event-stream/]]],
  ['offline', [['service-worker', '/offline/', /serviceWorker\.register/]]],
  [
    'workers',
    [
      ['worker', '/workers/', /new Worker/],
      ['websocket', '/workers/w.js', /new WebSocket/],
    ],
  ],
  ['waiting', [['synchronous-xhr', '/waiting/', /\.open\("GET"/]]],
  ['minified', [['synchronous-xhr', '/minified/', /!1/]]],
  ['asynchronous', []],
  ['absolute', [['absolute-urls', '/absolute/', /http:\/\/100\.100\.0\.7\/absolute/]]],
  ['almost', []],
  ['strangers', [['other-origins', '/strangers/', /^https:\/\/cdn\.example$/]]],
  [
    'strict',
    [
      ['host-check', '/strict/', /^Host: strict\.apps\.localhost\S* was answered 403$/],
      ['websocket', '/strict/', /new WebSocket/],
    ],
  ],
  ['friendly', [['host-check', '/friendly/', /^Host: 100\.100\.0\.7 was answered 421$/]]],
  ['asking', [['http-authentication', '/asking/', /Basic/]]],
  ['moved', [['hsts', '/moved/start', /max-age=1/]]],
  ['away', [['redirect-elsewhere', '/away/', /^location: https:\/\/idp\.example$/]]],
  [
    'baking',
    [
      ['cookies', '/baking/', /^sid; HttpOnly; Path=\/$/],
      ['cookies-refused', '/baking/', /^bad; Domain=evil\.example$/],
    ],
  ],
  ['noisy', [['stripped-headers', '/noisy/', /^alt-svc: /]]],
  ['zipped', [['server-sent-events', '/zipped/', /EventSource/]]],
];

for (const [name, found] of table)
  test(`app-access: probe, a service that is ${name} shows ${found.map(([trait]) => trait).join(', ') || 'nothing'}`, async () => {
    const report = await probed(name);
    assert.deepEqual(
      [...new Set(report.findings.map(({ trait }) => trait))].sort(),
      [...new Set(found.map(([trait]) => trait))].sort(),
    );
    for (const [trait, where, what] of found) {
      const { evidence = [], effect = '' } = report.findings.find((finding) => finding.trait === trait) ?? {};
      assert.ok(
        evidence.some((one) => one.where === where && what.test(one.what)),
        `${trait}: ${JSON.stringify(evidence)}`,
      );
      assert.match(effect, /\.$/);
    }
    assert.deepEqual(report.settings, name === 'strict' ? { host: 'upstream' } : {});
    assert.equal(report.stopped, undefined);
    assert.doesNotMatch(JSON.stringify(report), /secret/);
  });

test('app-access: a probe asks as nobody, with GET alone, and of its one service alone', async () => {
  seen.length = 0;
  await probed('sockets');
  await probed('strangers');
  assert.ok(seen.length >= 4);
  for (const { method, url = '', headers } of seen) {
    assert.equal(method, 'GET');
    assert.match(url, /^\/(sockets|strangers)\//);
    assert.ok(
      Object.keys(headers).every((name) => !name.startsWith('x-latchkey-')),
      JSON.stringify(headers),
    );
  }
});

test('QPT-9: what a service writes into a report is cut and printable', async () => {
  const { findings } = await probed('evil');
  const text = JSON.stringify(findings);
  assert.doesNotMatch(text, /\\u001b|\u202e/);
  for (const { evidence } of findings) for (const { what } of evidence) assert.ok(what.length <= 240);
});

test('QHX-3: a probe has an end, and says which', async () => {
  assert.equal((await probed('endless')).stopped, 'bytes');
  const { visited, stopped } = await probed('many');
  assert.ok(visited.length <= 40);
  assert.equal(stopped, 'pages');
});

test('QHX-3: text made to keep a pattern busy is read to its end, like any other', async () => {
  const { findings, stopped } = await probed('hostile');
  assert.deepEqual([findings, stopped], [[], undefined]);
});

for (const [name, code] of [
  ['nobody', 'unknown_service'],
  ['ssh', 'wrong_kind'],
  ['silent', 'unreachable'],
  ['stolen', 'wrong_peer'],
])
  test(`app-access: no probe of ${name}: ${code}`, async () => {
    assert.deepEqual({ ...(await world.authority.probe(name ?? '')), id: '' }, { t: 'probe.refused', id: '', code });
  });

test('QHX-3: one probe at a time', async () => {
  const answers = await Promise.all([world.authority.probe('plain'), world.authority.probe('plain')]);
  assert.deepEqual(answers.map(({ t }) => t).sort(), ['probe.refused', 'probe.report']);
});
