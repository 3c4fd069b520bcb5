/** A peer that is authenticated is not honest: garbage, forged segments and waste must cost it, not us. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_BACKLOG } from '../../../server/netstack/limits.ts';
import { NetStack } from '../../../server/netstack/stack.ts';
import { HandPeer, HOST, PEER } from './support/hand-peer.ts';
import { FLAG, makeIp, makePacket, type Packet } from './support/packets.ts';
import { collect, ending } from './support/transfer.ts';
import { CLIENT4, CLIENT6, SERVER4, SERVER6 } from './support/wire.ts';

const RUNS = 5_000;

function deafStack(): NetStack {
  const stack = new NetStack({ addresses: [SERVER4, SERVER6], output: () => {} });
  stack.listen({ port: 80 }, () => {});
  return stack;
}

test('bytes of any shape never throw', () => {
  const stack = deafStack();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => stack.input(bytes)),
    { numRuns: RUNS },
  );
  assert.equal(stack.stats().packetsIn, RUNS);
  stack.close();
});

test('bytes that begin like a packet for us never throw', () => {
  const stack = deafStack();
  const payload = fc.uint8Array({ maxLength: 120 });
  const protocol = fc.constantFrom(0, 1, 6, 17, 43, 44, 58, 60);
  fc.assert(
    fc.property(payload, protocol, fc.boolean(), (bytes, number, v6) => {
      stack.input(v6 ? makeIp(CLIENT6, SERVER6, number, bytes) : makeIp(CLIENT4, SERVER4, number, bytes));
    }),
    { numRuns: RUNS },
  );
  stack.close();
});

const anySegment = fc.record({
  seq: fc.oneof(fc.constantFrom(0, 1, -1, 1_000, 70_000, 2 ** 31), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  ack: fc.oneof(fc.constantFrom(0, 1, -1, 1_000, 2 ** 31), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  flags: fc.nat(255),
  window: fc.nat(65_535),
  payload: fc.uint8Array({ maxLength: 40 }),
  mss: fc.option(fc.nat(65_535), { nil: undefined }),
  shift: fc.option(fc.nat(255), { nil: undefined }),
  relative: fc.boolean(),
});

test('any sequence of valid segments, sent to a connection in use, never throws and never breaks the stack', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anySegment, { maxLength: 25 }), fc.boolean(), async (segments, stamps) => {
      const peer = new HandPeer({ bufferSize: 32 * 1024 });
      const timestamps = stamps ? { timestamps: { value: 1, echo: 0 } } : {};
      const socket = await peer.open({ mss: 1000, shift: 4, ...timestamps });
      socket.on('error', () => {});
      socket.resume();
      socket.write(Buffer.alloc(20_000));
      for (const { relative, mss, shift, ...fields } of segments) {
        const { seq, ack } = relative
          ? { seq: (peer.seq + fields.seq) >>> 0, ack: (peer.ack + fields.ack) >>> 0 }
          : { seq: fields.seq >>> 0, ack: fields.ack >>> 0 };
        const options = { ...(mss === undefined ? {} : { mss }), ...(shift === undefined ? {} : { shift }) };
        peer.send({ ...fields, ...options, ...(stamps ? { timestamps: { value: 2, echo: 0 } } : {}), seq, ack });
      }
      await peer.clock.advance(5_000);
      assert.ok(peer.stack.stats().bufferedBytes <= 4 * 32 * 1024);
      socket.destroy();
      peer.stack.close();
      assert.equal(peer.stack.stats().connections, 0);
    }),
    { numRuns: 300 },
  );
});

test('every prefix of a valid packet is dropped or taken, and none throws', () => {
  const stack = deafStack();
  const base: Packet = {
    version: 4,
    source: CLIENT4,
    destination: SERVER4,
    sourcePort: 1000,
    destinationPort: 80,
    seq: 1,
    ack: 0,
    flags: FLAG.SYN,
    window: 1000,
    mss: 1000,
    shift: 3,
    timestamps: { value: 1, echo: 0 },
    payload: Buffer.from('data'),
  };
  for (const packet of [base, { ...base, version: 6, source: CLIENT6, destination: SERVER6 } as Packet]) {
    const whole = makePacket(packet);
    for (let length = 0; length < whole.length; length++) stack.input(whole.subarray(0, length));
    assert.equal(stack.stats().connections, packet.version === 4 ? 0 : 1);
    stack.input(whole);
    assert.equal(stack.stats().connections, packet.version === 4 ? 1 : 2);
  }
  stack.close();
});

test('padding behind a packet is not read as text', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  const arrived = collect(socket);
  const packet = makePacket({
    version: 4,
    source: PEER,
    destination: HOST,
    sourcePort: 40_000,
    destinationPort: 80,
    seq: peer.seq,
    ack: peer.ack,
    flags: FLAG.ACK | FLAG.FIN,
    window: 1000,
    payload: Buffer.from('text'),
  });
  peer.stack.input(Buffer.concat([packet, Buffer.alloc(30, 0x41)]));
  assert.equal(String(Buffer.from(await peer.clock.resolve(arrived))), 'text');
});

test('a segment outside of the window is answered with an ACK and not taken', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  const before = peer.ack;
  for (const offset of [-10, -4, 70_000, 2 ** 31 - 1, -(2 ** 31)]) {
    peer.send({ seq: (peer.seq + offset) >>> 0, payload: Buffer.from('evil'), flags: FLAG.ACK | FLAG.PSH });
    const answer = peer.takeOne();
    assert.deepEqual([answer.flags, answer.seq, answer.ack], [FLAG.ACK, before, peer.seq], `${offset}`);
  }
  await peer.clock.settle();
  assert.equal(socket.bytesRead, 0);
});

test('RFC 5961: only a RST at the exact place resets; one in the window is challenged, any other ignored', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  const end = ending(socket);
  peer.send({ flags: FLAG.RST, seq: (peer.seq + 1) >>> 0 });
  assert.deepEqual(peer.takeOne().flags, FLAG.ACK);
  peer.send({ flags: FLAG.RST, seq: (peer.seq + 100_000) >>> 0 });
  peer.send({ flags: FLAG.RST, seq: (peer.seq - 1) >>> 0 });
  assert.equal(peer.take().length, 0);
  assert.equal(socket.destroyed, false);
  peer.send({ flags: FLAG.RST });
  assert.equal(await peer.clock.resolve(end), 'ECONNRESET');
});

test('RFC 5961: a SYN in a connection is challenged wherever it lies', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  for (const offset of [-1, 0, 1, 1_000]) {
    peer.send({ flags: FLAG.SYN, seq: (peer.seq + offset) >>> 0 });
    assert.deepEqual(peer.takeOne().flags, FLAG.ACK, `${offset}`);
  }
  assert.equal(socket.destroyed, false);
});

test('RFC 5961: text with an ACK that was never possible is challenged and not taken', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  socket.resume();
  for (const ack of [peer.ack + 1, peer.ack + 2 ** 30, peer.ack - 100_000]) {
    peer.send({ ack: ack >>> 0, payload: Buffer.from('evil'), flags: FLAG.ACK | FLAG.PSH });
    assert.equal(peer.takeOne().ack, peer.seq);
  }
  await peer.clock.settle();
  assert.equal(socket.bytesRead, 0);
});

test('challenges are limited to ten a second for each connection', async () => {
  const peer = new HandPeer();
  await peer.open();
  for (let i = 0; i < 100; i++) peer.send({ flags: FLAG.SYN });
  assert.equal(peer.take().length, 10);
  await peer.clock.advance(1_000);
  for (let i = 0; i < 100; i++) peer.send({ flags: FLAG.SYN });
  assert.equal(peer.take().length, 10);
});

test('a segment without ACK is ignored', async () => {
  const peer = new HandPeer();
  const socket = await peer.open();
  socket.resume();
  peer.send({ flags: FLAG.PSH, payload: Buffer.from('evil') });
  peer.send({ flags: 0, payload: Buffer.from('evil') });
  await peer.clock.settle();
  assert.equal(socket.bytesRead, 0);
});

test('PAWS: a segment from before the last timestamp is acknowledged and not taken', async () => {
  const peer = new HandPeer();
  const socket = await peer.open({ mss: 1000, timestamps: { value: 1_000, echo: 0 } });
  socket.resume();
  peer.text(Buffer.from('new'), { timestamps: { value: 2_000, echo: 0 } });
  peer.take();
  peer.send({ payload: Buffer.from('old'), timestamps: { value: 1_999, echo: 0 }, flags: FLAG.ACK | FLAG.PSH });
  const answer = peer.takeOne();
  assert.deepEqual([answer.ack, answer.timestamps?.echo], [peer.seq, 2_000]);
  peer.send({ payload: Buffer.from('no timestamp at all'), flags: FLAG.ACK | FLAG.PSH });
  assert.equal(peer.take().length, 0);
  await peer.clock.settle();
  assert.equal(socket.bytesRead, 3);
});

test('PAWS: a segment that ran ahead does not make the ones before it look old', async () => {
  const peer = new HandPeer();
  const socket = await peer.open({ mss: 1000, timestamps: { value: 1_000, echo: 0 } });
  socket.resume();
  peer.send({ seq: peer.seq + 3, payload: Buffer.from('two'), timestamps: { value: 3_000, echo: 0 } });
  peer.send({ payload: Buffer.from('one'), timestamps: { value: 2_000, echo: 0 } });
  await peer.clock.settle();
  assert.equal(socket.bytesRead, 6);
});

test('an invented echo of a timestamp does not become a round trip', async () => {
  const peer = new HandPeer();
  const socket = await peer.open({ mss: 1000, timestamps: { value: 1, echo: 0 } });
  socket.write('x');
  const [sent] = peer.take();
  peer.ack = (peer.ack + 1) >>> 0;
  peer.send({ timestamps: { value: 2, echo: (sent!.timestamps!.value - 50_000_000) >>> 0 } });
  socket.write('y');
  peer.take();
  await peer.clock.advance(250);
  assert.equal(peer.take().length, 1, 'the timeout is still short');
});

test('a flood of SYNs is dropped beyond the backlog, and the listener recovers', async () => {
  const peer = new HandPeer();
  peer.stack.listen({ port: 80 }, () => {});
  const flood = (from: number) => {
    for (let i = 0; i < 2 * MAX_BACKLOG; i++) peer.send({ flags: FLAG.SYN, ack: 0, mss: 1000, sourcePort: from + i });
  };
  flood(1);
  const { connections, dropped } = peer.stack.stats();
  assert.deepEqual([connections, dropped.overload], [MAX_BACKLOG, MAX_BACKLOG]);
  await peer.clock.advance(32_000);
  assert.equal(peer.stack.stats().connections, 0);
  assert.equal(peer.clock.pending, 0);
  flood(10_000);
  assert.equal(peer.stack.stats().connections, MAX_BACKLOG);
});

test('scattered single bytes ahead of a gap are bounded by the window', async () => {
  const peer = new HandPeer({ bufferSize: 16 * 1024 });
  await peer.open();
  for (let i = 1; i < 60_000; i += 2) {
    peer.send({ seq: (peer.seq + i) >>> 0, payload: Uint8Array.of(1) });
    if (i % 1_000 === 1) peer.take();
  }
  assert.ok(peer.stack.stats().bufferedBytes <= 16 * 1024);
});

test('a segment size of one byte is not taken at its word', async () => {
  const peer = new HandPeer();
  const socket = await peer.open({ mss: 1 });
  socket.write(Buffer.alloc(6_400));
  assert.equal(peer.take()[0]!.payload.length, 64);
});

test('an acknowledgment at an unknown connection gets a RST that fits it, a RST gets nothing', () => {
  const peer = new HandPeer();
  peer.send({ flags: FLAG.ACK, ack: 77 });
  const reset = peer.takeOne();
  assert.deepEqual([reset.flags, reset.seq], [FLAG.RST, 77]);
  peer.send({ flags: FLAG.FIN, seq: 100, payload: Buffer.from('abc') });
  const other = peer.takeOne();
  assert.deepEqual([other.flags, other.ack], [FLAG.RST | FLAG.ACK, 104]);
  peer.send({ flags: FLAG.RST });
  assert.equal(peer.take().length, 0);
});

test('packets for others, forged sources and unknown protocols are dropped and counted, and one piece alone does nothing', () => {
  const peer = new HandPeer();
  const { stack } = peer;
  const syn = (fields: Partial<Packet>) => peer.send({ flags: FLAG.SYN, ack: 0, ...fields });
  syn({ destination: '10.0.0.2' });
  syn({ source: '255.255.255.255' });
  stack.input(makeIp(PEER, HOST, 132, new Uint8Array(8)));
  const fragment = makeIp(PEER, HOST, 6, new Uint8Array(24));
  fragment[6] = 0x20;
  fragment[10] = fragment[10]! - 0x20;
  stack.input(fragment);
  const { dropped } = stack.stats();
  // A first piece is not dropped but waits for the others (fragments.test.ts).
  assert.deepEqual([dropped['not-ours'], dropped.source, dropped.protocol, dropped.fragment], [1, 1, 1, 0]);
  assert.equal(peer.take().length, 0);
});
