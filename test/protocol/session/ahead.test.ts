/** What an opener says ahead of the answer to OPEN: it saves a round trip and gives nobody more than an open stream would. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8, utf8Decode } from '../../../protocol/bytes.ts';
import type { StreamKind } from '../../../protocol/codes.ts';
import { initialCreditBytes } from '../../../protocol/limits.ts';
import { recordKind } from '../../../protocol/record.ts';
import { encodeOpen } from '../../../protocol/stream-messages.ts';
import { settled } from '../../support/fake-clock.ts';
import { newPair, newRawPeer, readAll } from './pair.ts';

const none = new Uint8Array(0);
const one = Uint8Array.of(1);

test('all that an opener will say is there when its stream is accepted', async () => {
  const { client, gateway, incoming } = await newPair();
  const opening = client.open({ kind: 'http', service: 'wiki', whole: utf8('GET') });
  const asked = await incoming.next();
  await settled();
  const accepted = await asked.accept();
  assert.equal(accepted.buffered, 3);
  assert.equal(utf8Decode(await readAll(accepted)), 'GET');
  const stream = await opening;
  assert.deepEqual(stream.offsets, { received: 0, sent: 3 });
  await accepted.write(utf8('page'));
  await accepted.finish();
  assert.equal(utf8Decode(await readAll(stream)), 'page');
  await assert.rejects(stream.write(one), TypeError);
  await stream.closed;
  await settled();
  assert.deepEqual([client.stats().streams, gateway.stats().streams], [0, 0]);
});

test('as much as the first credit goes ahead, in order', async () => {
  const { client, incoming } = await newPair();
  const whole = Uint8Array.from({ length: initialCreditBytes }, (_, i) => i % 251);
  const opening = client.open({ kind: 'http', service: 'wiki', whole });
  assert.deepEqual(await readAll(await (await incoming.next()).accept()), whole);
  await opening;
});

test('what was said ahead is dropped with the refusal, and the session goes on', async () => {
  const { client, gateway, incoming, open } = await newPair();
  const opening = client.open({ kind: 'http', service: 'wiki', whole: new Uint8Array(100_000) });
  (await incoming.next()).refuse('denied', new Uint8Array(16));
  await assert.rejects(opening, { code: 'denied' });
  await settled();
  assert.deepEqual([client.stats().streams, gateway.stats().streams], [0, 0]);
  const stream = await open();
  await stream.client.write(one);
  assert.deepEqual(await stream.gateway.read(), one);
});

test('giving up tells a gateway that has heard it all', async () => {
  const { client, incoming } = await newPair();
  const giveUp = new AbortController();
  const opening = client.open({ kind: 'http', service: 'wiki', signal: giveUp.signal, whole: one });
  const asked = await incoming.next();
  giveUp.abort();
  await assert.rejects(opening, { code: 'cancelled' });
  await asked.closed;
  await assert.rejects(asked.accept(), { code: 'cancelled' });
});

for (const [what, kind, length] of [
  ['a datagram', 'udp', 1],
  ['more than the first credit', 'http', initialCreditBytes + 1],
] as const)
  test(`${what} does not go ahead`, async () => {
    const { client } = await newPair();
    await assert.rejects(client.open({ kind, service: 'wiki', whole: new Uint8Array(length) }), TypeError);
    assert.equal(client.stats().streams, 0);
  });

/** What a client says to a gateway that has not answered yet. */
const wrong: [what: string, code: string, kind: StreamKind, records: [kind: number, content: Uint8Array][]][] = [
  [
    'more than its credit',
    'too_many',
    'http',
    Array.from({ length: 17 }, () => [recordKind.data, new Uint8Array(16_000)]),
  ],
  ['a datagram', 'decode', 'udp', [[recordKind.data, one]]],
  ['the end of a UDP flow', 'decode', 'udp', [[recordKind.fin, none]]],
  ['WINDOW', 'decode', 'http', [[recordKind.window, Uint8Array.of(0, 0, 0, 1)]]],
  ['nothing, as DATA', 'decode', 'http', [[recordKind.data, none]]],
  [
    'DATA behind FIN',
    'decode',
    'http',
    [
      [recordKind.fin, none],
      [recordKind.data, one],
    ],
  ],
];
for (const [what, code, kind, records] of wrong)
  test(`${what} ahead of the answer ends the session as ${code}`, async () => {
    const peer = await newRawPeer('client', { gateway: { onOpen: () => undefined } });
    const link = peer.open(2n);
    const open = encodeOpen({ kind, service: 'wiki', policyEpoch: 3n, flags: 0 });
    for (const [type, content] of [[recordKind.open, open] as const, ...records])
      link.send(type, content).catch(() => {});
    await settled();
    await peer.clock.advance(1_000);
    assert.equal((await peer.victim.closed).code, code);
  });
