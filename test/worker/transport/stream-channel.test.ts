import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePreamble } from '../../../protocol/frames.ts';
import { openedByUs } from '../../../worker/transport/stream-channel.ts';

/** A stream of the browser's that notes each piece it is given, and that a test may hold up or break. */
function browserStream(sink: UnderlyingSink<Uint8Array> = {}) {
  const pieces: Uint8Array[] = [];
  const writable = new WritableStream<Uint8Array>({
    ...sink,
    async write(piece, controller) {
      pieces.push(Uint8Array.from(piece));
      await sink.write?.(piece, controller);
    },
  });
  return {
    pieces,
    stream: { readable: new ReadableStream<Uint8Array>(), writable } as WebTransportBidirectionalStream,
  };
}

const frame = (length: number, fill: number) => new Uint8Array(length).fill(fill);
const preamble = encodePreamble(4n);

test('BR-1: frames that are sent in one breath are one piece to the browser, behind the preamble', async () => {
  const { pieces, stream } = browserStream();
  const channel = openedByUs(4n, Promise.resolve(stream));
  await Promise.all([channel.send(frame(30, 1)), channel.send(frame(500, 2)), channel.send(frame(20, 3))]);
  assert.deepEqual(pieces, [Uint8Array.of(...preamble, ...frame(30, 1), ...frame(500, 2), ...frame(20, 3))]);
  await channel.send(frame(10, 4));
  assert.deepEqual(pieces[1], frame(10, 4));
});

test('BR-1: large frames go one by one, in their order', async () => {
  const { pieces, stream } = browserStream();
  const channel = openedByUs(4n, Promise.resolve(stream));
  await Promise.all([channel.send(frame(30, 1)), channel.send(frame(16_384, 2)), channel.send(frame(20, 3))]);
  assert.deepEqual(pieces, [preamble, frame(30, 1), frame(16_384, 2), frame(20, 3)]);
});

test('a frame is the channel’s until the browser has taken it, and every one of a piece hears that it failed', async () => {
  const taken = Promise.withResolvers<void>();
  const slow = browserStream({ write: () => taken.promise });
  const channel = openedByUs(4n, Promise.resolve(slow.stream));
  let isSent = false;
  const sending = channel.send(frame(30, 1)).then(() => {
    isSent = true;
  });
  await new Promise(setImmediate);
  assert.deepEqual([slow.pieces.length, isSent], [1, false]);
  taken.resolve();
  await sending;

  const broken = browserStream({ write: () => Promise.reject(new Error('broken')) });
  const cut = openedByUs(4n, Promise.resolve(broken.stream));
  const results = await Promise.allSettled([cut.send(frame(30, 1)), cut.send(frame(30, 2))]);
  assert.deepEqual(
    results.map((one) => one.status === 'rejected' && one.reason.code),
    ['cut', 'cut'],
  );
});

test('the end of a channel comes behind what was sent in the same breath', async () => {
  const closed = Promise.withResolvers<void>();
  const { pieces, stream } = browserStream({ close: () => closed.resolve() });
  const channel = openedByUs(4n, Promise.resolve(stream));
  void channel.send(frame(30, 1));
  void channel.send(frame(30, 2));
  channel.finish();
  await closed.promise;
  assert.deepEqual(pieces, [Uint8Array.of(...preamble, ...frame(30, 1), ...frame(30, 2))]);
});
