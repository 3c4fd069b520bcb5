/** Selective acknowledgment in both directions, and what is found lost by it: RFC 2018, 2883, 6675, 8985. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MIN_RTO_MS } from '../../../server/netstack/limits.ts';
import { HandPeer } from './support/hand-peer.ts';
import { type Packet, readPacket } from './support/packets.ts';
import { pattern } from './support/random.ts';
import { collect, connected, digest, sha256 } from './support/transfer.ts';
import { Pair } from './support/wire.ts';

const S = 1_000;
const syn = { mss: S, sackPermitted: true };
const text = (length: number) => new Uint8Array(length);

/** Blocks in segments from the peer's first byte. */
const blocksOf = (packet: Packet, first: number) =>
  packet.sack?.map(([start, end]) => [(start - first) / S, (end - first) / S]);

test('QPT-6: what arrives ahead of a gap is named, the latest first, until the gap is filled', async () => {
  const peer = new HandPeer();
  const socket = await peer.open(syn);
  const first = peer.seq;
  const at = (number: number) => peer.send({ seq: first + number * S, payload: text(S) });
  const steps: [number, number[][] | undefined][] = [
    [1, [[1, 2]]],
    [
      3,
      [
        [3, 4],
        [1, 2],
      ],
    ],
    [
      5,
      [
        [5, 6],
        [3, 4],
        [1, 2],
      ],
    ],
    [
      2,
      [
        [1, 4],
        [5, 6],
      ],
    ],
    [0, [[5, 6]]],
    [4, undefined],
  ];
  for (const [number, expected] of steps) {
    at(number);
    assert.deepEqual(blocksOf(peer.takeOne(), first), expected);
  }
  socket.destroy();
});

test('QPT-6: what arrives twice is named once as the first block, below the acknowledgment', async () => {
  const peer = new HandPeer();
  await peer.open(syn);
  const first = peer.seq;
  peer.text(text(S));
  peer.take();
  peer.send({ seq: first, payload: text(S) });
  assert.deepEqual(blocksOf(peer.takeOne(), first), [[0, 1]]);
  peer.send({ seq: first + 2 * S, payload: text(S) });
  assert.deepEqual(blocksOf(peer.takeOne(), first), [[2, 3]]);
});

test('QPT-6: what was not taken is not named, be it too old by its timestamp or beyond the window', async () => {
  const peer = new HandPeer();
  const stamped = (value: number) => ({ timestamps: { value, echo: 0 } });
  await peer.open({ ...syn, ...stamped(1_000) });
  peer.text(text(S), stamped(2_000));
  peer.take();
  peer.send({ seq: peer.seq + S, payload: text(S), ...stamped(1_999) });
  assert.equal(peer.takeOne().sack, undefined);
  peer.send({ seq: peer.seq + 2 ** 24, payload: text(S), ...stamped(2_000) });
  assert.equal(peer.takeOne().sack, undefined);
});

test('a peer that does not permit it gets no blocks', async () => {
  const peer = new HandPeer();
  await peer.open();
  peer.send({ seq: peer.seq + S, payload: text(S) });
  assert.equal(peer.takeOne().sack, undefined);
});

async function sending(segments: number): Promise<{ peer: HandPeer; first: number; sack: Sack }> {
  const peer = new HandPeer();
  const socket = await peer.open(syn);
  const first = peer.ack;
  // A round trip that is worth something: 20 ms, often enough to outweigh the handshake's none.
  for (let n = 1; n <= 30; n++) {
    socket.write(Buffer.alloc(S));
    await peer.clock.advance(20);
    peer.ack = (first + n * S) >>> 0;
    peer.send();
  }
  peer.take();
  socket.write(Buffer.alloc(segments * S));
  const start = peer.ack;
  const sack: Sack = (...blocks) => {
    peer.send({ sack: blocks.map(([from, to]) => [start + from * S, start + to * S]) });
    return peer.take().map(({ seq }) => (seq - start) / S);
  };
  // Until the pacer has let all of the window go.
  await peer.clock.advance(10);
  peer.take();
  return { peer, first: start, sack };
}

/** Sends blocks in segments. @returns the segments that go out upon it */
type Sack = (...blocks: [number, number][]) => number[];

test('QPT-6: three segments beyond a gap show it lost, and only the gap goes again', async () => {
  const { sack } = await sending(10);
  assert.deepEqual(sack([1, 2]), []);
  assert.deepEqual(sack([1, 3]), []);
  assert.deepEqual(sack([1, 4]), [0]);
  assert.deepEqual(sack([1, 5]), []);
});

test('two gaps go again in one round trip', async () => {
  const { peer, first, sack } = await sending(10);
  const at = sack([1, 4], [5, 10]);
  // The pacer lets the second follow the first.
  await peer.clock.advance(10);
  const later = peer.take().map(({ seq }) => (seq - first) / S);
  assert.deepEqual([...at, ...later], [0, 4]);
});

test('a segment that is only late is waited for, a quarter of the round trip', async () => {
  const { peer, first, sack } = await sending(10);
  assert.deepEqual(sack([1, 2]), []);
  await peer.clock.advance(2);
  peer.ack = (first + 10 * S) >>> 0;
  peer.send();
  await peer.clock.advance(MIN_RTO_MS);
  assert.deepEqual(
    peer.take().map(({ seq }) => (seq - first) / S),
    [],
  );
});

test('QPT-6: one that is lost again is found by what was sent after it, without a timeout', async () => {
  const { peer, sack } = await sending(30);
  assert.ok(sack([1, 8]).includes(0));
  const began = peer.clock.monotonic();
  await peer.clock.advance(20);
  peer.take();
  // New data, sent after the repetition, arrives; the repetition did not.
  const again = sack([1, 12]);
  assert.ok(again.includes(0), `${again}`);
  assert.ok(peer.clock.monotonic() - began < MIN_RTO_MS);
});

test('QPT-6: a repetition that arrives ahead of a gap shows the one before it lost, though its echo is that of an older segment', async () => {
  const pair = new Pair({ delayMs: 10 });
  const { client, server } = await connected(pair);
  const sent = new Map<number, number>();
  pair.tap = (packet, direction) => {
    if (direction === 'toClient' || packet.length < S) return true;
    const { seq } = readPacket(packet);
    const times = (sent.get(seq) ?? 0) + 1;
    sent.set(seq, times);
    const number = [...sent.keys()].indexOf(seq);
    return !(number === 5 && times <= 2) && !(number === 7 && times === 1);
  };
  const arrived = digest(server);
  const data = pattern(10 * 1_368);
  const began = pair.clock.monotonic();
  client.end(data);
  assert.equal((await pair.clock.resolve(arrived)).sha256, sha256(data));
  assert.deepEqual([...sent.values()], [1, 1, 1, 1, 1, 3, 1, 2, 1, 1]);
  assert.ok(pair.clock.monotonic() - began < MIN_RTO_MS);
});

test('QPT-6: a lost tail is probed for before the retransmission timer, with its last segment', async () => {
  const { peer, first } = await sending(4);
  await peer.clock.advance(60);
  const probes = peer.take();
  assert.deepEqual(
    probes.map(({ seq }) => (seq - first) / S),
    [3],
  );
  // Its block shows what is missing.
  peer.send({ sack: [[first + 3 * S, first + 4 * S]] });
  await peer.clock.advance(30);
  const numbers = peer.take().map(({ seq }) => (seq - first) / S);
  assert.deepEqual(numbers.slice(0, 1), [0]);
});

test('a peer that drops what it had said it has gets all of it again after a timeout', async () => {
  const { peer, first, sack } = await sending(5);
  sack([0, 5]);
  await peer.clock.advance(2_000);
  for (let number = 1; number <= 5; number++) {
    peer.ack = (first + number * S) >>> 0;
    peer.send();
    await peer.clock.advance(5);
  }
  const numbers = new Set(peer.take().map(({ seq }) => (seq - first) / S));
  assert.deepEqual([...numbers].sort(), [0, 1, 2, 3, 4]);
});

test('blocks that cannot be are passed over', async () => {
  const { sack } = await sending(5);
  for (const blocks of [[[20, 30]], [[4, 2]], [[-5, -1]], [[0, 0]]] as [number, number][][]) {
    assert.deepEqual(sack(...blocks), []);
  }
});

for (const [how, faults] of Object.entries({
  'one packet in five is lost': { loss: 0.2, delayMs: 10 },
  'one in ten is lost, doubled, late or damaged': {
    ...{ loss: 0.1, duplicate: 0.1, corrupt: 0.1, delayMs: 10 },
    ...{ reorder: 0.1, reorderMs: 30 },
  },
})) {
  test(`QPT-6: 10 MiB arrive whole though ${how}, both ways`, async () => {
    const pair = new Pair({ seed: 21, ...faults });
    const { client, server } = await connected(pair);
    const sent = pattern(10 * 1_048_576);
    const arrived = digest(server);
    client.end(sent);
    assert.equal((await pair.clock.resolve(arrived, 3_600_000)).sha256, sha256(sent));
  });
}

test('a window is spread over a long round trip', async () => {
  const pair = new Pair({ delayMs: 100 });
  const { client, server } = await connected(pair);
  const times = new Map<number, number>();
  pair.tap = (packet, direction) => {
    if (direction === 'toServer' && packet.length > 1_000) {
      const now = pair.clock.monotonic();
      times.set(now, (times.get(now) ?? 0) + 1);
    }
    return true;
  };
  const arrived = collect(server);
  client.end(pattern(2_000_000));
  assert.equal((await pair.clock.resolve(arrived)).length, 2_000_000);
  // Without pacing slow start would send some hundred at once; the first ten have no round trip to go by.
  assert.ok(Math.max(...times.values()) <= 40, `${Math.max(...times.values())} at once`);
});
