import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceJar } from '../../../../server/gateway/exchange/cookie-jar.ts';
import type { Header } from '../../../../server/gateway/exchange/headers.ts';
import { type AnsweredRequest, translateResponse } from '../../../../server/gateway/exchange/response-rules.ts';
import { asked, context, shim, values } from './support.ts';

const html: Header = ['Content-Type', 'text/html; charset=utf-8'];

const framedBy = `frame-ancestors 'self' ${context.shellOrigin}`;

function translate(headers: Header[], request: AnsweredRequest = asked(), status = 200, jar = new ServiceJar()) {
  return translateResponse({ status, headers }, request, context, jar, shim);
}

test('BR-1: injects into a document and corrects what spoke of its bytes', () => {
  const plan = translate([html, ['Content-Length', '10'], ['ETag', '"v1"'], ['Content-MD5', 'x']]);
  assert.equal(plan.inject?.element, '<script src="/.latchkey/shim.js"></script>');
  assert.deepEqual(values(plan.headers, 'content-length'), []);
  assert.deepEqual(values(plan.headers, 'content-md5'), []);
  assert.deepEqual(values(plan.headers, 'etag'), ['"v1"']);
});

test('BR-1: injects into a document whose type nobody says, which a browser looks at', () => {
  assert.equal(translate([['content-length', '10']]).inject?.contentType, '');
  assert.notEqual(translate([['content-type', '*/*']]).inject, undefined);
});

test('BR-1: of several types the last one counts, and goes on alone', () => {
  const plan = translate([
    ['content-type', 'text/plain'],
    ['Content-Type', 'text/html;charset=x'],
    ['content-type', '-'],
  ]);
  assert.equal(plan.inject?.contentType, 'text/html;charset=x');
  assert.deepEqual(values(plan.headers, 'content-type'), ['text/html;charset=x']);
  assert.deepEqual(values(translate([['content-type', '-']]).headers, 'content-type'), ['-']);
});

const untouched: [name: string, headers: Header[], request: AnsweredRequest, status: number][] = [
  ['a fragment fetched by script', [html], asked({ dest: 'empty' }), 200],
  ['a request of unknown destination', [html], asked({ dest: '' }), 200],
  ['an attachment', [html, ['content-disposition', 'Attachment; filename=a.html']], asked(), 200],
  ['SVG in a frame', [['content-type', 'image/svg+xml']], asked(), 200],
  ['PDF in a frame', [['content-type', 'application/pdf']], asked(), 200],
  ['a type that only begins like HTML', [['content-type', 'text/html-template']], asked(), 200],
  ['HEAD', [html], asked({ method: 'HEAD' }), 200],
  ['204', [html], asked(), 204],
  ['304', [html], asked(), 304],
  ['206', [html, ['content-range', 'bytes 0-1/5']], asked(), 206],
  ['a redirect', [html, ['location', '/x']], asked(), 302],
  ['an empty page', [html, ['content-length', '0']], asked(), 200],
  ['a page without a type that nobody may guess', [['x-content-type-options', 'nosniff']], asked(), 200],
  [
    'a page in a sandbox, which may not load it',
    [html, ['content-security-policy', 'sandbox allow-scripts']],
    asked(),
    200,
  ],
  ['a coding nobody can undo', [html, ['content-encoding', 'compress']], asked(), 200],
];

for (const [name, headers, request, status] of untouched)
  test(`BR-1: injects nothing into ${name} and keeps its length`, () => {
    const plan = translate([...headers, ['x-length', '5']], request, status);
    assert.equal(plan.inject, undefined);
    assert.deepEqual(plan.decode, []);
    assert.equal(plan.status, status);
    const framing = plan.headers.filter(([, text]) => text.startsWith('frame-ancestors'));
    assert.equal(plan.headers.length - framing.length, headers.length + 1);
  });

test('BR-1: decodes for a client that cannot, and leaves the coding to one that asked for it', () => {
  const gzip: Header[] = [
    ['content-type', 'text/css'],
    ['content-encoding', 'gzip'],
    ['content-length', '9'],
  ];
  const style = { dest: 'style' };
  const decoded = translate(gzip, asked(style));
  assert.deepEqual(decoded.decode, ['gzip']);
  assert.deepEqual(decoded.headers, [['content-type', 'text/css']]);
  const passed = translate(gzip, asked({ ...style, acceptsEncoding: true }));
  assert.deepEqual(passed.decode, []);
  assert.deepEqual(passed.headers, gzip);
  assert.deepEqual(translate([html, ['content-encoding', 'br']], asked({ acceptsEncoding: true })).decode, ['br']);
});

test('BR-1: maps its own host, and that of another published app, in Location', () => {
  const location = (url: string) => values(translate([['location', url]], asked(), 302).headers, 'location')[0];
  const table: [url: string, mapped: string][] = [
    ['/relative?x#y', '/relative?x#y'],
    ['http://wiki.internal:8080/a/%2F?b#c', 'http://wiki.apps.localhost:8700/a/%2F?b#c'],
    ['HTTP://WIKI.internal:8080', 'http://wiki.apps.localhost:8700'],
    ['//wiki.internal:8080/a', 'http://wiki.apps.localhost:8700/a'],
    ['https://wiki.internal:8080/a', 'http://wiki.apps.localhost:8700/a'],
    ['https://wiki.apps.localhost:8700/a', 'http://wiki.apps.localhost:8700/a'],
    ['https://tickets.internal:443/t', 'http://tickets.apps.localhost:8700/t'],
    ['http://tickets.internal/t', 'http://tickets.internal/t'],
    ['https://wiki.internal:8080.evil.example/', 'https://wiki.internal:8080.evil.example/'],
    ['http://wiki.internal:8080@evil.example/', 'http://wiki.internal:8080@evil.example/'],
    ['https://example.com/', 'https://example.com/'],
  ];
  for (const [url, mapped] of table) assert.equal(location(url), mapped, url);
});

test('BR-1: maps Refresh', () => {
  const { headers } = translate([['refresh', '5; URL="http://wiki.internal:8080/x"']]);
  assert.deepEqual(values(headers, 'refresh'), ['5; URL="http://wiki.apps.localhost:8700/x"']);
});

test('BR-1: strips what would reach beyond one app', () => {
  const { headers } = translate([
    ['Strict-Transport-Security', 'max-age=1; includeSubDomains'],
    ['Alt-Svc', 'h3=":443"'],
    ['NEL', '{}'],
    ['Report-To', '{}'],
    ['Clear-Site-Data', '"cache", "storage"'],
    ['Connection', 'close, X-Hop'],
    ['X-Hop', '1'],
    ['Transfer-Encoding', 'chunked'],
    ['Vary', 'a'],
    ['Vary', 'b'],
  ]);
  assert.deepEqual(headers, [
    ['vary', 'a'],
    ['vary', 'b'],
    ['clear-site-data', '"cache"'],
    ['content-security-policy', framedBy],
  ]);
});

test('BR-1: keeps HttpOnly cookies to itself and mirrors the others', () => {
  const jar = new ServiceJar();
  const { headers } = translate(
    [
      ['Set-Cookie', 'sid=secret; HttpOnly; Path=/'],
      ['Set-Cookie', 'theme=dark; Path=/'],
    ],
    asked(),
    200,
    jar,
  );
  assert.doesNotMatch(JSON.stringify(headers), /secret|"set-cookie"/);
  assert.deepEqual(values(headers, ':set-cookie'), ['theme=dark; Path=/']);
  assert.equal(jar.header(asked()), 'sid=secret; theme=dark');
});

test('BR-1: empties the jar where the app clears its cookies, and tells the browser which to remove', () => {
  const jar = new ServiceJar();
  const request = asked({ scriptCookies: 'a=1; own=2' });
  jar.store(['a=1; Path=/', 'h=2; HttpOnly'], request, []);
  const { headers } = translate([['Clear-Site-Data', '"cookies"']], request, 200, jar);
  assert.deepEqual(values(headers, ':set-cookie'), ['a=; Path=/; Max-Age=0', 'own=; Path=/; Max-Age=0']);
  assert.equal(jar.header(asked()), '');
});

test('QPT-9: refuses a response head with an illegal byte', () => {
  assert.throws(() => translate([['x', 'a\r\nb']]), { code: 'bad_header' });
});

test('BR-1: puts the shim inline where only inline script may run, and nowhere when that is impossible', () => {
  const policy: Header = ['content-security-policy', "script-src 'unsafe-inline'"];
  assert.equal(translate([html, policy]).inject?.element, '<script>shim()</script>');
  const bad = { ...shim, inline: 'a</script>' };
  const plan = translateResponse({ status: 200, headers: [html, policy] }, asked(), context, new ServiceJar(), bad);
  assert.equal(plan.inject, undefined);
});

test('QHX-6: no sibling app may frame a page that its service let anybody frame; only pages are told so', () => {
  const policies = (request: AnsweredRequest, status = 200) =>
    values(translate([html, ['content-security-policy', "default-src 'self'"]], request, status).headers, csp);
  const csp = 'content-security-policy';
  for (const dest of ['document', 'iframe', 'frame', 'object', 'embed'])
    assert.deepEqual(policies(asked({ dest })), ["default-src 'self'", framedBy], dest);
  for (const dest of ['script', 'empty', 'image']) assert.deepEqual(policies(asked({ dest })), ["default-src 'self'"]);
  assert.deepEqual(policies(asked(), 404), ["default-src 'self'", framedBy]);
  assert.deepEqual(policies(asked(), 304), ["default-src 'self'"]);
});

const isolating: Header[] = [
  ['cross-origin-opener-policy', 'same-origin; report-to="x"'],
  ['cross-origin-embedder-policy', 'require-corp'],
];
const credentialless: Header[] = [isolating[0]!, ['cross-origin-embedder-policy', 'credentialless']];
const isolated: [name: string, headers: Header[], dest: string, policy: string[]][] = [
  ['a page in a frame that asks to be isolated', isolating, 'iframe', ['isolate-and-require-corp']],
  ['one that loads the rest without credentials', credentialless, 'iframe', ['isolate-and-credentialless']],
  ['one with a policy of its own', [...isolating, ['document-isolation-policy', 'none']], 'iframe', ['none']],
  ['a page in a window', isolating, 'document', []],
  ['a page that asks half of it', isolating.slice(1), 'iframe', []],
  ['a script', isolating, 'script', []],
];
for (const [name, headers, dest, policy] of isolated)
  test(`app-access: the isolation policy of ${name} is ${policy[0] ?? 'not added'}`, () => {
    const plan = translate([html, ...headers], asked({ dest }));
    assert.deepEqual(values(plan.headers, 'document-isolation-policy'), policy);
  });

/** As heads carry text: each byte a character. */
const bytes = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding).toString('latin1');

for (const [name, given, expected] of [
  ['location', '/möhren?ü', '/m%C3%B6hren?%C3%BC'],
  ['content-location', '/möhren', '/m%C3%B6hren'],
  ['location', 'http://wiki.internal:8080/文', 'http://wiki.apps.localhost:8700/%E6%96%87'],
  ['location', '/a%20b?c', '/a%20b?c'],
  ['refresh', '0; url=/möhren', '0; url=/m%C3%B6hren'],
  [
    'content-disposition',
    'attachment; filename="möhren \\"2\\".txt"',
    `attachment; filename*=UTF-8''m%C3%B6hren%20%222%22.txt`,
  ],
  ['content-disposition', 'inline;filename=文.pdf; size=3', `inline; filename*=UTF-8''%E6%96%87.pdf; size=3`],
  ['content-disposition', 'attachment; filename="(a)*ö\'"', `attachment; filename*=UTF-8''%28a%29%2A%C3%B6%27`],
  [
    'content-disposition',
    `attachment; filename="ö"; filename*=UTF-8''o`,
    bytes(`attachment; filename="ö"; filename*=UTF-8''o`),
  ],
  ['content-disposition', 'attachment; filename="a.txt"', 'attachment; filename="a.txt"'],
  [
    'content-disposition',
    'inline; name="a; filename=b"; filename=ö',
    `inline; name="a; filename=b"; filename*=UTF-8''%C3%B6`,
  ],
  ['content-disposition', 'form-data; name="a; filename=ö"', bytes('form-data; name="a; filename=ö"')],
  // Nothing of it may be looked at more than once: heads are up to 48 KiB, and the service's.
  ['content-disposition', `attachment${' '.repeat(48_000)}ö`, bytes(`attachment${' '.repeat(48_000)}ö`)],
] as const)
  test(`BR-1: ${name}: ${given.replace(/ {9,}/, ' … ')} says in ASCII what its bytes said`, () => {
    const plan = translate([[name, bytes(given)]], asked({ dest: 'empty' }), name === 'location' ? 302 : 200);
    assert.deepEqual(values(plan.headers, name), [expected]);
  });

test('BR-1: the name of a file that is no UTF-8 stays as it is', () => {
  const header: Header = ['content-disposition', bytes('attachment; filename="ö.txt"', 'latin1')];
  assert.deepEqual(values(translate([header], asked({ dest: 'empty' })).headers, header[0]), [header[1]]);
});

test('BR-1: a sandbox that keeps its origin has the shim', () => {
  const policy: Header = ['content-security-policy', 'sandbox allow-scripts Allow-Same-Origin'];
  assert.notEqual(translate([html, policy]).inject, undefined);
});
