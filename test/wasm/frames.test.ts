/** Records sealed in the place from which a transport takes them: nobody may write there before it has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../protocol/bytes.ts';
import { RecordOpener, RecordSealer, recordKind } from '../../protocol/record.ts';
import { wasmCrypto } from '../../wasm/crypto.ts';
import { nobleCrypto } from '../support/noble-crypto.ts';
import { seeded } from './seeded.ts';
import { freshKernel } from './under-test.ts';

const random = seeded();
const seed = `LATCHKEY_SEED=${random.seed}`;
const { verify } = nobleCrypto();
const key = random.bytes(32);
const [head, ad] = [Uint8Array.of(0x17, 0, 1, 2), random.bytes(17)];

function fresh() {
  const underTest = freshKernel();
  return { ...underTest, crypto: wasmCrypto(underTest.kernel, { random: random.bytes, verify }) };
}

test('QZ-16: a frame is its head and the record that seal() makes, at every length around a block and a record', () => {
  const { crypto, raw } = fresh();
  const [framing, sealing] = [crypto.sealer(key), crypto.sealer(key)];
  for (const length of [0, 1, 15, 16, 17, 192, 193, 448, 16_383, 16_384, 16_385, raw.TEXT_MAX.value]) {
    const text = random.bytes(length);
    const frame = framing.frame(head, ad, text);
    assert.ok(Buffer.compare(frame, concat(head, sealing.seal(ad, text))) === 0, `${length} bytes; ${seed}`);
    framing.release(frame);
  }
  assert.equal(framing.count, sealing.count);
});

test('QZ-16: frames stand untouched until they are given back, however many there are', () => {
  const { crypto, raw } = fresh();
  const [framing, sealing] = [crypto.sealer(key), crypto.sealer(key)];
  const texts = Array.from({ length: 3 * raw.FRAME_COUNT.value }, () => random.bytes(random.below(2_000)));
  const frames = texts.map((text) => framing.frame(head, ad, text));
  const inModule = frames.filter((frame) => frame.buffer === raw.memory.buffer);
  assert.equal(inModule.length, raw.FRAME_COUNT.value);
  for (const [i, text] of texts.entries())
    assert.ok(Buffer.compare(frames[i]!, concat(head, sealing.seal(ad, text))) === 0, `frame ${i}; ${seed}`);
});

test('QZ-16: a place is lent again when its frame came back, and a frame given back twice frees nothing else', () => {
  const { crypto, raw } = fresh();
  const sealer = crypto.sealer(key);
  const first = sealer.frame(head, ad, random.bytes(100));
  sealer.release(first);
  const second = sealer.frame(head, ad, random.bytes(100));
  assert.equal(second.byteOffset, first.byteOffset);
  const before = second.slice();
  sealer.release(first);
  sealer.release(second.slice());
  for (let i = 0; i < 2 * raw.FRAME_COUNT.value; i++) sealer.frame(head, ad, random.bytes(100));
  assert.deepEqual(second.slice(), before);
});

test('QZ-18: a key that may not seal leaves no text in the place it was to be sealed in', () => {
  const { kernel, memory } = fresh();
  const held = kernel.hold('open', key);
  const text = random.bytes(64);
  assert.throws(() => kernel.sealFrame(held, head, ad, text), RangeError);
  assert.equal(Buffer.from(memory.buffer).indexOf(text), -1);
  assert.throws(() => kernel.sealFrame(held, new Uint8Array(17), ad, text), RangeError);
});

test('QZ-1: a stream that takes its chunks late gets every record whole', async () => {
  const { crypto, raw } = fresh();
  const place = { role: 'client', streamId: 0n, epoch: 0, secret: random.bytes(32) } as const;
  const [seals, opens] = [new RecordSealer(crypto, place, 1_000), new RecordOpener(crypto, place, 1_000)];
  const taken: Uint8Array[] = [];
  const gate = Promise.withResolvers<void>();
  const slow = new WritableStream<Uint8Array>({
    async write(chunk) {
      await gate.promise;
      taken.push(chunk.slice());
    },
  });
  const writer = slow.getWriter();
  const contents = Array.from({ length: 5 * raw.FRAME_COUNT.value }, () => random.bytes(random.below(3_000)));
  const writing = contents.map((content) => {
    const frame = seals.seal(recordKind.data, content);
    return writer.write(frame).then(() => seals.release(frame));
  });
  gate.resolve();
  await Promise.all(writing);
  for (const [i, content] of contents.entries())
    assert.ok(Buffer.compare(opens.open(taken[i]!).content, content) === 0, `record ${i}; ${seed}`);
});
