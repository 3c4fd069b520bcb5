/**
 * RFC 6265bis as a table: what a service sets, in which request, and what it is sent back in a later one. The behaviours
 * are those that the http-state and web-platform tests look at; the rows are ours. Cookies of one service are those of
 * one host, so what those tests do with several hosts is shown here by Domain alone.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type CookieRequest, ServiceJar } from '../../../../server/gateway/exchange/cookie-jar.ts';
import { asked } from './support.ts';

const hosts = ['wiki.apps.localhost', 'wiki.corp.internal'];
const counts = new Map<string, number>();

/** `from` is where the lines are set, `to` where the cookies are asked for. */
interface Row {
  readonly set: readonly string[];
  readonly sent: string;
  readonly from?: Partial<CookieRequest>;
  readonly to?: Partial<CookieRequest>;
}

function section(name: string, rows: readonly Row[]): void {
  counts.set(name, rows.length);
  for (const { set, sent, from = {}, to = {} } of rows) {
    const where = JSON.stringify({ ...from, ...to });
    const shown = set.map((line) => line.slice(0, 72)).join(' | ');
    test(`app-access: cookies, ${name}: ${shown} ${where === '{}' ? '' : where} gives "${sent.slice(0, 40)}"`, () => {
      const jar = new ServiceJar();
      for (const line of set) jar.store([line], asked(from), hosts);
      assert.equal(jar.header(asked(to)), sent);
      // The same when the gateway was started again in between.
      assert.equal(new ServiceJar(jar.save()).header(asked(to)), sent);
    });
  }
}

const at = (target: string): Partial<CookieRequest> => ({ target });
const x = (count: number): string => 'x'.repeat(count);

section('grammar', [
  { set: ['a=1'], sent: 'a=1' },
  { set: ['  a  =  1  '], sent: 'a=1' },
  { set: ['a=1; b=2'], sent: 'a=1' },
  { set: ['a='], sent: 'a=' },
  { set: ['=1'], sent: '1' },
  { set: ['1'], sent: '1' },
  { set: ['=a=1'], sent: 'a=1' },
  { set: ['='], sent: '' },
  { set: [''], sent: '' },
  { set: [';'], sent: '' },
  { set: ['; Path=/'], sent: '' },
  { set: ['a=1=2=3'], sent: 'a=1=2=3' },
  { set: ['a="1"'], sent: 'a="1"' },
  { set: ['a="1; 2"'], sent: 'a="1' },
  { set: ['a="1 2"; Path=/'], sent: 'a="1 2"' },
  { set: ['a=1, b=2'], sent: 'a=1, b=2' },
  { set: ["a='1'"], sent: "a='1'" },
  { set: ['a=%20%3B'], sent: 'a=%20%3B' },
  { set: ['A=1', 'a=2'], sent: 'A=1; a=2' },
  { set: ['a[b]=1'], sent: 'a[b]=1' },
  { set: ['$Version=1'], sent: '$Version=1' },
  { set: ['a=\u00e4\u00f6'], sent: 'a=\u00e4\u00f6' },
  { set: ['a=1; ; ;'], sent: 'a=1' },
  { set: ['a=1; unknown; other=x'], sent: 'a=1' },
  { set: ['a=1;Path=/;HTTPONLY'], sent: 'a=1' },
]);

section('several', [
  { set: ['a=1', 'a=2'], sent: 'a=2' },
  { set: ['a=1', 'b=2', 'c=3'], sent: 'a=1; b=2; c=3' },
  { set: ['a=1', 'b=2', 'a=3'], sent: 'a=3; b=2' },
  { set: ['a=1; Path=/', 'a=2; Path=/x'], sent: 'a=2; a=1', to: at('/x/y') },
  { set: ['a=1', 'a=2; HttpOnly'], sent: 'a=2' },
  { set: ['a=1; Domain=wiki.corp.internal', 'a=2'], sent: 'a=2' },
  { set: ['=1', '=2'], sent: '2' },
]);

section('path', [
  { set: ['a=1; Path=/x'], sent: 'a=1', to: at('/x') },
  { set: ['a=1; Path=/x'], sent: 'a=1', to: at('/x/') },
  { set: ['a=1; Path=/x'], sent: 'a=1', to: at('/x/y?z') },
  { set: ['a=1; Path=/x'], sent: '', to: at('/xy') },
  { set: ['a=1; Path=/x'], sent: '', to: at('/') },
  { set: ['a=1; Path=/x'], sent: '', to: at('/X') },
  { set: ['a=1; Path=/x/'], sent: 'a=1', to: at('/x/y') },
  { set: ['a=1; Path=/x/'], sent: '', to: at('/x') },
  { set: ['a=1'], sent: 'a=1', from: at('/x/y'), to: at('/x/z') },
  { set: ['a=1'], sent: '', from: at('/x/y'), to: at('/') },
  { set: ['a=1'], sent: 'a=1', from: at('/x'), to: at('/') },
  { set: ['a=1; Path='], sent: 'a=1', from: at('/x/y'), to: at('/x/z') },
  { set: ['a=1; Path=x'], sent: 'a=1', from: at('/x/y'), to: at('/x/z') },
  { set: ['a=1; Path=/x; Path=/y'], sent: 'a=1', to: at('/y') },
  { set: ['a=1; Path=/x; Path=/y'], sent: '', to: at('/x') },
  { set: ['a=1; Path=/other'], sent: 'a=1', from: at('/x/y'), to: at('/other') },
  { set: ['a=1; Path=/', 'b=2; Path=/x/y', 'c=3; Path=/x'], sent: 'b=2; c=3; a=1', to: at('/x/y/z') },
  { set: ['a=1; Path=/%20'], sent: 'a=1', to: at('/%20') },
]);

section('domain', [
  { set: ['a=1; Domain=wiki.corp.internal'], sent: 'a=1' },
  { set: ['a=1; Domain=.wiki.corp.internal'], sent: 'a=1' },
  { set: ['a=1; Domain=WIKI.Corp.INTERNAL'], sent: 'a=1' },
  { set: ['a=1; Domain=corp.internal'], sent: 'a=1' },
  { set: ['a=1; Domain=wiki.apps.localhost'], sent: 'a=1' },
  { set: ['a=1; Domain='], sent: 'a=1' },
  { set: ['a=1; Domain=mail.corp.internal'], sent: '' },
  { set: ['a=1; Domain=x.wiki.corp.internal'], sent: '' },
  { set: ['a=1; Domain=evil.example'], sent: '' },
  { set: ['a=1; Domain=iki.corp.internal'], sent: '' },
  { set: ['a=1; Domain=shell.apps.localhost'], sent: '' },
  { set: ['a=1; Domain=mail.apps.localhost'], sent: '' },
  { set: ['a=1; Domain=evil.example; Domain=wiki.corp.internal'], sent: 'a=1' },
]);

section('prefixes', [
  { set: ['__Secure-a=1; Secure'], sent: '__Secure-a=1' },
  { set: ['__Secure-a=1'], sent: '' },
  { set: ['__SeCuRe-a=1'], sent: '' },
  { set: ['__secure-a=1; Secure'], sent: '__secure-a=1' },
  { set: ['__Host-a=1; Secure; Path=/'], sent: '__Host-a=1' },
  { set: ['__Host-a=1; Path=/'], sent: '' },
  { set: ['__Host-a=1; Secure'], sent: '' },
  { set: ['__Host-a=1; Secure; Path=/x'], sent: '', to: at('/x') },
  { set: ['__Host-a=1; Secure; Path=/; Domain=wiki.corp.internal'], sent: '' },
  { set: ['__HOST-a=1; Path=/'], sent: '' },
  { set: ['__host-a=1; Secure; Path=/; Domain=wiki.corp.internal'], sent: '' },
  { set: ['=__Secure-a=1'], sent: '' },
  { set: ['=__Host-a=1; Secure; Path=/'], sent: '' },
  { set: ['__Host-a'], sent: '' },
  { set: ['__Hosta=1'], sent: '__Hosta=1' },
]);

const year = new Date().getUTCFullYear();
section('expiry', [
  { set: ['a=1; Max-Age=60'], sent: 'a=1' },
  { set: ['a=1; Max-Age=0'], sent: '' },
  { set: ['a=1; Max-Age=-1'], sent: '' },
  { set: ['a=1', 'a=2; Max-Age=0'], sent: '' },
  { set: ['a=1', 'a=; Max-Age=0; Path=/x'], sent: 'a=1' },
  { set: ['a=1; Max-Age=x'], sent: 'a=1' },
  { set: ['a=1; Max-Age='], sent: 'a=1' },
  { set: ['a=1; Max-Age=60; Max-Age=0'], sent: '' },
  { set: ['a=1; Max-Age=0; Max-Age=60'], sent: 'a=1' },
  { set: ['a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], sent: 'a=1' },
  { set: [`a=1; Max-Age=0; Expires=Fri, 31 Dec ${year + 1} 00:00:00 GMT`], sent: '' },
  { set: ['a=1; Max-Age=99999999999999'], sent: 'a=1' },
  { set: ['a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], sent: '' },
  { set: [`a=1; Expires=Fri, 31 Dec ${year + 1} 23:59:59 GMT`], sent: 'a=1' },
  { set: [`a=1; Expires=Friday, 31-Dec-${year + 1} 23:59:59 GMT`], sent: 'a=1' },
  { set: [`a=1; Expires=Fri Dec 31 23:59:59 ${year + 1}`], sent: 'a=1' },
  { set: ['a=1; Expires=Wednesday, 09-Nov-99 23:12:40 GMT'], sent: '' },
  { set: ['a=1; Expires=nonsense'], sent: 'a=1' },
  { set: ['a=1; Expires='], sent: 'a=1' },
  { set: [`a=1; Expires=Thu, 32 Jan ${year - 1} 00:00:00 GMT`], sent: 'a=1' },
]);

const cross: Partial<CookieRequest> = { site: 'cross-site' };
const crossFetch: Partial<CookieRequest> = { ...cross, mode: 'no-cors' };
const crossForm: Partial<CookieRequest> = { ...cross, method: 'POST' };
section('SameSite', [
  { set: ['a=1; SameSite=Strict'], sent: 'a=1' },
  { set: ['a=1; SameSite=Strict'], sent: '', to: cross },
  { set: ['a=1; SameSite=Strict'], sent: 'a=1', to: { site: 'none' } },
  { set: ['a=1; SameSite=Lax'], sent: 'a=1', to: cross },
  { set: ['a=1; SameSite=Lax'], sent: '', to: crossForm },
  { set: ['a=1; SameSite=Lax'], sent: '', to: crossFetch },
  { set: ['a=1; SameSite=None; Secure'], sent: 'a=1', to: crossFetch },
  { set: ['a=1; SameSite=None; Secure'], sent: 'a=1', to: crossForm },
  { set: ['a=1; SameSite=None'], sent: '' },
  { set: ['a=1; SameSite=sTrIcT'], sent: '', to: cross },
  { set: ['a=1; SameSite=Strict; SameSite=None; Secure'], sent: 'a=1', to: crossForm },
  { set: ['a=1'], sent: 'a=1', to: cross },
  { set: ['a=1'], sent: '', to: crossFetch },
  { set: ['a=1'], sent: 'a=1', to: crossForm },
  { set: ['a=1; SameSite=unknown'], sent: '', to: crossFetch },
  { set: ['a=1; SameSite'], sent: 'a=1' },
  { set: ['a=1; SameSite=Strict'], sent: 'a=1', from: cross },
  { set: ['a=1; SameSite=Strict'], sent: 'a=1', from: crossForm },
  { set: ['a=1; SameSite=Strict'], sent: '', from: crossFetch },
  { set: ['a=1; SameSite=Lax'], sent: '', from: crossFetch },
  { set: ['a=1; SameSite=None; Secure'], sent: 'a=1', from: crossFetch },
]);

section('size', [
  { set: [`a=${x(4_095)}`], sent: `a=${x(4_095)}` },
  { set: [`a=${x(4_096)}`], sent: '' },
  { set: [`${x(4_096)}=`], sent: `${x(4_096)}=` },
  { set: [`${x(4_097)}=`], sent: '' },
  { set: [`a=${x(4_095)}; Path=/${x(1_000)}; HttpOnly`], sent: `a=${x(4_095)}`, to: at(`/${x(1_000)}`) },
  { set: [`a=1; Path=/${x(1_023)}`], sent: 'a=1', to: at(`/${x(1_023)}`) },
  { set: [`a=1; Path=/${x(1_024)}`], sent: 'a=1' },
  { set: [`a=1; Domain=${x(1_025)}.example`], sent: 'a=1' },
  { set: [`a=1; b=${x(2_000)}`], sent: 'a=1' },
]);

section('Secure and Partitioned', [
  { set: ['a=1; Secure'], sent: 'a=1' },
  { set: ['a=1; Secure=false'], sent: 'a=1' },
  { set: ['a=1; Secure; Partitioned'], sent: 'a=1' },
  { set: ['a=1; SameSite=None; Secure; Path=/; Partitioned'], sent: 'a=1' },
  { set: ['a=1; Partitioned'], sent: '' },
  { set: ['a=1; partitioned'], sent: '' },
  { set: ['__Host-a=1; Secure; Path=/; Partitioned'], sent: '__Host-a=1' },
]);

test('app-access: nothing is kept for longer than 400 days', () => {
  const days = (line: string) => {
    const [mirrored = ''] = new ServiceJar().store([line], asked(), hosts);
    return Number(/Max-Age=(\d+)/.exec(mirrored)?.[1]) / 86_400;
  };
  assert.equal(days('a=1; Max-Age=99999999999'), 400);
  assert.equal(Math.round(days(`a=1; Expires=Fri, 31 Dec ${year + 20} 23:59:59 GMT`)), 400);
  assert.equal(days('a=1; Max-Age=86400'), 1);
});

after(() => {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  console.log(`RFC 6265bis: ${total} rows: ${[...counts].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  assert.ok(total >= 130);
});
