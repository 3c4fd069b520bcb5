import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSpiffeId, isSpiffeId, parseSpiffeId, type SpiffeId } from '../../protocol/spiffe.ts';

const trustDomain = 'latchkey.local';
const ours: [string, SpiffeId][] = [
  ['spiffe://latchkey.local/user/ada/device/7', { kind: 'device', trustDomain, user: 'ada', device: '7' }],
  ['spiffe://latchkey.local/guest/l1/2', { kind: 'guest', trustDomain, link: 'l1', use: '2' }],
  ['spiffe://latchkey.local/gateway/g', { kind: 'gateway', trustDomain, id: 'g' }],
  ['spiffe://latchkey.local/connector/c', { kind: 'connector', trustDomain, id: 'c' }],
  ['spiffe://latchkey.local/ns/demo/svc/wiki', { kind: 'service', trustDomain, namespace: 'demo', name: 'wiki' }],
  ['spiffe://latchkey.local/device/6f', { kind: 'other', trustDomain, path: ['device', '6f'] }],
];

for (const [text, id] of ours)
  test(`${text} is a ${id.kind}, both ways`, () => {
    assert.deepEqual(parseSpiffeId(text), id);
    assert.equal(formatSpiffeId(id), text);
  });

for (const text of [
  '',
  'spiffe://',
  'spiffe://td',
  'spiffe://td/',
  'spiffe:///path',
  'spiffe://td//a',
  'spiffe://td/a/',
  'spiffe://td/./a',
  'spiffe://td/../a',
  'spiffe://TD/a',
  'spiffe://td:80/a',
  'spiffe://u@td/a',
  'spiffe://td/a?q',
  'spiffe://td/a#f',
  'spiffe://td/a%20b',
  'spiffe://td/ä',
  'Spiffe://td/a',
  'https://td/a',
  ' spiffe://td/a',
  'spiffe://td/a\n',
  `spiffe://td/${'a'.repeat(189)}`,
])
  test(`refuses ${JSON.stringify(text.slice(0, 30))}`, () => assert.equal(isSpiffeId(text), false));

test('takes an id of exactly 200 bytes', () => assert.ok(isSpiffeId(`spiffe://td/${'a'.repeat(188)}`)));

test('a part can’t smuggle in a path of another meaning', () => {
  const faults: SpiffeId[] = [
    { kind: 'device', trustDomain, user: 'ada/device/1', device: '7' },
    { kind: 'gateway', trustDomain, id: 'a/b' },
    { kind: 'gateway', trustDomain, id: '' },
    { kind: 'gateway', trustDomain, id: '..' },
    { kind: 'gateway', trustDomain: 'td/connector', id: 'x' },
    { kind: 'service', trustDomain, namespace: 'a', name: 'b c' },
  ];
  for (const id of faults) assert.throws(() => formatSpiffeId(id), TypeError);
});
