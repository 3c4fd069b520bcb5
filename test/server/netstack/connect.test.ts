/** Opening connections: both versions, both ends, and every way in which it can fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TcpSocket } from '../../../server/netstack/socket.ts';
import { NetStack } from '../../../server/netstack/stack.ts';
import { HandPeer, HOST, PEER, PEER_PORT } from './support/hand-peer.ts';
import { FLAG, makeIp, pseudoChecksum, readPacket, slowChecksum } from './support/packets.ts';
import { collect, connected, ending } from './support/transfer.ts';
import { CLIENT4, CLIENT6, Pair, SERVER4, SERVER6 } from './support/wire.ts';

for (const [host, from, family] of [
  [SERVER4, CLIENT4, 'IPv4'],
  [SERVER6, CLIENT6, 'IPv6'],
] as const) {
  test(`connects over ${family} and both ends know each other's address and port`, async () => {
    const pair = new Pair();
    const { client, server } = await connected(pair, { host, port: 8080 });
    assert.deepEqual(
      [client.remoteAddress, client.remotePort, client.remoteFamily, client.localAddress],
      [host, 8080, family, from],
    );
    assert.deepEqual([server.remoteAddress, server.remotePort], [client.localAddress, client.localPort]);
    assert.deepEqual(server.address(), { address: host, port: 8080, family });
    assert.equal(client.connecting, false);
    const arrived = collect(server);
    client.end('hello');
    assert.equal(Buffer.from(await pair.clock.resolve(arrived)).toString(), 'hello');
  });
}

const fails = async (pair: Pair, promise: Promise<unknown>, code: string) => {
  await pair.clock.resolve(assert.rejects(promise, { code }));
  assert.equal(pair.client.stats().connections, 0);
};

test('a closed port refuses', async () => {
  const pair = new Pair();
  await fails(pair, pair.client.connect({ host: SERVER4, port: 81 }), 'ECONNREFUSED');
  await fails(pair, pair.client.connect({ host: SERVER6, port: 81 }), 'ECONNREFUSED');
  assert.equal(pair.server.stats().dropped['no-connection'], 2);
});

test('a listener on one address does not answer at another, and goes before one for all', async () => {
  const pair = new Pair();
  const seen: string[] = [];
  pair.server.listen({ host: SERVER4, port: 80 }, () => seen.push('one'));
  await fails(pair, pair.client.connect({ host: SERVER6, port: 80 }), 'ECONNREFUSED');
  pair.server.listen({ port: 80 }, () => seen.push('all'));
  await pair.clock.resolve(pair.client.connect({ host: SERVER6, port: 80 }));
  await pair.clock.resolve(pair.client.connect({ host: SERVER4, port: 80 }));
  await pair.clock.advance(10);
  assert.deepEqual(seen, ['all', 'one']);
});

test('silence ends in ETIMEDOUT after five SYNs and 31 seconds', async () => {
  const pair = new Pair({ loss: 1 });
  // A stack that has run for long asks no sooner.
  await pair.clock.advance(3_600_000);
  const times: number[] = [];
  const start = pair.clock.monotonic();
  pair.tap = () => {
    times.push(pair.clock.monotonic() - start);
    return true;
  };
  await fails(pair, pair.client.connect({ host: SERVER4, port: 80 }), 'ETIMEDOUT');
  assert.deepEqual(times, [0, 1_000, 3_000, 7_000, 15_000]);
  assert.equal(pair.clock.monotonic() - start, 31_000);
});

test('a lost SYN, a lost SYN-ACK and a lost ACK are made good', async () => {
  for (const lose of [0, 1, 2]) {
    const pair = new Pair();
    let count = 0;
    pair.tap = () => count++ !== lose;
    const { client, server } = await connected(pair);
    const arrived = collect(server);
    client.end('x');
    assert.equal((await pair.clock.resolve(arrived)).length, 1);
  }
});

test('a signal gives up the attempt with its reason', async () => {
  const pair = new Pair({ loss: 1 });
  const controller = new AbortController();
  const attempt = pair.client.connect({ host: SERVER4, port: 80, signal: controller.signal });
  const refused = assert.rejects(attempt, { name: 'AbortError' });
  await pair.clock.advance(100);
  controller.abort();
  await refused;
  assert.equal(pair.client.stats().connections, 0);
  await assert.rejects(pair.client.connect({ host: SERVER4, port: 80, signal: controller.signal }), {
    name: 'AbortError',
  });
});

test('a signal has no effect once the connection stands', async () => {
  const pair = new Pair();
  const controller = new AbortController();
  const { client } = await connected(pair, { signal: controller.signal });
  controller.abort();
  await pair.clock.advance(10);
  assert.equal(client.destroyed, false);
});

test('both ends calling each other at once make one connection', async () => {
  const a = new HandPeer();
  // Two stacks choose their own source ports, so the other end of a simultaneous open is played by hand.
  const attempt = a.stack.connect({ host: PEER, port: PEER_PORT });
  const syn = a.takeOne();
  a.port = syn.sourcePort;
  a.send({ flags: FLAG.SYN, ack: 0, mss: 1000 });
  const answer = a.takeOne();
  assert.equal(answer.flags, FLAG.SYN | FLAG.ACK);
  assert.equal(answer.seq, syn.seq);
  assert.equal(answer.ack, a.seq + 1);
  a.send({ flags: FLAG.SYN | FLAG.ACK, ack: syn.seq + 1, mss: 1000 });
  const socket = await a.clock.resolve(attempt);
  a.seq++;
  a.ack = syn.seq + 1;
  const arrived = collect(socket);
  a.text(Buffer.from('hi'), { flags: FLAG.FIN | FLAG.ACK });
  assert.equal(String(Buffer.from(await a.clock.resolve(arrived))), 'hi');
});

test('an ICMP error about our SYN ends the attempt, and one with a forged sequence number does not', async () => {
  const cases: [type: number, code: number, expected: string][] = [
    [3, 0, 'EHOSTUNREACH'],
    [3, 1, 'EHOSTUNREACH'],
    [3, 3, 'ECONNREFUSED'],
    [3, 13, 'EHOSTUNREACH'],
  ];
  for (const [type, code, expected] of cases) {
    const pair = new Pair();
    const syns: Uint8Array[] = [];
    pair.tap = (packet) => {
      syns.push(packet);
      return false;
    };
    const attempt = pair.client.connect({ host: SERVER4, port: 80 });
    await pair.clock.settle();
    const quote = syns[0]!.slice(0, 28);
    const forged = quote.slice();
    forged[27]! ^= 0x55;
    const unreachable = (about: Uint8Array) => {
      const icmp = Uint8Array.from([type, code, 0, 0, 0, 0, 0, 0, ...about]);
      new DataView(icmp.buffer).setUint16(2, slowChecksum(icmp));
      return makeIp('100.100.0.77', CLIENT4, 1, icmp);
    };
    pair.client.input(unreachable(forged));
    assert.equal(pair.client.stats().connections, 1);
    pair.client.input(unreachable(quote));
    await fails(pair, attempt, expected);
  }
});

test('an ICMPv6 error about our SYN ends the attempt', async () => {
  for (const [code, expected] of [
    [0, 'EHOSTUNREACH'],
    [3, 'EHOSTUNREACH'],
    [4, 'ECONNREFUSED'],
  ] as const) {
    const pair = new Pair();
    const syns: Uint8Array[] = [];
    pair.tap = (packet) => {
      syns.push(packet);
      return false;
    };
    const attempt = pair.client.connect({ host: SERVER6, port: 80 });
    await pair.clock.settle();
    const icmp = Uint8Array.from([1, code, 0, 0, 0, 0, 0, 0, ...syns[0]!]);
    new DataView(icmp.buffer).setUint16(2, pseudoChecksum('fd6c:6b::77', CLIENT6, 58, icmp));
    pair.client.input(makeIp('fd6c:6b::77', CLIENT6, 58, icmp));
    await fails(pair, attempt, expected);
  }
});

test('a host that is no address of a version we have, is multicast, or is our own is unreachable', async () => {
  const stack = new NetStack({ addresses: [CLIENT4], output: () => {} });
  for (const host of [SERVER6, '224.0.0.1', '0.0.0.0', CLIENT4]) {
    await assert.rejects(stack.connect({ host, port: 80 }), { code: 'EHOSTUNREACH' });
  }
  await assert.rejects(stack.connect({ host: 'name.example', port: 80 }), TypeError);
  await assert.rejects(stack.connect({ host: SERVER4, port: 0 }), RangeError);
  await assert.rejects(stack.connect({ host: SERVER4, port: 65_536 }), RangeError);
});

test('an address and port can be listened on once, and again after closing', () => {
  const stack = new NetStack({ addresses: [SERVER4, SERVER6], output: () => {} });
  const all = stack.listen({ port: 80 }, () => {});
  assert.throws(() => stack.listen({ port: 80 }, () => {}), { code: 'EADDRINUSE' });
  stack.listen({ host: SERVER6, port: 80 }, () => {});
  assert.throws(() => stack.listen({ host: SERVER6, port: 80 }, () => {}), { code: 'EADDRINUSE' });
  assert.throws(() => stack.listen({ host: CLIENT4, port: 80 }, () => {}), { code: 'EADDRNOTAVAIL' });
  all.close();
  stack.listen({ port: 80 }, () => {});
  assert.equal(stack.stats().listeners, 2);
});

test('closing a listener resets half-open connections and leaves accepted ones', async () => {
  const pair = new Pair({ delayMs: 10 });
  const accepted: TcpSocket[] = [];
  const listener = pair.server.listen({ port: 80 }, (socket) => accepted.push(socket));
  await pair.clock.resolve(pair.client.connect({ host: SERVER4, port: 80 }));
  await pair.clock.advance(20);
  const late = pair.client.connect({ host: SERVER4, port: 80 });
  const failed = assert.rejects(
    late.then((socket) => ending(socket).then((code) => Promise.reject(Object.assign(new Error(), { code })))),
    { code: 'ECONNRESET' },
  );
  await pair.clock.advance(11);
  assert.equal(pair.server.stats().connections, 2);
  listener.close();
  await pair.clock.resolve(failed);
  assert.equal(pair.server.stats().connections, 1);
  assert.equal(accepted[0]!.destroyed, false);
});

test('closing a stack resets its connections and refuses new ones', async () => {
  const pair = new Pair();
  const { client, server } = await connected(pair);
  const ends = Promise.all([ending(client), ending(server)]);
  pair.client.close();
  assert.deepEqual(await pair.clock.resolve(ends), ['ECONNABORTED', 'ECONNRESET']);
  await assert.rejects(pair.client.connect({ host: SERVER4, port: 80 }), { code: 'ECONNABORTED' });
});

test('a second connection between the same ports starts above the first, and no two start alike', async () => {
  const pair = new Pair();
  const isns: number[] = [];
  pair.tap = (packet) => {
    const read = readPacket(packet);
    if (read.flags === FLAG.SYN) isns.push(read.seq);
    return true;
  };
  for (let i = 0; i < 20; i++) await fails(pair, pair.client.connect({ host: SERVER4, port: 81 }), 'ECONNREFUSED');
  assert.equal(new Set(isns).size, 20);
  const gaps = isns.slice(1).map((isn, i) => Math.abs(isn - isns[i]!));
  assert.ok(Math.max(...gaps) > 2 ** 24, 'different ports have unrelated sequence numbers');
});

test('the SYN names the segment size of the MTU, a window scale and timestamps', async () => {
  const pair = new Pair({ mtu: 1420 });
  const seen: ReturnType<typeof readPacket>[] = [];
  pair.tap = (packet) => seen.push(readPacket(packet)) > 0;
  await connected(pair);
  await connected(pair, { host: SERVER6, port: 82 });
  const syns = seen.filter(({ flags }) => (flags & FLAG.SYN) !== 0);
  assert.deepEqual(
    syns.map(({ mss, shift, timestamps }) => [mss, shift, timestamps !== undefined]),
    [
      [1380, 7, true],
      [1380, 7, true],
      [1360, 7, true],
      [1360, 7, true],
    ],
  );
});

test('a peer without window scale or timestamps is spoken to without them', async () => {
  const peer = new HandPeer();
  const socket = await peer.open({ mss: 500 });
  socket.write(Buffer.alloc(700));
  const sent = peer.take();
  assert.deepEqual(
    sent.map(({ payload, timestamps }) => [payload.length, timestamps]),
    [
      [500, undefined],
      [200, undefined],
    ],
  );
  assert.equal(sent[0]!.window, 65_535);
  assert.equal(sent[0]!.destination, PEER);
  assert.equal(sent[0]!.source, HOST);
});

test('a repeated SYN gets our answer again', async () => {
  const peer = new HandPeer();
  peer.stack.listen({ port: 80 }, () => {});
  peer.send({ flags: FLAG.SYN, ack: 0, mss: 1000 });
  const first = peer.takeOne();
  peer.send({ flags: FLAG.SYN, ack: 0, mss: 1000 });
  const second = peer.takeOne();
  assert.deepEqual([second.seq, second.ack, second.flags], [first.seq, first.ack, FLAG.SYN | FLAG.ACK]);
});

test('one port of a peer can hold a connection to each address of the stack', () => {
  const peer = new HandPeer({ addresses: [HOST, '10.0.0.2'] });
  peer.stack.listen({ port: 80 }, () => {});
  for (const destination of [HOST, '10.0.0.2']) {
    peer.send({ destination, flags: FLAG.SYN, ack: 0, mss: 1000 });
    assert.equal(peer.takeOne().source, destination);
  }
  assert.equal(peer.stack.stats().connections, 2);
});
