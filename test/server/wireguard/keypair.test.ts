import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Keypair, Keypairs } from '../../../server/wireguard/keypair.ts';
import type { TransportKey } from '../../../server/wireguard/keys.ts';
import { REJECT_AFTER_MESSAGES, REJECT_AFTER_TIME_MS } from '../../../server/wireguard/limits.ts';
import { parseMessage, type Transport } from '../../../server/wireguard/messages.ts';

const key = (fill: number) => new Uint8Array(32).fill(fill) as Uint8Array as TransportKey;

/** Two ends of one session. */
function session(firstCounter = 0): { left: Keypair; right: Keypair; keys: TransportKey[] } {
  const keys = [key(1), key(2), key(2), key(1)];
  const common = { createdAt: 0, firstCounter };
  const left = { sendKey: keys[0]!, receiveKey: keys[1]!, localIndex: 1, remoteIndex: 2, isInitiator: true };
  const right = { sendKey: keys[2]!, receiveKey: keys[3]!, localIndex: 2, remoteIndex: 1, isInitiator: false };
  return { left: new Keypair({ ...left, ...common }), right: new Keypair({ ...right, ...common }), keys };
}

function parsed(message: Uint8Array): Transport {
  const transport = parseMessage(message);
  assert.equal(transport?.type, 'transport');
  return transport as Transport;
}

const paddings: [number, number, number][] = [
  [0, 1420, 0],
  [1, 1420, 16],
  [16, 1420, 16],
  [17, 1420, 32],
  [1408, 1420, 1408],
  [1409, 1420, 1420],
  [1420, 1420, 1420],
  [1421, 1420, 1424],
];

for (const [length, mtu, padded] of paddings) {
  test(`a packet of ${length} bytes is padded to ${padded} where the MTU is ${mtu}`, () => {
    const { left, right } = session();
    const packet = new Uint8Array(length).fill(0xee);
    const message = left.seal(packet, mtu);
    assert.equal(message.length, 16 + padded + 16);
    const { receiver, counter, sealed } = parsed(message);
    assert.equal(receiver, 2);
    const opened = right.open(counter, sealed, 0);
    assert.ok(opened instanceof Uint8Array);
    assert.deepEqual(Uint8Array.from(opened.subarray(0, length)), packet);
    assert.ok(opened.subarray(length).every((byte) => byte === 0));
  });
}

test('opens each message once, in any order', () => {
  const { left, right } = session();
  const messages = [1, 2, 3].map((n) => parsed(left.seal(new Uint8Array(16).fill(n), 1420)));
  for (const index of [2, 0, 1])
    assert.ok(right.open(messages[index]!.counter, messages[index]!.sealed, 0) instanceof Uint8Array);
  assert.equal(right.open(messages[1]!.counter, messages[1]!.sealed, 0), 'counterReplayed');
});

test('a forged message does not move the window', () => {
  const { left, right } = session();
  const { sealed } = parsed(left.seal(new Uint8Array(16), 1420));
  assert.equal(right.open(1_000_000, sealed, 0), 'tagWrong');
  assert.ok(right.open(0, sealed, 0) instanceof Uint8Array);
});

test('every changed bit of a message is noticed', () => {
  const { left, right } = session();
  const { counter, sealed } = parsed(left.seal(new Uint8Array(32).fill(3), 1420));
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Uint8Array.from(sealed);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(right.open(counter, changed, 0), 'tagWrong');
  }
});

test('stops before the counter reaches its limit, on both sides', () => {
  const { left, right } = session(REJECT_AFTER_MESSAGES - 1);
  assert.equal(left.maySend(0), true);
  const last = parsed(left.seal(new Uint8Array(16), 1420));
  assert.equal(left.maySend(0), false);
  assert.equal(last.counter, REJECT_AFTER_MESSAGES - 1);
  assert.ok(right.open(last.counter, last.sealed, 0) instanceof Uint8Array);
  assert.equal(right.open(REJECT_AFTER_MESSAGES, last.sealed, 0), 'keyExpired');
  assert.equal(right.open(2 ** 64, last.sealed, 0), 'keyExpired');
});

test('stops 180 s after it was made', () => {
  const { left, right } = session();
  const { counter, sealed } = parsed(left.seal(new Uint8Array(16), 1420));
  assert.equal(left.maySend(REJECT_AFTER_TIME_MS - 1), true);
  assert.equal(left.maySend(REJECT_AFTER_TIME_MS), false);
  assert.equal(right.open(counter, sealed, REJECT_AFTER_TIME_MS), 'keyExpired');
});

test('a wiped keypair holds no key, opens nothing, and refuses to seal', () => {
  const { left, keys } = session();
  left.wipe();
  assert.ok(keys[0]!.every((byte) => byte === 0) && keys[1]!.every((byte) => byte === 0));
  assert.equal(left.open(0, new Uint8Array(32), 0), 'keyExpired');
  assert.equal(left.maySend(0), false);
  assert.throws(() => left.seal(new Uint8Array(16), 1420), TypeError);
});

test('rotates current, previous and next, and frees what drops out', () => {
  const freed: number[] = [];
  const keypairs = new Keypairs((index) => freed.push(index));
  const make = (localIndex: number) =>
    new Keypair({ sendKey: key(1), receiveKey: key(2), localIndex, remoteIndex: 0, isInitiator: true, createdAt: 0 });
  const [one, two, three, four, five] = [1, 2, 3, 4, 5].map(make) as [Keypair, Keypair, Keypair, Keypair, Keypair];

  keypairs.installInitiated(one);
  keypairs.installInitiated(two);
  assert.deepEqual([keypairs.current, keypairs.previous, keypairs.next], [two, one, null]);
  keypairs.installResponded(three);
  assert.deepEqual([keypairs.current, keypairs.previous, keypairs.next], [two, null, three]);
  assert.equal(keypairs.confirm(two), false);
  assert.equal(keypairs.confirm(three), true);
  assert.deepEqual([keypairs.current, keypairs.previous, keypairs.next], [three, two, null]);
  keypairs.installResponded(four);
  keypairs.installInitiated(five);
  assert.deepEqual([keypairs.current, keypairs.previous, keypairs.next], [five, four, null]);
  assert.deepEqual(freed, [1, 2, 3]);
  keypairs.wipe();
  assert.deepEqual(freed, [1, 2, 3, 5, 4]);
});
