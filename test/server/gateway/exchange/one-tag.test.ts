/** The one change made to a page: every encoding and coding the web uses, every byte of `<head>`, a large real page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { decode } from '../../../../server/gateway/exchange/content-coding.ts';
import { ServiceJar } from '../../../../server/gateway/exchange/cookie-jar.ts';
import type { Header } from '../../../../server/gateway/exchange/headers.ts';
import { Injector } from '../../../../server/gateway/exchange/injector.ts';
import { type ResponsePlan, translateResponse } from '../../../../server/gateway/exchange/response-rules.ts';
import { asked, context, shim } from './support.ts';

const element = '<script src="/.latchkey/shim.js"></script>';

function planOf(headers: Header[]): ResponsePlan {
  return translateResponse({ status: 200, headers }, asked(), context, new ServiceJar(), shim);
}

async function* chunksOf(bytes: Uint8Array, edges: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const to of [...edges, bytes.length]) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

/** As the bridge does it: decoded where the plan says so, injected, joined. */
async function carried(bytes: Uint8Array, headers: Header[], edges: readonly number[] = []): Promise<Buffer> {
  const plan = planOf(headers);
  const source = chunksOf(bytes, edges);
  const plain = plan.decode.length > 0 ? decode(source, plan.decode) : source;
  const injector = plan.inject && new Injector(plan.inject.element, plan.inject.contentType);
  const parts: Uint8Array[] = [];
  for await (const chunk of plain) parts.push(injector?.push(chunk) ?? chunk);
  return Buffer.concat([...parts, injector?.finish() ?? new Uint8Array()]);
}

/** Where the tag was put, when nothing else is different. */
function placeOfTag(before: Buffer, after: Buffer, tag: Buffer): number {
  assert.equal(after.length, before.length + tag.length);
  const at = after.indexOf(tag);
  assert.ok(at >= 0, 'the tag is there');
  assert.ok(Buffer.concat([after.subarray(0, at), after.subarray(at + tag.length)]).equals(before), 'and nothing else');
  return at;
}

const utf16 = (text: string, big: boolean): Buffer =>
  big ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text, 'utf16le');
const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
const head = '<!DOCTYPE html>\n<html lang="ja"><head data-x="a>b">';
const rest = '<meta charset="x"><title>t</title></head><body>y</body></html>';
/** Shift_JIS trail bytes run from 0x40 and so take in letters, `[` and `\`, but never `<` or `>`: 83 5c is KATAKANA SO. */
const shiftJis = latin('\x83\x5c\x95\x5c\x8a\x47\x83\x41');

const encodings: [name: string, type: string, before: Buffer, after: Buffer, tag: Buffer][] = [
  [
    'UTF-8',
    'text/html; charset=utf-8',
    Buffer.from(`<!-- \u6f22 -->${head}`),
    Buffer.from(`\u2603${rest}`),
    latin(element),
  ],
  ['UTF-8 with a mark', 'text/html', Buffer.from(`\ufeff${head}`), Buffer.from(rest), latin(element)],
  [
    'ISO-8859-1',
    'text/html; charset=ISO-8859-1',
    latin(`<!-- \xe9\xff -->${head}`),
    latin(`\xe4${rest}`),
    latin(element),
  ],
  [
    'Shift_JIS',
    'text/html; charset=Shift_JIS',
    Buffer.concat([latin('<!-- '), shiftJis, latin(` -->${head}`)]),
    Buffer.concat([shiftJis, latin(rest)]),
    latin(element),
  ],
  ['EUC-JP, said by the page alone', 'text/html', latin(`<!-- \xa4\xa2 -->${head}`), latin(rest), latin(element)],
  [
    'UTF-16LE with a mark',
    'text/html',
    utf16(`\ufeff${head}`, false),
    utf16(`\u3c3e${rest}`, false),
    utf16(element, false),
  ],
  [
    'UTF-16BE with a mark',
    'text/html',
    utf16(`\ufeff${head}`, true),
    utf16(`\u3c3e${rest}`, true),
    utf16(element, true),
  ],
  [
    'UTF-16LE by its header',
    'text/html; charset="utf-16le"',
    utf16(head, false),
    utf16(rest, false),
    utf16(element, false),
  ],
  ['UTF-16BE by its header', 'text/html;charset=UTF-16BE', utf16(head, true), utf16(rest, true), utf16(element, true)],
];

for (const [name, type, before, after, tag] of encodings)
  test(`app-access: the one tag in a page of ${name}, split at every byte`, async () => {
    const page = Buffer.concat([before, after]);
    const headers: Header[] = [['content-type', type]];
    for (let edge = 0; edge <= page.length; edge++)
      assert.equal(placeOfTag(page, await carried(page, headers, [edge]), tag), before.length, `split at ${edge}`);
    const every = Array.from({ length: page.length }, (_, i) => i);
    assert.equal(placeOfTag(page, await carried(page, headers, every), tag), before.length);
  });

const codings: [name: string, code: (bytes: Buffer) => Buffer][] = [
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['deflate', deflateSync],
];
for (const [coding, code] of codings)
  test(`app-access: the one tag in a page that came as ${coding}, split at every byte`, async () => {
    const page = Buffer.from(head + rest);
    const coded = code(page);
    const headers: Header[] = [
      ['content-type', 'text/html; charset=utf-8'],
      ['content-encoding', coding],
    ];
    for (let edge = 0; edge <= coded.length; edge++)
      assert.equal(placeOfTag(page, await carried(coded, headers, [edge]), latin(element)), head.length);
    for (const wide of [utf16(`\ufeff${head}${rest}`, false)])
      placeOfTag(wide, await carried(code(wide), headers), utf16(element, false));
  });

test("app-access: TiddlyWiki's own document, 2.7 MB, differs by the one tag and by nothing else", async () => {
  const core = new URL('../../../../node_modules/tiddlywiki/', import.meta.url);
  const { TiddlyWiki } = await import(new URL('boot/boot.js', core).href).then((module) => module.default);
  const wiki = TiddlyWiki();
  wiki.boot.argv = [new URL('editions/empty', core).pathname, '--version'];
  const printed = console.log;
  console.log = () => undefined;
  try {
    await new Promise<void>((resolve) => wiki.boot.boot(resolve));
  } finally {
    console.log = printed;
  }
  const page = Buffer.from(wiki.wiki.renderTiddler('text/plain', '$:/core/save/all'));
  assert.ok(page.length > 2_500_000, `${page.length} bytes`);
  const headers: Header[] = [['content-type', 'text/html;charset=UTF-8']];
  const start = page.indexOf('<head>') + '<head>'.length;
  for (const size of [1_000, 16_384, page.length]) {
    const edges = Array.from({ length: Math.ceil(page.length / size) - 1 }, (_, i) => (i + 1) * size);
    assert.equal(placeOfTag(page, await carried(page, headers, edges), latin(element)), start, `pieces of ${size}`);
  }
  const gzip: Header[] = [...headers, ['content-encoding', 'gzip']];
  assert.equal(placeOfTag(page, await carried(gzipSync(page), gzip), latin(element)), start);
});

/** `^` is where the tag belongs: before everything that could run, load, or say what may run. */
const first: [name: string, page: string][] = [
  [
    'a meta policy that forbids it comes after it',
    `<head>^<meta http-equiv="Content-Security-Policy" content="script-src 'none'"><title>x</title></head>`,
  ],
  [
    'a meta policy without a head',
    `<!doctype html>^<meta http-equiv=content-security-policy content="default-src 'self'"><p>x`,
  ],
  [
    'a meta policy after a comment',
    `<!-- c --><html><head><!-- c2 --><meta http-equiv="Content-Security-Policy" content="script-src 'self'">`.replace(
      '<head>',
      '<head>^',
    ),
  ],
  [
    'a base that points elsewhere comes after it',
    '<html><head>^<base href="https://elsewhere.example/"><script src="a.js"></script>',
  ],
  ['a meta charset first', '<!doctype html>^<meta charset="shift_jis"><title>x</title>'],
  ['a comment first', '<!-- <head> --><!doctype html><html><head>^<title>'],
  ['no head, a script first', '<!doctype html>^<script>first()</script>'],
];
for (const [name, page] of first)
  test(`app-access: the one tag comes first: ${name}`, async () => {
    const bytes = latin(page.replace('^', ''));
    assert.equal(
      placeOfTag(bytes, await carried(bytes, [['content-type', 'text/html']]), latin(element)),
      page.indexOf('^'),
    );
  });

test('app-access: a page that came in a coding nobody can undo is left alone', async () => {
  const bytes = latin('<html><head>');
  const headers: Header[] = [
    ['content-type', 'text/html'],
    ['content-encoding', 'compress'],
  ];
  assert.deepEqual(await carried(bytes, headers), bytes);
});
