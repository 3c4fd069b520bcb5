/** Section 6 of the paper, on a clock that the test moves. Letters: I nitiation, R esponse, K eepalive, D ata. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { echoPacket } from './packets.ts';
import { addressA, addressB, newPair, type Pair, story } from './pair.ts';

const payload = new Uint8Array(40).fill(9);
const toB = (sequence = 0) => echoPacket({ source: addressA, destination: addressB, sequence, payload });
const toA = (sequence = 0) => echoPacket({ source: addressB, destination: addressA, sequence, payload });

/** Runs `act`, then `ms` of time, and tells what was sent. */
function after(pair: Pair, ms: number, act: () => void = () => {}): string {
  const from = pair.network.captured.length;
  act();
  pair.clock.advance(ms);
  return story(pair.network, from);
}

async function newSession(): Promise<Pair> {
  const pair = await newPair();
  pair.a.device.send(toB());
  pair.clock.advance(100);
  assert.equal(pair.b.received.length, 1);
  return pair;
}

test('BR-7: a first packet waits for the handshake, and arrives with it', async () => {
  const pair = await newPair();
  assert.equal(
    after(pair, 100, () => pair.a.device.send(toB())),
    'IRD',
  );
  assert.deepEqual(pair.b.received, [toB()]);
});

test('the initiator without data confirms its key with an empty packet', async () => {
  const pair = await newPair({ persistentKeepaliveS: 25 }, {});
  pair.clock.advance(100);
  assert.equal(story(pair.network), 'IRK');
});

test('a responder sends nothing with a key before the initiator has used it', async () => {
  const pair = await newPair();
  // The initiator's confirmation is lost; the responder has something to say.
  pair.network.filter = ({ datagram }) => datagram[0] !== 4;
  pair.a.device.send(toB());
  pair.clock.advance(100);
  pair.network.filter = () => true;
  const told = after(pair, 100, () => pair.b.device.send(toA()));
  assert.equal(told, 'IRD', 'it begins a session of its own');
  assert.deepEqual(pair.a.received, [toA()]);
});

test('initiations are repeated every 5 s and a little, and given up after 90 s', async () => {
  const pair = await newPair();
  pair.network.filter = () => false;
  const began = pair.clock.monotonic();
  const times: number[] = [];
  pair.network.filter = () => {
    times.push(pair.clock.monotonic() - began);
    return false;
  };
  pair.a.device.send(toB());
  pair.clock.advance(200_000);
  const gaps = times.slice(1).map((time, n) => time - times[n]!);
  assert.ok(
    gaps.every((gap) => gap >= 5000 && gap <= 5333),
    `gaps ${gaps}`,
  );
  assert.ok(new Set(gaps).size > 1, 'there is jitter');
  assert.ok(times.at(-1)! <= 90_000 && times.at(-1)! > 80_000, `the last came after ${times.at(-1)} ms`);
  assert.equal(pair.a.device.counters.handshakesGivenUp, 1);
  assert.equal(pair.a.device.counters.stagedDropped, 1);
});

test('new data gives the attempts their 90 s again, but no faster pace', async () => {
  const pair = await newPair();
  let sent = 0;
  pair.network.filter = () => {
    sent++;
    return false;
  };
  for (let second = 0; second < 180; second++) {
    pair.a.device.send(toB(second));
    pair.clock.advance(1000);
  }
  assert.equal(pair.a.device.counters.handshakesGivenUp, 0);
  assert.ok(sent >= 33 && sent <= 36, `${sent} initiations in 180 s`);
  assert.equal(pair.a.device.counters.stagedDropped, 180 - 128, 'what waits is bounded');
});

test('BR-7: the initiator renews after 120 s of sending and no packet is lost', async () => {
  const pair = await newSession();
  const from = pair.network.captured.length;
  for (let n = 1; n <= 300; n++) {
    pair.a.device.send(toB(n));
    pair.b.device.send(toA(n));
    pair.clock.advance(1000);
  }
  const told = story(pair.network, from);
  assert.equal(told.replaceAll(/[DK]/g, ''), 'IRIR', 'two renewals in 300 s, all by the one who began');
  assert.equal(pair.b.received.length, 301);
  assert.equal(pair.a.received.length, 300);
  assert.equal(pair.a.device.counters.handshakesCompleted, 3);
});

test('a responder does not renew by time', async () => {
  const pair = await newSession();
  pair.clock.advance(130_000);
  assert.equal(
    after(pair, 50, () => pair.b.device.send(toA())),
    'D',
  );
});

test('an initiator that only receives renews 15 s before the key ends', async () => {
  const pair = await newSession();
  pair.clock.advance(163_000);
  const before = after(pair, 1000, () => pair.b.device.send(toA()));
  assert.equal(before, 'D');
  const later = after(pair, 1500, () => pair.b.device.send(toA()));
  assert.equal(later.slice(0, 1), 'D');
  const told = after(pair, 1000, () => pair.b.device.send(toA()));
  assert.match(later + told, /IR/);
});

test('after 180 s a key neither sends nor opens', async () => {
  const pair = await newSession();
  const late = pair.network.captured.at(-1)!;
  pair.clock.advance(179_000);
  assert.equal(after(pair, 50, () => pair.b.device.send(toA())).slice(0, 1), 'D');
  pair.clock.advance(2000);
  const { keyExpired } = pair.b.device.counters;
  pair.network.inject(late.datagram, late.from, late.to);
  // A new session may have been made meanwhile by the initiator; the captured packet belongs to the old one.
  assert.equal(pair.b.device.counters.keyExpired, keyExpired + 1);
});

test('a sender whose key has ended begins anew and keeps the packet meanwhile', async () => {
  const pair = await newSession();
  pair.clock.advance(181_000);
  assert.equal(
    after(pair, 100, () => pair.b.device.send(toA(5))),
    'IRD',
  );
  assert.deepEqual(pair.a.received, [toA(5)]);
});

test('who has taken data and has nothing to say, sends an empty packet after 10 s, once', async () => {
  const pair = await newPair();
  pair.a.device.send(toB());
  pair.clock.advance(9_990);
  const from = pair.network.captured.length;
  pair.clock.advance(60_000);
  assert.equal(story(pair.network, from), 'K');
  assert.equal(pair.network.captured.at(-1)!.from.address, '192.0.2.2');
});

test('a stream in one direction is acknowledged by an empty packet every 10 s', async () => {
  const pair = await newSession();
  const from = pair.network.captured.length;
  for (let n = 0; n < 100; n++) {
    pair.a.device.send(toB(n));
    pair.clock.advance(1000);
  }
  const empty = story(pair.network, from).replaceAll('D', '');
  assert.ok(empty === 'K'.repeat(9) || empty === 'K'.repeat(10), empty);
});

test('an answer takes the place of the empty packet', async () => {
  const pair = await newPair();
  pair.b.device.onPacket = () => pair.b.device.send(toA());
  pair.a.device.send(toB());
  pair.clock.advance(50);
  // A took data too, and owes the one empty packet.
  assert.equal(after(pair, 60_000), 'K');
});

test('who has sent data and heard nothing for 15 s begins a new session', async () => {
  const pair = await newSession();
  pair.clock.advance(20_000);
  pair.network.filter = ({ from }) => from.address === '192.0.2.1';
  const told = after(pair, 14_900, () => pair.a.device.send(toB()));
  assert.equal(told.replaceAll('K', ''), 'D');
  assert.match(after(pair, 600), /I/);
});

test('persistent keepalive speaks up after each silence of its length', async () => {
  const pair = await newPair({ persistentKeepaliveS: 25 }, {});
  pair.clock.advance(100);
  const from = pair.network.captured.length;
  pair.clock.advance(100_000);
  assert.equal(story(pair.network, from), 'KKKK'.slice(0, story(pair.network, from).length));
  assert.ok(pair.network.captured.length - from >= 3);
  pair.a.device.setPeer({ publicKey: pair.b.key, allowedIps: ['10.7.0.2/32'] });
  assert.equal(after(pair, 100_000), '', 'and stops when it is taken away');
});

test('all keys are wiped 540 s after the last session began', async () => {
  const pair = await newSession();
  const indexUnknown = () => pair.b.device.counters.indexUnknown;
  const last = pair.network.captured.findLast(({ datagram }) => datagram[0] === 4 && datagram.length > 32)!;
  pair.clock.advance(539_000);
  pair.network.inject(last.datagram, last.from, last.to);
  assert.equal(indexUnknown(), 0, 'the key is there, though it opens nothing any more');
  pair.clock.advance(2000);
  pair.network.inject(last.datagram, last.from, last.to);
  assert.equal(indexUnknown(), 1);
});

test('two initiations that cross both succeed, and all packets arrive', async () => {
  const pair = await newPair();
  pair.a.device.send(toB(1));
  pair.b.device.send(toA(1));
  pair.clock.advance(100);
  for (let n = 2; n < 10; n++) {
    pair.a.device.send(toB(n));
    pair.b.device.send(toA(n));
    pair.clock.advance(10);
  }
  assert.equal(pair.a.received.length, 9);
  assert.equal(pair.b.received.length, 9);
  assert.equal(pair.a.device.counters.tagWrong + pair.a.device.counters.indexUnknown, 0);
});
