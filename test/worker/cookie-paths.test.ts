import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sightCookie } from '../../worker/app-messages.ts';
import { cookiePath, notedPathOf, noteOf, withoutOwn } from '../../worker/shim/cookie-paths.ts';

const written: [line: string, page: string, path: string][] = [
  ['a=1; Path=/deep', '/', '/deep'],
  ['a=1;PATH = /deep/ ; Secure', '/', '/deep/'],
  ['a=1; path=/one; path=/two', '/', '/two'],
  ['a=1; path=/one; path=relative', '/folder/page', '/one'],
  ['a=1; path=', '/folder/page', '/folder'],
  ['path=/of-the-value', '/page', ''],
  ['a=1; path=/', '/folder/page', '/'],
  ['a=1', '/folder/', '/folder'],
  ['a=1', '/', ''],
];
for (const [line, page, path] of written)
  test(`QHX-6: the path of "${line}" on ${page} is ${path || 'that of all'}`, () => {
    assert.equal(cookiePath(line, page), path);
  });

const noted = ['/a', '/a/b', '/a/b/', '/a=b', '/a?b'].map((path) => noteOf(`a=1; path=${path}`, '/'));
const cookies = ['all=1', ...noted, sightCookie].map((line) => line?.split(';')[0]).join('; ');
const asked: [path: string, noted: string | undefined][] = [
  ['/', undefined],
  ['/a', '/a'],
  ['/ab', undefined],
  ['/a/x', '/a'],
  ['/a/b', '/a/b'],
  ['/a/bc', '/a'],
  ['/a/b/c', '/a/b/'],
  ['/a=b/x', '/a=b'],
  ['/a?b', undefined],
];
for (const [path, longest] of asked)
  test(`QHX-6: ${path} has the cookies of ${longest ?? 'the path / alone'}`, () => {
    assert.equal(notedPathOf(cookies, path), longest);
  });

test('QHX-6: what only looks like a note, as a sibling of the app may set one, changes nothing', () => {
  for (const odd of ['__latchkey_path_%=1', '__latchkey_path_%ff=1', '__latchkey_path_=1'])
    assert.equal(notedPathOf(`${odd}; ${cookies}`, '/a/x'), '/a');
});

test('QHX-6: what Latchkey notes is told to no service, and of the path / it notes nothing', () => {
  assert.equal(withoutOwn(cookies), 'all=1');
  for (const line of ['a=1', 'a=1; path=/']) assert.equal(noteOf(line, '/page'), undefined);
});
