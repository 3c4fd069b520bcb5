import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { concat, hex, utf8 } from '../../protocol/bytes.ts';
import * as challenges from '../../protocol/challenges.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';

const fill = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value);
const binding = {
  rpId: 'hub.localhost',
  nonce: fill(1),
  deviceKeyHash: fill(2),
  userHandle: utf8('ada'),
  postureHash: fill(3),
  sessionKeyHash: fill(4),
  lease: fill(5, 16),
  service: 'wiki',
  exporter: fill(6),
  documentHash: fill(8),
  queryHash: fill(9),
  answerHash: fill(10),
  serial: fill(7, 16),
  time: 1_790_000_000_000,
};

const kinds = {
  login: challenges.loginChallenge,
  enrol: challenges.enrolChallenge,
  approve: challenges.approvalChallenge,
  oidc: challenges.oidcChallenge,
  saml: challenges.samlChallenge,
  stepup: challenges.stepupChallenge,
  launch: challenges.launchChallenge,
  renew: challenges.renewChallenge,
} as const;

/** Which of the fields each challenge binds. */
const bound: Record<keyof typeof kinds, (keyof typeof binding)[]> = {
  login: ['rpId', 'nonce', 'deviceKeyHash', 'userHandle', 'postureHash'],
  enrol: ['rpId', 'nonce', 'deviceKeyHash', 'userHandle', 'postureHash'],
  approve: ['rpId', 'nonce', 'deviceKeyHash', 'userHandle', 'documentHash'],
  oidc: ['rpId', 'nonce', 'deviceKeyHash', 'userHandle', 'postureHash', 'queryHash'],
  saml: ['rpId', 'nonce', 'deviceKeyHash', 'userHandle', 'postureHash', 'answerHash'],
  stepup: ['rpId', 'nonce', 'deviceKeyHash', 'userHandle', 'exporter'],
  launch: ['rpId', 'nonce', 'deviceKeyHash', 'userHandle', 'postureHash', 'sessionKeyHash', 'lease', 'service'],
  renew: ['sessionKeyHash', 'serial', 'time'],
};

function changed(field: keyof typeof binding): typeof binding {
  const value = binding[field];
  if (typeof value === 'string') return { ...binding, [field]: `${value}x` };
  if (typeof value === 'number') return { ...binding, [field]: value + 1 };
  return { ...binding, [field]: value.map((byte) => byte ^ 1) };
}

for (const [kind, challenge] of Object.entries(kinds) as [keyof typeof kinds, (typeof kinds)['launch']][])
  test(`the ${kind} challenge binds exactly its fields`, () => {
    const plain = hex(challenge(nodeCrypto, binding));
    for (const field of Object.keys(binding) as (keyof typeof binding)[])
      assert.equal(hex(challenge(nodeCrypto, changed(field))) !== plain, bound[kind].includes(field), field);
  });

test('no two ceremonies share a challenge, whatever they bind', () => {
  const made = Object.values(kinds).map((challenge) => hex(challenge(nodeCrypto, binding)));
  assert.equal(new Set(made).size, made.length);
});

test('the launch challenge is the hash of the fields in their written order', () => {
  const sha256 = (...parts: Uint8Array[]) =>
    createHash('sha256')
      .update(concat(...parts))
      .digest();
  const expected = sha256(
    utf8('Latchkey/1 launch\0'),
    sha256(utf8('hub.localhost')),
    fill(1),
    fill(2),
    sha256(utf8('ada')),
    fill(4),
    fill(5, 16),
    Uint8Array.of(4),
    utf8('wiki'),
    fill(3),
  );
  assert.equal(hex(challenges.launchChallenge(nodeCrypto, binding)), hex(expected));
});

test('the renewal challenge is the hash of the fields in their written order', () => {
  const time = Uint8Array.of(0, 0, 1, 0xa0, 0xc4, 0x50, 0x6c, 0);
  const bytes = concat(utf8('Latchkey/1 renew\0'), fill(4), fill(7, 16), time);
  assert.equal(hex(challenges.renewChallenge(nodeCrypto, binding)), createHash('sha256').update(bytes).digest('hex'));
});

test('messages of the device key start with a tag of their own and a zero byte', () => {
  assert.deepEqual(challenges.deviceMessage(fill(9)), concat(utf8('Latchkey/1 device\0'), fill(9)));
  assert.deepEqual(challenges.postureMessage(utf8('{}')), utf8('Latchkey/1 posture\0{}'));
  const time = Uint8Array.of(0, 0, 1, 0xa0, 0xc4, 0x50, 0x6c, 0);
  assert.deepEqual(
    challenges.requestMessage('POST', '/api/x?y', fill(8), fill(7, 16), 1_790_000_000_000),
    concat(utf8('Latchkey/1 request\0\0\x04POST\0\x08/api/x?y'), fill(8), fill(7, 16), time),
  );
});

test('fields of a wrong length are a mistake of the caller', () => {
  for (const field of ['nonce', 'deviceKeyHash', 'postureHash', 'sessionKeyHash', 'lease'] as const)
    assert.throws(() => challenges.launchChallenge(nodeCrypto, { ...binding, [field]: fill(1, 31) }), TypeError, field);
  assert.throws(() => challenges.deviceMessage(fill(1, 31)), TypeError);
  assert.throws(() => challenges.requestMessage('GET', '/', fill(1), fill(1, 15), 0), TypeError);
});
