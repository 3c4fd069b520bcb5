/** The memory of an EventSource that Chromium does not tell a service worker about. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../../protocol/bytes.ts';
import { EventStream } from '../../../worker/sw/event-stream.ts';

const source = (url: string, accept = 'text/event-stream', cache: RequestCache = 'no-store') =>
  new Request(`http://wiki.apps.localhost${url}`, { headers: { accept }, cache });

/** The id that the next source of this address would be given, after a stream that said all this and ended so. */
function idAfter(url: string, pieces: readonly string[], isClosed = false): string | undefined {
  const stream = EventStream.of(source(url), 'page');
  for (const piece of pieces) stream?.push(utf8(piece));
  stream?.over(isClosed);
  return EventStream.of(source(url), 'page')?.lastId;
}

for (const [what, pieces, expected] of [
  ['the id of the last event', ['id: 1\ndata: a\n\nid: 2\ndata: b\n\n'], '2'],
  ['split at every byte', [...'id: 12\r\ndata: a\r\n\r\n'], '12'],
  ['an event without an id keeps the one before', ['id: 1\ndata: a\n\ndata: b\n\n'], '1'],
  ['an event that was cut does not count', ['id: 1\ndata: a\n\nid: 2\ndata: b\n'], '1'],
  ['an empty id forgets it', ['id: 1\n\nid\n\n'], ''],
  ['no id with a NUL', ['id: 1\n\nid: a\0b\n\n'], '1'],
  ['no id at all', ['data: a\n\n'], ''],
  ['only one blank is taken off', ['id:  x\n\n'], ' x'],
  ['what looks like one', ['ids: 3\ndata: id: 4\n\n'], ''],
] as const) {
  test(`BR-1: a source that comes again tells ${what}`, () => {
    assert.equal(idAfter(`/${what}`, pieces), expected);
  });
}

test('BR-1: a source that its page closed is forgotten, and so is one that was told', () => {
  assert.equal(idAfter('/closed', ['id: 1\n\n'], true), '');
  assert.equal(idAfter('/once', ['id: 1\n\n']), '1');
  assert.equal(EventStream.of(source('/once'), 'page')?.lastId, '');
});

test('BR-1: pages and addresses do not share what they had, and other requests have nothing', () => {
  idAfter('/other', []);
  const stream = EventStream.of(source('/mine'), 'page');
  stream?.push(utf8('id: 7\n\n'));
  stream?.over(false);
  assert.equal(EventStream.of(source('/mine'), 'another page')?.lastId, '');
  assert.equal(EventStream.of(source('/mine?x'), 'page')?.lastId, '');
  assert.equal(EventStream.of(source('/mine', '*/*'), 'page'), undefined);
  assert.equal(EventStream.of(source('/mine', 'text/event-stream', 'default'), 'page'), undefined, 'a fetch');
  assert.equal(EventStream.of(source('/mine'), 'page')?.lastId, '7');
});

for (const [type, isOne] of [
  ['text/event-stream', true],
  ['Text/Event-Stream ; charset=utf-8', true],
  ['text/event-streams', false],
  ['text/html', false],
] as const)
  test(`BR-6: an answer of ${type} ${isOne ? 'ends where it breaks off' : 'is cut where it breaks off'}`, () => {
    const stream = EventStream.of(source('/typed'), 'page');
    assert.equal(stream?.isAnsweredBy([['Content-Type', type]]), isOne);
    assert.equal(stream?.isAnsweredBy([['x-content-type', type]]), false);
  });

test('an address whose server says nothing is remembered no more than 256 others', () => {
  for (let n = 0; n < 300; n += 1) {
    const stream = EventStream.of(source(`/many/${n}`), 'page');
    stream?.push(utf8('id: 1\n\n'));
    stream?.over(false);
  }
  const known = Array.from({ length: 300 }, (_, n) => EventStream.of(source(`/many/${n}`), 'page')?.lastId === '1');
  assert.equal(known.filter(Boolean).length, 256);
});
