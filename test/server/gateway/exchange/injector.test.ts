import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Injector } from '../../../../server/gateway/exchange/injector.ts';

const element = '<script src="/.latchkey/shim.js"></script>';

type Encoding = 'latin1' | 'utf16le' | 'utf16be';

function encode(text: string, encoding: Encoding): Buffer {
  return encoding === 'utf16be' ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text, encoding);
}

function run(document: Uint8Array, contentType: string, ...splits: number[]): Buffer {
  const injector = new Injector(element, contentType);
  const edges = [0, ...splits, document.length];
  const parts = edges.slice(1).map((end, i) => injector.push(document.subarray(edges[i], end)));
  return Buffer.concat([...parts, injector.finish()]);
}

/** `^` is where the element belongs; a page without it gets none. */
const pages: [name: string, page: string][] = [
  ['a plain page', '<!DOCTYPE html><html><head>^<title>x</title></head><body>y</body></html>'],
  ['attributes with a greater-than sign in quotes', '<html a="x>y" b=\'<head>\'><head c=">">^<meta></head>'],
  ['capital letters and blanks', '<HTML\n lang=en ><HEAD\t>^<base href="/">'],
  ['no head: before the first element', '<!doctype html><html lang=en>^<title>x</title>'],
  ['nothing but a body', 'text first ^<p>one<p>two'],
  ['a head inside a comment', '<!-- <head> --><html><head>^'],
  ['a comment that ends with --!>', '<!-- a --!><html><head>^'],
  ['an abrupt comment', '<!--><head>^<title>'],
  ['another abrupt comment', '<!---><head>^<title>'],
  ['dashes in a comment', '<!-- a -- b --- c -><head>--><head>^'],
  ['a doctype with identifiers', '<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://x/"><html><head>^'],
  ['an XML declaration', '<?xml version="1.0"?><html><head>^'],
  ['a bogus comment', '<!ELEMENT x><![CDATA[ <head ]]><html><head>^'],
  ['an end tag before everything', '</p a=">"><html></head ><head>^'],
  ['an end tag with a name of any length', `</${'x'.repeat(300)}><head>^`],
  ['lone less-than signs', '< a << b <3 ^<b>'],
  ['a header element is not a head', '<html>^<header>'],
  ['a name that only begins like html', '^<htm>'],
  ['a quote in an attribute name', '<html a"b><head>^'],
  ['an equals sign where a name begins', '<html ="><head>^'],
  ['an unquoted value', '<html a=b/c"d><head x=y>^'],
  ['a value that is missing', '<html a=><head>^'],
  ['a self-closing head', '<html/><head/>^<p>'],
  ['a script first', '<!doctype html>^<script>go()</script>'],
  ['bytes above ASCII', '<!-- \xe9\xff --><html><head>^\xe4\xf6'],
  ['no element at all', 'only text & an unfinished <hea'],
  ['a text that ends in an open comment', '<!-- <head>'],
  ['text alone, as scripts read it', '<!doctype html> { "uploaded": true }'],
  ['text that looks like a tag', '<!doctype html><3'],
  ['an empty document', '^'],
  ['a page that is there to be filled', ' <!doctype html>\n<!-- blank -->\n^'],
  ['another one', '<html>\n</html>^'],
];

for (const [name, page] of pages)
  test(`BR-1: puts the shim into the right place: ${name}`, () => {
    const document = Buffer.from(page.replace('^', ''), 'latin1');
    const expected = page.replace('^', element);
    for (let split = 0; split <= document.length; split++)
      assert.equal(run(document, 'text/html', split).toString('latin1'), expected, `split at ${split}`);
    const everyByte = Array.from({ length: document.length }, (_, i) => i);
    assert.equal(run(document, 'text/html', ...everyByte).toString('latin1'), expected, 'byte by byte');
  });

const page = '<!DOCTYPE html><html title="\u2603 > \u3042"><head>^<title>\u3c00\u003c</title></head>';
const wide: [name: string, mark: string, type: string, encoding: Encoding][] = [
  ['little-endian by its mark', '\ufeff', 'text/html', 'utf16le'],
  ['big-endian by its mark', '\ufeff', 'text/html', 'utf16be'],
  ['little-endian by the header', '', 'text/html; charset="UTF-16LE"', 'utf16le'],
  ['big-endian by the header', '', 'text/html;charset=utf-16be', 'utf16be'],
  ['the mark overrides the header', '\ufeff', 'text/html; charset=utf-8', 'utf16be'],
];

for (const [name, mark, type, encoding] of wide)
  test(`BR-1: writes the shim in the document's own encoding: UTF-16 ${name}`, () => {
    const document = encode(mark + page.replace('^', ''), encoding);
    const expected = encode(mark + page.replace('^', element), encoding).toString('hex');
    for (let split = 0; split <= document.length; split++)
      assert.equal(run(document, type, split).toString('hex'), expected, `split at ${split}`);
    assert.equal(
      run(document, type, ...Array.from({ length: document.length }, (_, i) => i)).toString('hex'),
      expected,
    );
  });

test('BR-1: leaves a UTF-8 mark and Shift_JIS bytes as they are', () => {
  const marked = Buffer.from('\ufeff<html><head></head>', 'utf8');
  assert.equal(run(marked, 'text/html', 1, 2).toString('utf8'), `\ufeff<html><head>${element}</head>`);
  const japanese = Buffer.concat([
    Buffer.from('<html><head><title>'),
    Buffer.from([0x83, 0x5c, 0x95, 0x5c]),
    Buffer.from('</title>'),
  ]);
  const result = run(japanese, 'text/html; charset=shift_jis');
  assert.deepEqual(result.subarray(-12), japanese.subarray(-12));
  assert.equal(result.length, japanese.length + element.length);
});

test('BR-1: gives XHTML the shim in a real head only', () => {
  const type = 'application/xhtml+xml';
  const plain = Buffer.from(
    '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head></html>',
  );
  assert.match(run(plain, type).toString(), /<head><script src="\/\.latchkey\/shim\.js"><\/script><title\/>/);
  const prefixed = Buffer.from('<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:head/></h:html>');
  assert.deepEqual(run(prefixed, type, 3), prefixed);
});

/** What the service does not name, a browser may still find to be a page (MIME Sniffing, section 7.1). */
const unnamed: [name: string, page: string][] = [
  ['a doctype', '\n <!DOCTYPE html><html><head>^<title>x'],
  ['a comment first', '<!-- x --><html><head>^'],
  ['a paragraph', '^<p>text'],
  ['a name that only begins like one', '<!doctypes html><html><head>'],
  ['a longer name', '<pre><head>'],
  ['text', 'plain <html><head>'],
  ['JSON', '{"a":"<html><head>"}'],
  ['blanks', ' \n\t'],
  ['half of a tag', '<!doctype ht'],
];

for (const [name, page] of unnamed)
  test(`BR-1: gives the shim to what a browser finds to be a page, and to nothing else: ${name}`, () => {
    const document = Buffer.from(page.replace('^', ''), 'latin1');
    for (const type of ['', '*/*', 'application/unknown'])
      for (let split = 0; split <= document.length; split++)
        assert.equal(run(document, type, split).toString('latin1'), page.replace('^', element), `${type}, at ${split}`);
  });

test('app-access: what says no type is held back no longer than a browser looks at it', () => {
  const injector = new Injector('<s></s>', '');
  assert.equal(injector.push(new Uint8Array(1_444).fill(0x20)).length, 0);
  assert.equal(injector.push(new Uint8Array(2).fill(0x20)).length, 1_446);
  assert.equal(injector.push(encode('<html>', 'latin1')).length, 6, 'text to a browser');
});
