/** Two devices, and what the network between them may do. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { echoPacket } from './packets.ts';
import { addressA, addressB, newEnd, newPair, publicKeyOf, story } from './pair.ts';

const payload = new Uint8Array(60).fill(7);
const toB = (sequence = 0) => echoPacket({ source: addressA, destination: addressB, sequence, payload });
const toA = (sequence = 0) => echoPacket({ source: addressB, destination: addressA, sequence, payload });

for (const presharedKey of [undefined, new Uint8Array(32).fill(4)]) {
  const how = presharedKey === undefined ? 'without' : 'with';
  test(`BR-7: packets of both families go both ways ${how} a preshared key`, async () => {
    const { clock, a, b } = await newPair(presharedKey && { presharedKey });
    const six = (source: string, destination: string) => echoPacket({ source, destination, sequence: 1, payload });
    a.device.send(toB());
    a.device.send(six('fd00::1', 'fd00::2'));
    clock.advance(100);
    b.device.send(toA());
    b.device.send(six('fd00::2', 'fd00::1'));
    clock.advance(100);
    assert.deepEqual(b.received, [toB(), six('fd00::1', 'fd00::2')]);
    assert.deepEqual(a.received, [toA(), six('fd00::2', 'fd00::1')]);
  });
}

test('a wrong preshared key on one side lets nothing through', async () => {
  const { clock, a, b } = await newPair({ presharedKey: new Uint8Array(32).fill(1) }, {});
  a.device.send(toB());
  clock.advance(20_000);
  assert.equal(b.received.length, 0);
  assert.ok(a.device.counters.handshakesFailed > 0);
});

test('a device answers no initiation of a key it does not know', async () => {
  const { clock, network, a, b } = await newPair();
  b.device.removePeer(a.key);
  a.device.send(toB());
  clock.advance(1000);
  assert.equal(story(network), 'I');
  assert.equal(b.device.counters.peerUnknown, 1);
});

test('BR-7: a network that loses, doubles and reorders gives each packet at most once, and unchanged', async () => {
  const pair = await newPair();
  const { clock, network, a, b, random } = pair;
  network.faults = { loss: 0.1, duplicate: 0.1, reorder: 0.3 };
  const sent = new Map<string, number>();
  const nameOf = (packet: Uint8Array) => createHash('sha256').update(packet).digest('hex');
  for (let n = 0; n < 3000; n++) {
    const packet = echoPacket({
      source: addressA,
      destination: addressB,
      sequence: n & 0xffff,
      payload: random.bytes(4 + random.below(1300)),
    });
    sent.set(nameOf(packet), 0);
    a.device.send(packet);
    clock.advance(random.below(100));
  }
  clock.advance(1000);
  for (const packet of b.received) {
    const count = sent.get(nameOf(packet));
    assert.equal(count, 0, `seed ${random.seed}: unknown, changed or doubled`);
    sent.set(nameOf(packet), 1);
  }
  const { counterReplayed, handshakesCompleted } = b.device.counters;
  assert.ok(b.received.length > 2400, `seed ${random.seed}: ${b.received.length} of 3000 arrived`);
  assert.ok(counterReplayed > 100, 'doubles were met');
  assert.ok(handshakesCompleted >= 2, 'and a rekey on the way');
});

test('a packet from an address that is not the sender’s is dropped', async () => {
  const { clock, a, b } = await newPair();
  for (const source of ['10.7.0.9', addressB, 'fd00::9']) {
    const destination = source.includes(':') ? 'fd00::2' : addressB;
    a.device.send(echoPacket({ source, destination, sequence: 0, payload }));
  }
  clock.advance(100);
  assert.equal(b.received.length, 0);
  assert.equal(b.device.counters.sourceRefused, 3);
});

test('BR-7: an address leads to one peer only, and another cannot send from it', async () => {
  const { clock, network, a, b } = await newPair();
  const c = await newEnd(network, clock, '192.0.2.3');
  b.device.setPeer({ publicKey: c.key, allowedIps: ['10.7.0.3/32'] });
  c.device.setPeer({ publicKey: b.key, allowedIps: ['10.7.0.2/32'], endpoint: '192.0.2.2:51820' });
  c.device.send(toB());
  clock.advance(100);
  assert.equal(b.received.length, 0);
  assert.equal(b.device.counters.sourceRefused, 1);
  b.device.setPeer({ publicKey: c.key, allowedIps: [`${addressA}/32`] });
  assert.equal(b.device.route(addressA), c.key);
  c.device.send(toB());
  a.device.send(toB(2));
  clock.advance(100);
  assert.deepEqual(b.received, [toB()], 'the address has moved to the other key');
});

test('outgoing packets without a peer, an endpoint or a header are counted and dropped', async () => {
  const { clock, network, a } = await newPair();
  const stranger = publicKeyOf(new Uint8Array(32).fill(9));
  a.device.setPeer({ publicKey: stranger, allowedIps: ['10.9.0.0/16'] });
  a.device.send(echoPacket({ source: addressA, destination: '10.8.0.1', sequence: 0, payload }));
  a.device.send(echoPacket({ source: addressA, destination: '10.9.0.1', sequence: 0, payload }));
  for (const garbage of [new Uint8Array(0), new Uint8Array(3), new Uint8Array(60), toB().subarray(0, 30)]) {
    a.device.send(garbage);
  }
  clock.advance(1000);
  const { routeMissing, endpointMissing, packetMalformed } = a.device.counters;
  assert.deepEqual(
    { routeMissing, endpointMissing, packetMalformed },
    { routeMissing: 1, endpointMissing: 1, packetMalformed: 4 },
  );
  assert.equal(network.captured.length, 0);
});

test('a peer that moves is followed, by authentic packets only', async () => {
  const { clock, network, a, b } = await newPair();
  a.device.send(toB());
  clock.advance(100);
  const forged = Uint8Array.from(network.captured.at(-1)!.datagram);
  forged[forged.length - 1]! ^= 1;
  network.inject(forged, { address: '203.0.113.66', port: 6 }, b.wire.endpoint);
  assert.equal(b.device.peers()[0]!.endpoint, '192.0.2.1:51820');

  a.wire.moveTo({ address: '198.51.100.9', port: 999 });
  a.device.send(toB(1));
  clock.advance(100);
  assert.equal(b.device.peers()[0]!.endpoint, '198.51.100.9:999');
  b.device.send(toA(2));
  clock.advance(100);
  assert.deepEqual(a.received, [toA(2)]);
});

test('a replayed packet from elsewhere does not move the peer', async () => {
  const { clock, network, a, b } = await newPair();
  a.device.send(toB());
  clock.advance(100);
  for (const { datagram, to } of [...network.captured]) {
    network.inject(datagram, { address: '203.0.113.66', port: 6 }, to);
  }
  assert.equal(b.device.peers()[0]!.endpoint, '192.0.2.1:51820');
  assert.equal(a.device.peers()[0]!.endpoint, '192.0.2.2:51820');
  assert.equal(b.received.length, 1);
});

test('a replayed initiation is not answered, in this session or after a restart of the sender', async () => {
  const { clock, network, a, b } = await newPair();
  a.device.send(toB());
  clock.advance(100);
  const first = network.captured[0]!;
  const from = network.captured.length;
  network.inject(first.datagram, first.from, first.to);
  clock.advance(200_000);
  network.inject(first.datagram, first.from, first.to);
  assert.equal(b.device.counters.initiationReplayed, 2);
  assert.equal(story(network, from).replaceAll('K', ''), '');
});

test('BR-7: either side may restart without its memory and the packets flow again', async () => {
  const { clock, network, a, b } = await newPair();
  a.device.send(toB(1));
  clock.advance(100);
  // The responder forgets everything.
  await b.device.close();
  const again = await newEnd(network, clock, '192.0.2.2', b.privateKey);
  again.device.setPeer({ publicKey: a.key, allowedIps: [`${addressA}/32`] });
  a.device.send(toB(2));
  clock.advance(20_000);
  a.device.send(toB(3));
  clock.advance(1000);
  assert.deepEqual(again.received, [toB(3)]);
  // The initiator forgets everything, and its clock goes on.
  await a.device.close();
  const anew = await newEnd(network, clock, '192.0.2.1', a.privateKey);
  anew.device.setPeer({ publicKey: b.key, allowedIps: [`${addressB}/32`], endpoint: '192.0.2.2:51820' });
  anew.device.send(toB(4));
  clock.advance(100);
  assert.deepEqual(again.received, [toB(3), toB(4)]);
});

test('a clock that is set back does not lock the device out', async () => {
  const { clock, a, b } = await newPair();
  a.device.send(toB(1));
  clock.advance(100);
  clock.skewMs = -365 * 24 * 3_600_000;
  clock.advance(200_000);
  a.device.send(toB(2));
  clock.advance(100);
  assert.equal(b.received.length, 2);
});

test('a change of configuration leaves the session alone', async () => {
  const { clock, network, a, b } = await newPair();
  a.device.send(toB(1));
  clock.advance(100);
  const from = network.captured.length;
  a.device.setPeer({ publicKey: b.key, allowedIps: [`${addressB}/32`, '10.8.0.0/16'] });
  a.device.send(toB(2));
  clock.advance(100);
  assert.equal(story(network, from), 'D');
});

test('saying the same configuration again changes nothing: not where a peer has moved, nor when it speaks', async () => {
  const again = { persistentKeepaliveS: 25 };
  const { clock, network, a, b } = await newPair(again);
  const config = { publicKey: a.key, allowedIps: [`${addressA}/32`, 'fd00::1'], endpoint: '192.0.2.1:51820', ...again };
  a.device.send(toB());
  clock.advance(100);
  a.wire.moveTo({ address: '198.51.100.9', port: 999 });
  a.device.send(toB(1));
  clock.advance(100);
  let changes = 0;
  b.device.onRoutes = () => changes++;
  const from = network.captured.length;
  for (let second = 0; second < 60; second += 10) {
    b.device.setPeer(config);
    clock.advance(10_000);
  }
  assert.equal(b.device.peers()[0]!.endpoint, '198.51.100.9:999');
  assert.equal(changes, 0);
  assert.ok(network.captured.length - from >= 2, 'the keepalives came');
  b.device.setPeer({ ...config, endpoint: '192.0.2.7:1' });
  assert.equal(b.device.peers()[0]!.endpoint, '192.0.2.7:1');
});

test('packets wait while an endpoint’s name is looked up, and go when it is known', async () => {
  const { clock, network, a, b } = await newPair();
  a.device.removePeer(b.key);
  a.device.setPeer({ publicKey: b.key, allowedIps: [`${addressB}/32`], endpoint: 'localhost:7' });
  a.device.send(toB());
  assert.equal(network.captured.length, 0);
  assert.equal(a.device.counters.endpointMissing, 0);
  a.device.setPeer({ publicKey: b.key, allowedIps: [`${addressB}/32`], endpoint: '192.0.2.2:51820' });
  clock.advance(100);
  assert.equal(b.received.length, 1);
});

test('a receiver that throws is counted and disturbs nothing', async () => {
  const { clock, a, b } = await newPair();
  b.device.onPacket = () => {
    throw new Error('of the application');
  };
  a.device.send(toB(1));
  clock.advance(100);
  a.device.send(toB(2));
  clock.advance(100);
  assert.equal(b.device.counters.consumerFailed, 2);
});

test('the status tells where a peer is and what it sent, in outer bytes', async () => {
  const { clock, a, b } = await newPair({ persistentKeepaliveS: 25 });
  a.device.send(toB());
  clock.advance(100);
  const [status] = b.device.peers();
  assert.equal(status?.publicKey, a.key);
  assert.deepEqual(status?.allowedIps, [`${addressA}/32`, 'fd00::1/128']);
  assert.equal(status?.persistentKeepaliveS, 25);
  assert.ok(Math.abs(status!.lastHandshake! - clock.now()) < 1000);
  assert.ok(status!.bytesIn > 0 && status!.bytesOut > 0);
});
