import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stylesheet, withFiles } from '../../worker/shim/stylesheet-files.ts';

const own = 'https://depot.example';
Object.assign(globalThis, { origin: own });

/** @returns the sheet as it is made, and what was fetched for it. What is made of a file is named by how often that was done. */
async function made(text: string, files: Readonly<Record<string, string>> = {}): Promise<[string, string[]]> {
  const fetched: string[] = [];
  let count = 0;
  const sheet = await withFiles(new Blob([text]), `${own}/style/first.css`, {
    fetchFile: async (address, type = /^/) => {
      const path = address.slice(own.length);
      fetched.push(path);
      const file = new Blob([files[path] ?? ''], { type: path.endsWith('.css') ? 'text/css' : 'image/png' });
      if (!(path in files) || !type.test(file.type)) throw new Error('none');
      return file;
    },
    make: () => {
      count += 1;
      return `blob:${count}`;
    },
  });
  assert.match(sheet.type, stylesheet);
  return [await sheet.text(), fetched];
}

test('app-access: bypass leaks: a stylesheet names what was made of its files, and keeps what could not be had', async () => {
  const text = '@import "a.css" screen; p { background: URL( /p.png#f ), url(\'/p.png\'); src: url(none.woff) }';
  assert.deepEqual(await made(text, { '/style/a.css': '', '/p.png': '' }), [
    '@import url("blob:2") screen; p { background: url("blob:1#f"), url("blob:1"); src: url("https://depot.example/style/none.woff") }',
    ['/style/a.css', '/p.png', '/style/none.woff'],
  ]);
});

test('app-access: bypass leaks: a stylesheet keeps places in the page, data, and addresses that could end a string', async () => {
  for (const kept of [
    'p { fill: url(#grad); mask: url("#m") }',
    'p { background: url(data:image/png,x) }',
    `p { background: url('foo:a"b') }`,
    'p { background: url("a\\"b.png") }',
    'p { background: url() }',
  ])
    assert.deepEqual(await made(kept), [kept, []]);
  const elsewhere = await made('p { background: url(//cdn.example/p.png) }');
  assert.deepEqual(elsewhere, ['p { background: url("https://cdn.example/p.png") }', []]);
});

test('app-access: bypass leaks: comments and strings of a stylesheet name nothing', async () => {
  for (const kept of [
    '/* url(/p.png) */ p { content: "url(/p.png)" }',
    `p { content: 'it\\'s url(/p.png)'; quotes: "/*" "*/" }`,
  ])
    assert.deepEqual(await made(kept, { '/p.png': '' }), [kept, []]);
});

test('app-access: bypass leaks: stylesheets that import each other end', async () => {
  const files = {
    '/style/a.css': '@import "b.css";@import "first.css"',
    '/style/b.css': '@import "a.css";@import "b.css"',
  };
  assert.deepEqual(await made('@import "a.css"', files), ['@import url("blob:2")', ['/style/a.css', '/style/b.css']]);
});

test('app-access: bypass leaks: what is imported has to be a stylesheet', async () => {
  const [text] = await made('@import "p.png";', { '/style/p.png': '' });
  assert.equal(text, '@import url("https://depot.example/style/p.png");');
});
