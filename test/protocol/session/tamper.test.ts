import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, hex } from '../../../protocol/bytes.ts';
import type { Stream } from '../../../protocol/stream.ts';
import { settled } from '../../support/fake-clock.ts';
import type { Arrival, FrameInFlight, Side } from '../../support/loopback-carrier.ts';
import { newPair } from './pair.ts';
import { seededRandom } from './seeded-random.ts';

const seed = Number(process.env['LATCHKEY_SEED'] ?? 20_261);
const messages = ['first', 'second', 'third', 'fourth'].map((text) => Buffer.from(`${text} message of a stream`));

/** What arrived, record by record, until the end or an error. */
async function receive(stream: Stream): Promise<{ chunks: string[]; end: string }> {
  const chunks: string[] = [];
  try {
    for (;;) {
      const chunk = await stream.read();
      if (chunk === null) return { chunks, end: 'fin' };
      chunks.push(Buffer.from(chunk).toString());
    }
  } catch (error) {
    return { chunks, end: (error as { code: string }).code };
  }
}

/** Four messages from client to gateway through a network with one fault. */
async function run(fault: (frame: FrameInFlight) => Arrival) {
  const { client, gateway, link, open } = await newPair({ fault });
  let opened: Awaited<ReturnType<typeof open>> | undefined;
  const opening = open().then(
    (streams) => {
      opened = streams;
    },
    () => {},
  );
  await Promise.race([opening, settled()]);
  const received = opened && receive(opened.gateway);
  if (opened) {
    for (const message of messages) {
      await opened.client.write(message).catch(() => {});
      await settled();
    }
    await opened.client.finish().catch(() => {});
  }
  await settled();
  link.client.close();
  await Promise.all([client.closed, gateway.closed]);
  return { received: await received, client: await client.closed, gateway: await gateway.closed };
}

/** Whatever the network did, what was delivered is the beginning of what was sent. */
function assertPrefix(chunks: readonly string[], what: string): void {
  assert.deepEqual(chunks, messages.slice(0, chunks.length).map(String), what);
}

const isData = ({ from, streamId }: FrameInFlight): boolean => from === 'client' && streamId === 2n;

test('QZ-1: an undisturbed run delivers everything', async () => {
  const { received } = await run(({ bytes }) => [bytes]);
  assert.deepEqual(received, { chunks: messages.map(String), end: 'fin' });
});

test('QZ-1: each bit of a data record, flipped, is fatal and nothing of the record arrives', async () => {
  let tried = 0;
  for (let bit = 0; bit < 8 * 84; bit++) {
    const { received, gateway } = await run((frame) => {
      if (!isData(frame) || frame.index !== 2) return [frame.bytes];
      const flipped = frame.bytes.slice();
      if (bit >= 8 * flipped.length) return [frame.bytes];
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      tried++;
      return [flipped];
    });
    if (received?.end === 'fin') continue; // past the end of this record
    assertPrefix(received!.chunks, `bit ${bit}`);
    assert.ok(received!.chunks.length <= 1, `bit ${bit}`);
    assert.ok(['decrypt', 'decode', 'replay', 'going_away'].includes(gateway.code), gateway.code);
  }
  assert.ok(tried > 400, `${tried} flips`);
});

/** One kind of disturbance, at a random frame, on any stream and in either direction. */
const mutations: ((frame: Uint8Array, random: (below: number) => number, held: Uint8Array[]) => Uint8Array[])[] = [
  (frame, random) => {
    const copy = frame.slice();
    copy[random(copy.length)]! ^= 1 + random(255);
    return [copy];
  },
  () => [],
  (frame) => [frame, frame],
  (frame, random) => [frame.slice(0, random(frame.length))],
  (frame, random) => [concat(frame, frame.slice(0, random(frame.length)))],
  (frame, random) => [
    concat(
      Uint8Array.from({ length: 40 }, () => random(256)),
      frame,
    ),
  ],
  (frame, random, seen) => [seen[random(seen.length)] ?? frame, frame],
  (frame, random, seen) => [frame, seen[random(seen.length)] ?? frame],
  // held back: comes after the next one
  (frame, _random, seen) => {
    seen.push(frame);
    return [];
  },
];

test('QZ-1: 3,000 disturbed runs deliver nothing that was not sent there and then', async () => {
  const random = seededRandom(seed);
  let disturbed = 0;
  for (let round = 0; round < 3_000; round++) {
    const mutate = mutations[round % mutations.length]!;
    const side: Side = random(4) === 0 ? 'gateway' : 'client';
    const [stream, index] = random(4) === 0 ? [0n, random(2)] : [2n, random(side === 'client' ? 6 : 1)];
    const seen: Uint8Array[] = [];
    let isDone = false;
    const { received } = await run((frame) => {
      if (isDone || frame.from !== side || frame.streamId !== stream || frame.index < index) {
        seen.push(frame.bytes.slice());
        return [frame.bytes];
      }
      isDone = true;
      disturbed++;
      return mutate(frame.bytes, random, seen);
    });
    const what = `seed ${seed}, round ${round}, ${side} ${stream}/${index}`;
    if (!received) continue;
    assertPrefix(received.chunks, what);
    if (received.end === 'fin') assert.equal(received.chunks.length, messages.length, what);
  }
  assert.ok(disturbed > 2_500, `${disturbed} runs were disturbed, seed ${seed}`);
});

test('QZ-1: a record of another stream, another direction or another session is refused', async () => {
  const other: FrameInFlight[] = [];
  await run((frame) => {
    other.push({ ...frame, bytes: frame.bytes.slice() });
    return [frame.bytes];
  });
  for (const foreign of other) {
    if (foreign.from === 'client' && foreign.streamId === 2n && foreign.index === 1) continue; // the same keys, counter and text
    const { received, gateway } = await run((frame) =>
      isData(frame) && frame.index === 1 ? [foreign.bytes] : [frame.bytes],
    );
    assert.deepEqual(received!.chunks, [], hex(foreign.bytes.subarray(0, 8)));
    assert.ok(gateway.code === 'decrypt' || gateway.code === 'decode', gateway.code);
  }
});

test('QZ-1: cut at every byte, a stream is truncated and never an end of file', async () => {
  const lengths: number[] = [];
  await run((frame) => {
    if (isData(frame)) lengths.push(frame.bytes.length);
    return [frame.bytes];
  });
  const total = lengths.reduce((sum, length) => sum + length, 0);
  for (const how of ['end', 'cut'] as const)
    for (let cut = lengths[0]!; cut < total; cut++) {
      let passed = 0;
      const { received } = await run((frame) => {
        if (!isData(frame)) return [frame.bytes];
        const room = Math.max(0, cut - passed);
        passed += frame.bytes.length;
        return room >= frame.bytes.length ? [frame.bytes] : { bytes: frame.bytes.slice(0, room), ending: how };
      });
      assertPrefix(received!.chunks, `cut at ${cut}`);
      assert.equal(received!.end, 'truncated', `cut at ${cut}`);
    }
});
