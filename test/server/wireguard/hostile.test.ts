/** Garbage: counted, never answered, nothing kept. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { CookieHolder, CookieIssuer } from '../../../server/wireguard/cookie.ts';
import type { CounterName } from '../../../server/wireguard/counters.ts';
import { readResponse, writeInitiation } from '../../../server/wireguard/handshake.ts';
import { Keypair } from '../../../server/wireguard/keypair.ts';
import {
  decodePublicKey,
  ephemeralKey,
  PrivateKey,
  presharedKey,
  type StaticPublic,
} from '../../../server/wireguard/keys.ts';
import { buildInitiation, type Initiation, parseMessage, type Response } from '../../../server/wireguard/messages.ts';
import { encodeTai64n } from '../../../server/wireguard/tai64n.ts';
import { FakeClock } from './fake-clock.ts';
import type { MemoryNetwork } from './memory-network.ts';
import { echoPacket } from './packets.ts';
import { addressA, addressB, type End, newPair, type Pair } from './pair.ts';

const payload = new Uint8Array(60).fill(7);
const toB = echoPacket({ source: addressA, destination: addressB, sequence: 0, payload });
const toA = echoPacket({ source: addressB, destination: addressA, sequence: 0, payload });

/** Each kind of message once, as it was on the wire. */
async function oneOfEach(): Promise<{ pair: Pair; initiation: Uint8Array; response: Uint8Array; data: Uint8Array }> {
  const pair = await newPair();
  pair.a.device.send(toB);
  pair.clock.advance(100);
  const [initiation, response, data] = pair.network.captured.map(({ datagram }) => datagram);
  return { pair, initiation: initiation!, response: response!, data: data! };
}

/** Nothing went out, nothing came through, and both ends still speak. */
function nothingHappened({ network, a, b, clock }: Pair, act: () => void): void {
  const before = { sent: network.captured.length, a: a.received.length, b: b.received.length };
  const status = JSON.stringify([a.device.peers(), b.device.peers()]);
  act();
  assert.equal(network.captured.length, before.sent, 'something was answered');
  assert.equal(JSON.stringify([a.device.peers(), b.device.peers()]), status, 'a peer changed');
  assert.deepEqual([a.received.length, b.received.length], [before.a, before.b], 'something was delivered');
  b.device.send(toA);
  clock.advance(50);
  assert.equal(a.received.length, before.a + 1, 'the session is gone');
}

const stranger = { address: '203.0.113.66', port: 6666 };

test('BR-7: every prefix of every message, and every message with a byte too many, does nothing', async () => {
  const { pair, initiation, response, data } = await oneOfEach();
  const cookie = new Uint8Array(64);
  cookie[0] = 3;
  nothingHappened(pair, () => {
    for (const message of [initiation, response, data, cookie]) {
      const longer = new Uint8Array(message.length + 1);
      longer.set(message);
      pair.network.inject(longer, stranger, pair.b.wire.endpoint);
      pair.network.inject(longer, stranger, pair.a.wire.endpoint);
      for (let length = 0; length < message.length; length++) {
        pair.network.inject(message.subarray(0, length), stranger, pair.b.wire.endpoint);
        pair.network.inject(message.subarray(0, length), stranger, pair.a.wire.endpoint);
      }
    }
  });
  assert.ok(pair.b.device.counters.malformed > 300);
});

test('BR-7: a replayed message of every type is counted and changes nothing, from wherever it comes', async () => {
  const { pair, initiation, response, data } = await oneOfEach();
  const { network, clock, a, b, random } = pair;
  const issuer = new CookieIssuer(decodePublicKey(b.key), { clock, random: (length) => random.bytes(length) });
  const asked = parseMessage(initiation) as Initiation;
  const cookie = issuer.reply(initiation, asked.sender, a.wire.endpoint);
  network.inject(cookie, b.wire.endpoint, a.wire.endpoint);
  assert.equal(a.device.counters.cookiesTaken, 1);
  const replays: [Uint8Array, End, CounterName[]][] = [
    [initiation, b, ['initiationReplayed']],
    [response, a, ['handshakesFailed', 'indexUnknown']],
    [cookie, a, ['cookiesRefused']],
    [data, b, ['counterReplayed']],
  ];
  for (const from of [stranger, a.wire.endpoint, b.wire.endpoint])
    for (const [message, to, counters] of replays) {
      const count = () => counters.reduce((sum, name) => sum + to.device.counters[name], 0);
      const before = count();
      nothingHappened(pair, () => network.inject(message, from, to.wire.endpoint));
      assert.equal(count(), before + 1, counters.join());
    }
});

test('random datagrams of every type and length do nothing', async () => {
  const { pair } = await oneOfEach();
  const { random, network, b } = pair;
  nothingHappened(pair, () => {
    for (let n = 0; n < 5000; n++) {
      const datagram = random.bytes([random.below(200), 32, 64, 92, 148][random.below(5)]!);
      if (datagram.length >= 4) datagram.set([random.below(6), 0, 0, 0]);
      network.inject(datagram, stranger, b.wire.endpoint);
    }
  });
  const { malformed, mac1Wrong, indexUnknown } = b.device.counters;
  assert.ok(malformed > 0 && mac1Wrong > 0 && indexUnknown > 0);
});

test('every changed bit of an initiation and of a response is refused without an answer', async () => {
  const { pair, initiation, response } = await oneOfEach();
  nothingHappened(pair, () => {
    for (const [message, to] of [
      [initiation, pair.b.wire.endpoint],
      [response, pair.a.wire.endpoint],
    ] as const) {
      for (let bit = 0; bit < message.length * 8; bit++) {
        const changed = Uint8Array.from(message);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        pair.network.inject(changed, stranger, to);
      }
    }
  });
});

test('an initiation changed under a right mac1 fails at the key it names, and leaves no index behind', async () => {
  const { pair, initiation } = await oneOfEach();
  const macs = new CookieHolder(decodePublicKey(pair.b.key), pair.clock);
  const refused: CounterName[] = ['handshakesFailed', 'initiationReplayed', 'peerUnknown'];
  nothingHappened(pair, () => {
    // Few a second, so that the device does not count as under load.
    for (let offset = 8; offset < 116; offset++) {
      const changed = Uint8Array.from(initiation);
      changed[offset]! ^= 0x10;
      macs.sign(changed);
      pair.network.inject(changed, stranger, pair.b.wire.endpoint);
    }
    const lowOrder = Uint8Array.from(initiation).fill(0, 8, 40);
    macs.sign(lowOrder);
    pair.network.inject(lowOrder, stranger, pair.b.wire.endpoint);
  });
  const counted = refused.reduce((sum, name) => sum + pair.b.device.counters[name], 0);
  assert.equal(counted, 109);
});

test('a forged response does not spoil the wait for the real one', async () => {
  const pair = await newPair();
  const { network, clock, a, b } = pair;
  network.filter = ({ datagram }) => datagram[0] !== 2;
  a.device.send(toB);
  clock.advance(100);
  const real = network.captured.find(({ datagram }) => datagram[0] === 2)!;
  const macs = new CookieHolder(decodePublicKey(a.key), clock);
  for (const offset of [4, 12, 43, 44, 59]) {
    const forged = Uint8Array.from(real.datagram);
    forged[offset]! ^= 1;
    macs.sign(forged);
    if (offset !== 4) network.inject(forged, real.from, real.to);
  }
  assert.equal(a.device.counters.handshakesFailed, 4);
  network.filter = () => true;
  network.inject(real.datagram, real.from, real.to);
  clock.advance(100);
  assert.deepEqual(b.received, [toB]);
});

const inner: [string, Uint8Array, 'delivered' | CounterName][] = [
  ['a whole packet', toB, 'delivered'],
  ['a packet with padding behind it', Uint8Array.of(...toB, 0, 0, 0, 0), 'delivered'],
  ['a packet shorter than it says', toB.subarray(0, -20), 'packetMalformed'],
  ['an IPv4 length below its header', Uint8Array.of(0x45, 0, 0, 19, ...new Uint8Array(16)), 'packetMalformed'],
  ['an IPv4 length beyond all bytes', Uint8Array.of(0x45, 0, 0xff, 0xff, ...new Uint8Array(16)), 'packetMalformed'],
  ['half an IPv6 header', Uint8Array.of(0x60, ...new Uint8Array(20)), 'packetMalformed'],
  [
    'an IPv6 length beyond all bytes',
    Uint8Array.of(0x60, 0, 0, 0, 0xff, 0xff, ...new Uint8Array(34)),
    'packetMalformed',
  ],
  ['another version of IP', new Uint8Array(40).fill(0xff), 'packetMalformed'],
  ['one byte', Uint8Array.of(0x45), 'packetMalformed'],
];

for (const [what, plaintext, outcome] of inner) {
  test(`${what} inside an authentic message is ${outcome === 'delivered' ? outcome : 'dropped and counted'}`, async () => {
    const { network, clock, a, b } = await newPair();
    const session = handMadeSession(network, a, b);
    network.inject(session.seal(plaintext, 1420), a.wire.endpoint, b.wire.endpoint);
    clock.advance(100);
    assert.deepEqual(b.received, outcome === 'delivered' ? [toB] : []);
    assert.equal(b.device.counters.packetMalformed, outcome === 'delivered' ? 0 : 1);
  });
}

/** Plays the initiator with A's key, so that the plaintext can be anything. */
function handMadeSession(network: MemoryNetwork, a: End, b: End): Keypair {
  const local = new PrivateKey<StaticPublic>(a.privateKey);
  const remote = decodePublicKey(b.key);
  const { state, tokens } = writeInitiation({
    local,
    remote,
    staticSecret: local.exchange(remote)!,
    ephemeral: ephemeralKey((length) => Uint8Array.from(randomBytes(length))),
    payload: encodeTai64n(Date.now()),
  })!;
  const initiation = buildInitiation(1, tokens);
  new CookieHolder(remote, new FakeClock()).sign(initiation);
  network.inject(initiation, a.wire.endpoint, b.wire.endpoint);
  const response = parseMessage(network.captured.at(-1)!.datagram);
  assert.equal(response?.type, 'response');
  const { sender, tokens: answer } = response as Response;
  const keys = readResponse(state, { tokens: answer, psk: presharedKey(undefined) })!.symmetric.split();
  return new Keypair({
    sendKey: keys.initiator,
    receiveKey: keys.responder,
    localIndex: 1,
    remoteIndex: sender,
    isInitiator: true,
    createdAt: 0,
  });
}

const shapes: [string, number, number, boolean][] = [
  ['an initiation of 148 bytes', 1, 148, true],
  ['an initiation of 147 bytes', 1, 147, false],
  ['a response of 92 bytes', 2, 92, true],
  ['a response of 93 bytes', 2, 93, false],
  ['a cookie reply of 64 bytes', 3, 64, true],
  ['a cookie reply of 65 bytes', 3, 65, false],
  ['a transport message of 32 bytes', 4, 32, true],
  ['a transport message of 31 bytes', 4, 31, false],
  ['a message of type 0', 0, 148, false],
  ['a message of type 5', 5, 148, false],
  ['an empty datagram', 0, 0, false],
];

for (const [what, type, length, accepted] of shapes) {
  test(`${accepted ? 'reads' : 'refuses'} ${what}`, () => {
    const datagram = new Uint8Array(length);
    if (length > 0) datagram[0] = type;
    assert.equal(parseMessage(datagram) !== null, accepted);
    if (length > 3) {
      datagram[3] = 1; // a reserved byte
      assert.equal(parseMessage(datagram), null);
    }
  });
}
