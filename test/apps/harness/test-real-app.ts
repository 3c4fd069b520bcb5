/** The tests of one real app: visited twice, compared in everything a person, a script or the app itself could see. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RealApp } from './app.ts';
import { cookies, documents, doms, headers, insertion, messages, newErrors, type Pair, requests } from './compare.ts';
import { whatIsMissing } from './needs.ts';
import { difference } from './screenshots.ts';
import { type Both, visitBoth } from './visit.ts';

const defaultPixels = 0.002;
/** A difference of thousands of lines says no more than its beginning. */
const shownLines = 40;

export function testRealApp(app: RealApp): void {
  const missing = whatIsMissing(app.name);
  if (missing !== undefined) console.log(`${app.name}: ${missing} is missing, so it is not tested`);
  const options = missing === undefined ? {} : { skip: `${missing} is missing` };
  let visited: Both | undefined;
  const visits = () => visited ?? assert.fail('the person did not come to the end');

  test(`BR-1: in ${app.name} a person does the same through Latchkey as directly`, options, async () => {
    visited = await visitBoth(app);
    keep(app, visited);
  });
  test(`BR-1: ${app.name} shows the same documents`, options, () => same(doms(visits(), app)));
  test(`BR-1: a document of ${app.name} is the service's to the byte, but for one tag`, options, () => {
    const compared = documents(visits().tunnel);
    assert.ok(compared.length > 0, `no document was compared; not read: ${visits().tunnel.unread.join(', ')}`);
    for (const { target, got, given } of compared)
      assert.match(
        insertion(got, given) ?? `more has changed in ${target}`,
        /^<script[^>]*>(?:(?!<\/script)[\s\S])*<\/script>$/,
      );
  });
  test(`BR-1: ${app.name} reports no error that it does not report directly`, options, () => {
    assert.deepEqual(newErrors(visits(), app), []);
  });
  test(`BR-1: ${app.name} is asked the same`, options, () => same(requests(visits(), app)));
  test(`BR-1: ${app.name} hears the same headers`, options, () => same(headers(visits(), app)));
  test(`BR-1: ${app.name} and its pages have the same cookies`, options, () => same(cookies(visits(), app)));
  test(`BR-1: ${app.name} exchanges the same WebSocket messages`, options, () => same(messages(visits(), app)));
  test(`BR-1: ${app.name} looks the same`, options, async () => {
    const { direct, tunnel } = visits();
    assert.ok(direct.looks.length > 0, 'nothing was looked at');
    for (const [i, { name, png }] of direct.looks.entries()) {
      const { share, picture } = await difference(png, tunnel.looks[i]!.png);
      writeKept(app, `${name}-difference.png`, picture);
      assert.ok(share <= (app.pixels ?? defaultPixels), `${name}: ${(100 * share).toFixed(2)} % of the pixels differ`);
    }
  });
}

/** Equal line by line; shows only those that are on one side. */
function same({ direct, tunnel }: Pair): void {
  if (direct.length === tunnel.length && direct.every((line, i) => line === tunnel[i])) return;
  const [here, there] = [new Set(direct), new Set(tunnel)];
  const lines = [
    ...direct
      .filter((line) => !there.has(line))
      .map((line) => `- ${line}`)
      .slice(0, shownLines),
    ...tunnel
      .filter((line) => !here.has(line))
      .map((line) => `+ ${line}`)
      .slice(0, shownLines),
  ].map((line) => line.slice(0, 400));
  assert.fail(
    `- directly, + through Latchkey:\n${lines.length > 0 ? lines.join('\n') : 'the same lines in another order or number'}`,
  );
}

/** Where `LATCHKEY_APPS_OUTPUT` says, what was seen is kept for whoever has to find out why. */
function keep(app: RealApp, visits: Both): void {
  for (const side of ['direct', 'tunnel'] as const) {
    for (const { name, png, dom } of visits[side].looks) {
      writeKept(app, `${name}-${side}.png`, png);
      writeKept(app, `${name}-${side}.html`, dom);
    }
    const { errors, recording } = visits[side];
    writeKept(app, `${side}.json`, JSON.stringify({ errors, ...recording }, null, 1));
  }
}

function writeKept(app: RealApp, file: string, content: string | Buffer): void {
  const output = process.env['LATCHKEY_APPS_OUTPUT'];
  if (output === undefined) return;
  mkdirSync(join(output, app.name), { recursive: true });
  writeFileSync(join(output, app.name, file), content);
}
