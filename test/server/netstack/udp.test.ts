/** UDP between two stacks, and what a hostile packet can do to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetStack } from '../../../server/netstack/stack.ts';
import type { UdpSocket } from '../../../server/netstack/udp.ts';

const addresses = { 4: ['10.0.0.1', '10.0.0.2'], 6: ['fd00::1', 'fd00::2'] } as const;

/** Two hosts on one wire; `wire` may change what goes over it. */
function pair(version: 4 | 6 = 4, wire: (packet: Uint8Array) => readonly Uint8Array[] = (packet) => [packet]) {
  const [ours, theirs] = addresses[version];
  const a: NetStack = new NetStack({
    addresses: [ours],
    output: (packet) => {
      for (const arrival of wire(packet)) b.input(arrival);
    },
  });
  const b: NetStack = new NetStack({ addresses: [theirs], output: (packet) => a.input(packet) });
  return { a, b, ours, theirs };
}

function heard(socket: UdpSocket): string[] {
  const texts: string[] = [];
  socket.onDatagram = (datagram) => texts.push(Buffer.from(datagram).toString());
  return texts;
}

for (const version of [4, 6] as const)
  test(`datagrams go both ways over IPv${version}, whole, and an empty one too`, () => {
    const { a, b, theirs } = pair(version);
    const server = b.openUdp({ port: 53 });
    server.onDatagram = (datagram, from) => void server.send(datagram, from);
    const client = a.openUdp({ host: theirs, port: 53 });
    const texts = heard(client);
    const contents = ['', 'a', 'odd', 'x'.repeat(version === 4 ? 1_392 : 1_372)];
    for (const content of contents) assert.equal(client.send(Buffer.from(content)), true);
    assert.deepEqual(texts, contents);
    assert.equal(client.send(new Uint8Array(version === 4 ? 65_508 : 65_488)), false, 'no datagram is as large');
  });

test('every flipped bit of a UDP packet is dropped, under a counter', () => {
  let flip = -1;
  const { a, b, theirs } = pair(4, (packet) => {
    if (flip < 0) return [packet];
    const changed = packet.slice();
    changed[flip >> 3]! ^= 1 << (flip & 7);
    return [changed];
  });
  const server = b.openUdp({ port: 53 });
  const texts = heard(server);
  const client = a.openUdp({ host: theirs, port: 53 });
  const header = 20;
  for (flip = header * 8; flip < (header + 8 + 5) * 8; flip++) client.send(Buffer.from('hello'));
  assert.deepEqual(texts, []);
  const { dropped } = b.stats();
  assert.equal(dropped.checksum + dropped.malformed, 13 * 8);
});

test('a packet cut anywhere is dropped', () => {
  let length = 0;
  const { a, b, theirs } = pair(4, (packet) => [packet.subarray(0, length)]);
  const texts = heard(b.openUdp({ port: 53 }));
  const client = a.openUdp({ host: theirs, port: 53 });
  for (length = 0; length < 33; length++) client.send(Buffer.from('hello'));
  assert.deepEqual(texts, []);
});

test('IPv4 may leave the checksum out, IPv6 may not', () => {
  for (const [version, header, arrived] of [
    [4, 20, ['hello']],
    [6, 40, []],
  ] as const) {
    const { a, b, theirs } = pair(version, (packet) => {
      packet.fill(0, header + 6, header + 8);
      return [packet];
    });
    const texts = heard(b.openUdp({ port: 53 }));
    a.openUdp({ host: theirs, port: 53 }).send(Buffer.from('hello'));
    assert.deepEqual(texts, arrived);
  }
});

test('a socket with a peer hears that peer alone, and a closed one nobody', async () => {
  const { a, b, ours, theirs } = pair();
  const client = a.openUdp({ host: theirs, port: 53 });
  const texts = heard(client);
  const to = { address: Uint8Array.of(10, 0, 0, 1), port: client.localPort };
  b.openUdp({ port: 54 }).send(Buffer.from('from another port'), to);
  const server = b.openUdp({ port: 53 });
  server.send(Buffer.from('from its own'), to);
  assert.deepEqual(texts, ['from its own']);
  client.close();
  await client.closed;
  server.send(Buffer.from('late'), to);
  assert.equal(client.send(Buffer.from('late')), false);
  assert.equal(a.stats().dropped['no-connection'], 2);
  assert.throws(() => a.openUdp({ host: ours, port: 53 }), { code: 'EHOSTUNREACH' });
  assert.throws(() => b.openUdp({ port: 53 }), { code: 'EADDRINUSE' });
  assert.throws(() => a.openUdp({ host: 'fd00::2', port: 53 }), { code: 'EHOSTUNREACH' });
  b.close();
  await server.closed;
});
