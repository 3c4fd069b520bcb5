/** A device with two keys for a while, and a peer that is told of the new one when it suits it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { REJECT_AFTER_TIME_MS } from '../../../server/wireguard/limits.ts';
import { RotatingDevice } from '../../../server/wireguard/rotating-device.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryNetwork } from './memory-network.ts';
import { echoPacket } from './packets.ts';
import { addressA, addressB, newEnd, publicKeyOf } from './pair.ts';
import { newSeed, Seeded } from './seeded.ts';

const payload = new Uint8Array(60).fill(7);
const toPeer = (sequence = 0) => echoPacket({ source: addressA, destination: addressB, sequence, payload });
const toUs = (sequence = 0) => echoPacket({ source: addressB, destination: addressA, sequence, payload });
const endpoint = '192.0.2.1:51820';

/** Us with an old key, a new one to come, and one peer that knows the old one. @param ours what we know of the peer */
async function newWorld(ours: { endpoint?: string; presharedKey?: Uint8Array } = {}) {
  const clock = new FakeClock();
  const network = new MemoryNetwork(clock, new Seeded(newSeed()));
  const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
  const device = new RotatingDevice({ privateKey: oldKey, clock, wire: network.wire('192.0.2.1') });
  await device.listen({ port: 51_820 });
  const received: Uint8Array[] = [];
  const events: string[] = [];
  device.onPacket = (packet) => received.push(packet);
  device.onMoved = () => events.push('moved');
  device.onRetired = () => events.push('retired');
  const peer = await newEnd(network, clock, '192.0.2.2');
  const ofPeer = { publicKey: peer.key, allowedIps: [`${addressB}/32`], ...ours };
  device.setPeer(ofPeer);
  /** What an operator does at the far end: another peer with our addresses. */
  const tell = (key: Uint8Array, presharedKey?: Uint8Array) => {
    for (const { publicKey } of peer.device.peers()) peer.device.removePeer(publicKey);
    const psk = presharedKey && { presharedKey };
    peer.device.setPeer({ publicKey: publicKeyOf(key), allowedIps: [`${addressA}/32`], endpoint, ...psk });
  };
  tell(oldKey, ours.presharedKey);
  const rotate = async () => {
    await device.rotate(newKey);
    device.setPeer(ofPeer);
  };
  return { clock, network, device, received, events, peer, ofPeer, oldKey, newKey, tell, rotate };
}

test('QPT-7: a peer goes on with the old key, through a rekey too, until it is told of the new one', async () => {
  const presharedKey = randomBytes(32);
  const { clock, device, received, events, peer, oldKey, newKey, tell, rotate } = await newWorld({ presharedKey });
  peer.device.send(toUs(1));
  clock.advance(100);
  await rotate();
  assert.deepEqual(device.retiring, { publicKey: publicKeyOf(oldKey), peers: [peer.key] });
  for (const sequence of [2, 3]) {
    peer.device.send(toUs(sequence));
    device.send(toPeer(sequence));
    clock.advance(REJECT_AFTER_TIME_MS);
  }
  assert.deepEqual(received, [toUs(1), toUs(2), toUs(3)]);
  assert.deepEqual(peer.received, [toPeer(2), toPeer(3)]);
  assert.deepEqual(events, []);
  tell(newKey, presharedKey);
  peer.device.send(toUs(4));
  clock.advance(100);
  device.send(toPeer(4));
  clock.advance(100);
  assert.deepEqual(received.at(-1), toUs(4));
  assert.deepEqual(peer.received.at(-1), toPeer(4));
  assert.deepEqual([events, device.retiring], [['moved', 'retired'], undefined]);
});

test('QPT-7: a peer that was told and is silent is found by the new key when something is sent to it', async () => {
  const { clock, device, peer, newKey, tell, rotate, events } = await newWorld({ endpoint: '192.0.2.2:51820' });
  device.send(toPeer(1));
  clock.advance(100);
  await rotate();
  tell(newKey);
  for (let sequence = 2; sequence < 40; sequence++) {
    device.send(toPeer(sequence));
    clock.advance(1_000);
  }
  assert.deepEqual(events, ['moved', 'retired']);
  assert.deepEqual(peer.received.at(-1), toPeer(39));
  assert.ok(peer.received.length > 30, `${peer.received.length} of 39: it was asked in time`);
});

test('QPT-7: a key that is retired opens nothing any more, and the new one alone is answered', async () => {
  const { clock, network, device, received, peer, rotate, newKey, tell } = await newWorld();
  peer.device.send(toUs(1));
  clock.advance(100);
  await rotate();
  device.retire();
  const sent = network.captured.length;
  peer.device.send(toUs(2));
  clock.advance(200_000);
  peer.device.send(toUs(3));
  clock.advance(1_000);
  assert.deepEqual(received, [toUs(1)]);
  assert.ok(!network.captured.slice(sent).some(({ from }) => from.address === '192.0.2.1'), 'not a word of ours');
  tell(newKey);
  peer.device.send(toUs(4));
  clock.advance(100);
  assert.deepEqual(received, [toUs(1), toUs(4)]);
});

test('QPT-7: who moved is answered by the new key alone', async () => {
  const { clock, device, received, peer, oldKey, newKey, tell, rotate } = await newWorld();
  const other = publicKeyOf(randomBytes(32));
  device.setPeer({ publicKey: other, allowedIps: ['10.9.0.0/16'] });
  peer.device.send(toUs(1));
  clock.advance(100);
  await rotate();
  tell(newKey);
  peer.device.send(toUs(2));
  clock.advance(100);
  assert.deepEqual(device.retiring?.peers, [other]);
  tell(oldKey);
  peer.device.send(toUs(3));
  clock.advance(1_000);
  assert.deepEqual(received, [toUs(1), toUs(2)]);
  assert.equal(device.counters.peerUnknown, 1);
});

test('QPT-7: an address that is taken from a peer meanwhile is taken from it with both keys', async () => {
  const { clock, device, received, peer, ofPeer, rotate } = await newWorld();
  peer.device.send(toUs(1));
  clock.advance(100);
  await rotate();
  device.setPeer({ ...ofPeer, allowedIps: ['10.7.0.99/32'] });
  peer.device.send(toUs(2));
  clock.advance(100);
  assert.deepEqual(received, [toUs(1)]);
  assert.equal(device.counters.sourceRefused, 1);
  device.removePeer(peer.key);
  assert.equal(device.retiring, undefined);
});

test('QPT-7: a peer that waits is found where it is now, and by the key it was given now', async () => {
  const { clock, network, device, peer, ofPeer, oldKey, rotate } = await newWorld({ endpoint: '192.0.2.2:51820' });
  await rotate();
  await peer.device.close();
  const presharedKey = randomBytes(32);
  const elsewhere = await newEnd(network, clock, '192.0.2.3', peer.privateKey);
  elsewhere.device.setPeer({ publicKey: publicKeyOf(oldKey), allowedIps: [`${addressA}/32`], presharedKey });
  device.setWaitingPeer({ ...ofPeer, endpoint: '192.0.2.3:51820', presharedKey });
  device.send(toPeer(1));
  clock.advance(100);
  assert.deepEqual(elsewhere.received, [toPeer(1)]);
  assert.deepEqual(device.retiring?.peers, [peer.key]);
});

test('QPT-7: a device that is started with both keys serves both', async () => {
  const { clock, network, device, oldKey, newKey, peer, ofPeer } = await newWorld();
  await device.close();
  const again = new RotatingDevice({ privateKey: newKey, oldKey, clock, wire: network.wire('192.0.2.1') });
  await again.listen({ port: 51_820 });
  const received: Uint8Array[] = [];
  again.onPacket = (packet) => received.push(packet);
  again.setPeer(ofPeer);
  peer.device.send(toUs(1));
  clock.advance(100);
  again.send(toPeer(1));
  clock.advance(100);
  assert.deepEqual([received, peer.received], [[toUs(1)], [toPeer(1)]]);
});

test('QPT-7: connections are not looked at as strangers while keys change', async () => {
  const { device, peer, rotate } = await newWorld();
  const seen: (string | undefined)[] = [];
  device.onRoutes = () => seen.push(device.route(addressB));
  await rotate();
  assert.deepEqual(
    [...seen, device.route(addressB)].filter((key) => key !== peer.key),
    [],
  );
});
