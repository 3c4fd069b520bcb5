import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxCookies, ServiceJar } from '../../../../server/gateway/exchange/cookie-jar.ts';
import { asked } from './support.ts';

const hosts = ['wiki.apps.localhost', 'wiki.internal'];

function jarWith(...lines: string[]): ServiceJar {
  const jar = new ServiceJar();
  jar.store(lines, asked(), hosts);
  return jar;
}

test('BR-1: the browser has the last word on cookies that script can see', () => {
  const jar = jarWith('sid=s; HttpOnly', 'theme=dark', 'old=1');
  assert.equal(jar.header(asked({ scriptCookies: 'theme=light; mine=1' })), 'sid=s; theme=light; mine=1');
  assert.equal(jar.header(asked({ scriptCookies: '' })), 'sid=s');
  assert.equal(jar.header(asked()), 'sid=s; theme=dark; old=1');
});

test('BR-1: SameSite holds for cookies that script can see, and one whose attributes nobody knows counts as Lax', () => {
  const jar = jarWith('strict=1; SameSite=Strict', 'lax=1; SameSite=Lax', 'none=1; SameSite=None; Secure');
  const seen = { scriptCookies: 'strict=1; lax=1; none=1; own=1', site: 'cross-site' } as const;
  assert.equal(jar.header(asked({ ...seen, mode: 'navigate', method: 'POST' })), 'none=1');
  assert.equal(jar.header(asked({ ...seen, mode: 'navigate' })), 'lax=1; none=1; own=1');
  assert.equal(jar.header(asked({ ...seen, site: 'same-origin' })), 'strict=1; lax=1; none=1; own=1');
});

test('BR-1: script cannot write over an HttpOnly cookie', () => {
  assert.equal(jarWith('sid=s; HttpOnly').header(asked({ scriptCookies: 'sid=mine; a=1' })), 'sid=s; a=1');
});

test('BR-1: an HttpOnly cookie is mirrored in no form', () => {
  const jar = new ServiceJar();
  assert.deepEqual(jar.store(['a=1; HttpOnly', 'b=2; httponly; Max-Age=0'], asked(), hosts), []);
});

test('BR-1: a cookie that becomes HttpOnly leaves the browser', () => {
  const jar = jarWith('a=1; Path=/');
  assert.deepEqual(jar.store(['a=2; Path=/; HttpOnly'], asked(), hosts), ['a=; Path=/; Max-Age=0']);
});

const lines: [line: string, mirror: string[], header: string][] = [
  ['a=1', ['a=1; Path=/'], 'a=1'],
  ['a=b=c; Path=/; Secure; SameSite=Lax', ['a=b=c; Path=/; SameSite=lax; Secure'], 'a=b=c'],
  ['a="x y"', ['a="x y"; Path=/'], 'a="x y"'],
  ['a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT', ['a=; Path=/; Max-Age=0'], ''],
  ['a=1; Domain=wiki.internal', ['a=1; Path=/'], 'a=1'],
  ['a=1; Domain=.internal', ['a=1; Path=/'], 'a=1'],
  ['a=1; Domain=evil.example', [], ''],
  ['a=1; Domain=shell.apps.localhost', [], ''],
  ['__Host-a=1; Path=/; Secure', ['__Host-a=1; Path=/; Secure'], '__Host-a=1'],
  ['__Host-a=1; Path=/; Secure; Domain=wiki.internal', [], ''],
  ['__Host-a=1; Path=/', [], ''],
  ['__Secure-a=1', [], ''],
  [`a=${'x'.repeat(5_000)}`, [], ''],
  ['', [], ''],
];

for (const [line, mirror, header] of lines)
  test(`BR-1: understands Set-Cookie: ${line.slice(0, 60)}`, () => {
    const jar = new ServiceJar();
    assert.deepEqual(jar.store([line], asked(), hosts), mirror);
    assert.equal(jar.header(asked()), header);
  });

test('BR-1: keeps paths apart and sends the longer one first', () => {
  const jar = jarWith('a=root; Path=/; HttpOnly', 'a=deep; Path=/x; HttpOnly', 'b=other; Path=/y');
  assert.equal(jar.header(asked({ target: '/x/1?q=/y' })), 'a=deep; a=root');
  assert.equal(jar.header(asked({ target: '/xx' })), 'a=root');
});

test('BR-1: honours SameSite for requests of other sites', () => {
  const jar = jarWith('s=1; SameSite=Strict', 'l=1; SameSite=Lax', 'n=1; SameSite=None; Secure');
  assert.equal(jar.header(asked()), 's=1; l=1; n=1');
  assert.equal(jar.header(asked({ site: 'cross-site' })), 'l=1; n=1');
  assert.equal(jar.header(asked({ site: 'cross-site', method: 'POST' })), 'n=1');
});

test('QPT-9: a service that sets cookies without end fills neither memory nor the header', () => {
  const jar = new ServiceJar();
  for (let i = 0; i < maxCookies + 50; i++) jar.store([`c${i}=1`], asked(), hosts);
  assert.equal(jar.header(asked()).split('; ').length, maxCookies);
});

test('BR-1: comes back whole from what was saved', () => {
  const jar = jarWith('a=1; HttpOnly; Max-Age=1000', 'b=2; Path=/x', 'session=3');
  const copy = new ServiceJar(jar.save());
  assert.equal(copy.header(asked({ target: '/x' })), jar.header(asked({ target: '/x' })));
});
