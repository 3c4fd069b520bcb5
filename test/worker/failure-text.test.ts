/** Every code that can end a request or a tunnel has words for the person who meets it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeCode, streamCode } from '../../protocol/codes.ts';
import { refusal, refusals } from '../../web/shell/refusal-text.ts';
import { contactAddress } from '../../worker/contact.ts';
import { failurePage } from '../../worker/sw/failure-page.ts';
import { failures, sentencesOf } from '../../worker/sw/failure-text.ts';

const isSentence = (text: string) => /^\p{Lu}[^<>]{8,}[.?]$/u.test(text);

test('BR-11: every stream code of the protocol is a page with what, why and what to do', () => {
  const codes = Object.keys(streamCode);
  assert.ok(codes.length >= 13);
  for (const code of codes) {
    assert.ok(Object.hasOwn(failures, code), `no text for ${code}`);
    const { what, why, next, status } = sentencesOf(code);
    assert.ok(status >= 400 && status < 600, code);
    assert.ok(what.length > 8 && isSentence(why) && isSentence(next), code);
  }
});

test('BR-11: every close code of the protocol is a panel with what, why and what to do', () => {
  const codes = Object.keys(closeCode);
  assert.ok(codes.length >= 18);
  for (const code of codes) {
    assert.ok(Object.hasOwn(refusals, code), `no text for ${code}`);
    const { heading, sentence } = refusal(code);
    assert.ok(heading.length > 8 && isSentence(sentence), code);
  }
});

test('a code nobody knows, and a name that every object has, get the common words', () => {
  for (const code of ['made_up', 'constructor', '__proto__']) {
    assert.equal(sentencesOf(code), failures.internal);
    assert.equal(refusal(code).heading, 'The tunnel was refused');
  }
});

const page = {
  code: 'denied',
  correlation: 'f3a9c1d2',
  again: undefined,
  hub: 'https://hub.corp.example/',
  contact: '',
};

test('BR-11: a failure page names the contact, the id and a way on, and takes nothing of them for markup', async () => {
  const hostile = { ...page, code: '<b>', correlation: '"><script>', contact: '<img src=x> help@corp.example & co' };
  const body = await failurePage({ ...hostile, again: '/a?"><script>' }).text();
  assert.doesNotMatch(body, /<b>|<img|"><script>/);
  assert.match(body, /href="mailto:help@corp\.example"/);
  assert.match(body, /href="https:\/\/hub\.corp\.example\/" target="_top">Go to the hub/);
  const plain = await failurePage(page).text();
  assert.match(plain, /<code>f3a9c1d2<\/code>/);
  assert.doesNotMatch(plain, /Help:|Try again<\/a>/);
});

for (const [text, href] of [
  ['Platform team, help@corp.example, extension 2214', 'mailto:help@corp.example'],
  ['https://status.corp.example/ask. Or the desk', 'https://status.corp.example/ask'],
  ['extension 2214', undefined],
  ['javascript:alert(1)', undefined],
  ['http://plain.example', undefined],
] as const) {
  test(`BR-11: the contact "${text}" leads ${href === undefined ? 'nowhere' : `to ${href}`}`, () => {
    assert.equal(contactAddress(text)?.href, href);
  });
}
