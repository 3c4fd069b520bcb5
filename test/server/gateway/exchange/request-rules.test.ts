import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExchangeContext } from '../../../../server/gateway/exchange/context.ts';
import type { Header } from '../../../../server/gateway/exchange/headers.ts';
import { translateRequest } from '../../../../server/gateway/exchange/request-rules.ts';
import { context, publicHost, values } from './support.ts';

function translate(headers: Header[], over: { method?: string; target?: string; context?: ExchangeContext } = {}) {
  const { method = 'GET', target = '/a?b=c' } = over;
  return translateRequest({ method, target, headers }, over.context ?? context);
}

const one = (headers: Header[], name: string) => values(translate(headers).headers, name);

test('BR-1: gives the app its label host and says where the request came from', () => {
  const { headers } = translate([]);
  assert.deepEqual(values(headers, 'host'), [publicHost]);
  assert.deepEqual(values(headers, 'x-forwarded-host'), [publicHost]);
  assert.deepEqual(values(headers, 'x-forwarded-proto'), ['http']);
  assert.deepEqual(values(headers, 'x-forwarded-for'), ['192.0.2.7']);
});

test('BR-1: gives an app its own host where the service asks for that, and maps Origin and Referer', () => {
  const { headers } = translate(
    [
      ['Origin', context.publicOrigin],
      ['Referer', `${context.publicOrigin}/x?y`],
    ],
    { method: 'POST', context: { ...context, hostRule: 'upstream' } },
  );
  assert.deepEqual(values(headers, 'host'), ['wiki.internal:8080']);
  assert.deepEqual(values(headers, 'x-forwarded-host'), ['wiki.internal:8080']);
  assert.deepEqual(values(headers, 'origin'), ['http://wiki.internal:8080']);
  assert.deepEqual(values(headers, 'referer'), ['http://wiki.internal:8080/x?y']);
});

test('BR-1: behind HTTPS too an app that chose its own host is told one origin, which it may hold against Origin', () => {
  const publicOrigin = 'https://wiki.apps.example.test';
  const own = { ...context, publicOrigin, hostRule: 'upstream' as const };
  const { headers } = translate([['Origin', publicOrigin]], { method: 'POST', context: own });
  const [proto, host] = [values(headers, 'x-forwarded-proto'), values(headers, 'x-forwarded-host')];
  assert.deepEqual(values(headers, 'origin'), [`${proto}://${host}`]);
});

test('QPT-9: mints identity after it has stripped every spelling of a claimed one', () => {
  const claimed: Header[] = [
    ['X-Latchkey-User', 'mallory'],
    ['x_latchkey_user', 'mallory'],
    ['X-Latchkey-Groups', 'admins'],
    ['X-Forwarded-User', 'mallory'],
    ['X_Forwarded_For', '10.0.0.1'],
    ['X-Forwarded-For', '10.0.0.1'],
    ['Forwarded', 'for=10.0.0.1'],
    ['X-Real-IP', '10.0.0.1'],
    ['Remote-User', 'mallory'],
    ['Host', 'other.internal'],
    ['Cookie', 'session=stolen'],
    ['Sec-Fetch-Site', 'none'],
  ];
  const { headers } = translate(claimed);
  assert.doesNotMatch(JSON.stringify(headers), /mallory|10\.0\.0\.1|other\.internal|stolen|admins|sec-fetch/);
  assert.deepEqual(values(headers, 'x-latchkey-user'), ['ada']);
  assert.deepEqual(values(headers, 'x-latchkey-device'), ['laptop']);
});

const names: [name: string, field: string][] = [
  ['Ada Lovelace', 'Ada Lovelace'],
  ['Zo\u00eb \u6f22', 'Zo%C3%AB %E6%BC%A2'],
  ['a,b', 'a%2Cb'],
  ['100%', '100%25'],
];
for (const [name, field] of names)
  test(`QPT-9: a name goes into a field as ${field}, which decodes to it again`, () => {
    const caller = { user: 'ada', device: 'laptop', name, groups: ['staff', name], assertion: 'signed' };
    const { headers } = translate([], { context: { ...context, caller } });
    assert.deepEqual(values(headers, 'x-latchkey-name'), [field]);
    assert.deepEqual(values(headers, 'x-latchkey-groups'), [`staff,${field}`]);
    assert.equal(decodeURIComponent(field), name);
  });

test('QPT-9: a service that must not know who calls is told nothing of it', () => {
  const { headers } = translate([['X-Latchkey-User', 'mallory']], { context: { ...context, caller: undefined } });
  assert.ok(headers.every(([name]) => !name.startsWith('x-latchkey-')));
});

test('BR-1: strips what belongs to one hop and what Connection names, and keeps the rest in order', () => {
  const { headers } = translate([
    ['X-B', '2'],
    ['Connection', 'keep-alive, X-Hop'],
    ['X-Hop', '1'],
    ['Transfer-Encoding', 'chunked'],
    ['TE', 'trailers'],
    ['Upgrade', 'h2c'],
    ['Expect', '100-continue'],
    ['X-A', '1'],
    ['X-A', '2'],
    ['X-Api-Key', 'k'],
    ['Authorization', 'Bearer t'],
  ]);
  const app = headers.filter(([name]) => name.startsWith('x-a') || name.startsWith('x-b') || name === 'authorization');
  assert.deepEqual(app, [
    ['x-b', '2'],
    ['x-a', '1'],
    ['x-a', '2'],
    ['x-api-key', 'k'],
    ['authorization', 'Bearer t'],
  ]);
  for (const name of ['connection', 'x-hop', 'transfer-encoding', 'te', 'upgrade', 'expect'])
    assert.deepEqual(values(headers, name), [], name);
});

const hostileHeaders: Header[] = [
  ['x', 'a\r\nEvil: 1'],
  ['x', 'a\nb'],
  ['x', 'a\0b'],
  ['x', 'a\x7fb'],
  ['x', 'a\u0100b'],
  ['x y', 'a'],
  ['x\r\ny', 'a'],
  ['', 'a'],
  ['x:y', 'a'],
  [':cookies', 'a=b\r\nEvil: 1'],
  [':dest', 'a b'],
  ['content-length', '-1'],
  ['content-length', '1, 2'],
  ['content-length', '0x10'],
];

for (const header of hostileHeaders)
  test(`QPT-9: refuses the field ${JSON.stringify(header)}`, () => {
    assert.throws(() => translate([header]), { code: 'bad_header' });
  });

test('QPT-9: refuses two lengths that differ', () => {
  const lengths: Header[] = [
    ['content-length', '5'],
    ['content-length', '6'],
  ];
  assert.throws(() => translate(lengths), { code: 'bad_header' });
});

for (const target of ['', 'a', 'http://other/', '*', '/a b', '/a\r\nHost: x', '/a\x00', '/a#b', '/\u00e9', '/a\tb'])
  test(`QPT-9: refuses the target ${JSON.stringify(target)}`, () => {
    assert.throws(() => translate([], { target }), { code: 'bad_target' });
  });

const twoReadings = [
  '/a/../secret',
  '/./secret',
  '/..',
  '/a/.',
  '/a/%2e%2E/secret',
  '/.%2e/x',
  '/a\\..\\secret',
  '/\\x',
];
for (const target of twoReadings)
  test(`QHX-6: refuses the path ${JSON.stringify(target)}, which policy and service could read differently`, () => {
    assert.throws(() => translate([], { target }), { code: 'bad_target' });
    assert.throws(() => translate([], { target: `${target}?q` }), { code: 'bad_target' });
  });

for (const target of ['/...', '/.well-known/x', '/a..b/..c', '/a.', '/%2e%2e%2e', '/a?b=/../c\\', '/x%2Fy'])
  test(`BR-1: leaves the target ${JSON.stringify(target)} as it is`, () => {
    assert.equal(translate([], { target }).target, target);
  });

for (const method of ['', 'GE T', 'GET\r\n', 'CONNECT', 'TRACE', 'trace', 'X'.repeat(33)])
  test(`QPT-9: refuses the method ${JSON.stringify(method)}`, () => {
    assert.throws(() => translate([], { method }), { code: 'bad_method' });
  });

test('BR-1: passes DAV verbs and unusual but legal targets', () => {
  for (const method of ['PROPFIND', 'REPORT', 'MKCALENDAR', 'PATCH'])
    assert.equal(translate([], { method }).method, method);
  for (const target of ['/', '//a//b', '/%0d%0a', '/a?b=c&d=%7B%7D', '/a;b=1', '/\'"<>|{}^`'])
    assert.equal(translate([], { target }).target, target);
});

test('BR-1: asks for plain bytes unless the client can decode, and always for a document', () => {
  assert.deepEqual(one([], 'accept-encoding'), ['identity']);
  assert.deepEqual(one([['accept-encoding', 'gzip, br']], 'accept-encoding'), ['gzip, br']);
  assert.deepEqual(
    one(
      [
        ['accept-encoding', 'gzip'],
        [':dest', 'iframe'],
      ],
      'accept-encoding',
    ),
    ['identity'],
  );
});

test('BR-1: adds the Origin the browser would have added below the service worker', () => {
  const origin = (method: string, headers: Header[]) => values(translate(headers, { method }).headers, 'origin');
  assert.deepEqual(origin('GET', []), []);
  assert.deepEqual(origin('POST', []), [context.publicOrigin]);
  assert.deepEqual(origin('POST', [[':site', 'cross-site']]), ['null']);
  assert.deepEqual(origin('POST', [[':mode', 'navigate']]), ['null'], 'a navigation of unknown origin is a stranger');
  assert.deepEqual(origin('GET', [[':mode', 'websocket']]), [context.publicOrigin]);
  assert.deepEqual(origin('POST', [['origin', 'http://evil.example']]), ['http://evil.example']);
});

test('BR-1: keeps the facts of the service worker out of the request and mints fetch metadata from them', () => {
  const { headers, facts } = translate([
    [':jar-key', 'k'],
    [':cookies', 'a=b'],
    [':dest', 'iframe'],
    [':mode', 'navigate'],
    [':site', 'none'],
    [':client', 'tab'],
  ]);
  assert.deepEqual(facts, { jarKey: 'k', scriptCookies: 'a=b', dest: 'iframe', mode: 'navigate', site: 'none' });
  assert.ok(headers.every(([name]) => !name.startsWith(':')));
  assert.deepEqual(values(headers, 'sec-fetch-dest'), ['iframe']);
  assert.deepEqual(values(headers, 'sec-fetch-mode'), ['navigate']);
  assert.deepEqual(values(headers, 'sec-fetch-site'), ['none']);
});
