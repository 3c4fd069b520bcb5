/** Records sealed in the place from which a transport takes them: nobody may write there before it has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../protocol/bytes.ts';
import { CarrierError, type Channel } from '../../protocol/carrier.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { type Role, recordKind } from '../../protocol/record.ts';
import { RecordLayer } from '../../protocol/record-layer.ts';
import { recordLimits } from '../../protocol/session-limits.ts';
import { wasmCrypto } from '../../wasm/crypto.ts';
import { epochZero } from '../protocol/session/pair.ts';
import { FakeClock } from '../support/fake-clock.ts';
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

/** Takes each frame only after a gate; every third it takes and refuses at once. */
class LateChannel implements Channel {
  readonly streamId = 4n;
  readonly taken: Uint8Array[] = [];
  readonly given: Uint8Array[] = [];
  readonly gate = Promise.withResolvers<void>();

  async send(frame: Uint8Array): Promise<void> {
    const at = this.given.push(frame) - 1;
    if (at % 3 !== 2) await this.gate.promise;
    this.taken[at] = frame.slice();
    if (at % 3 === 2) throw new CarrierError('cut');
  }

  receive = () => assert.fail('nobody receives here');
  finish(): void {}
  abort(): void {}
}

function layerOf(crypto: Crypto, role: Role): RecordLayer {
  return new RecordLayer({
    crypto,
    clock: new FakeClock(),
    role,
    first: epochZero(),
    rejectAfterMs: 180_000,
    rekeyAfterBytes: 2 ** 30,
    limits: recordLimits,
    onWorn: assert.fail,
    onExpired: assert.fail,
    onSwept: assert.fail,
    onFatal: (error) => assert.fail(String(error)),
  });
}

test('QZ-1: a link’s records stand whole until a late transport has taken or refused them, and then lend their places again', async () => {
  const { crypto, raw } = fresh();
  const places = raw.FRAME_COUNT.value;
  const channel = new LateChannel();
  const link = layerOf(crypto, 'client').link(channel);
  const contents = Array.from({ length: 5 * places }, () => random.bytes(random.below(3_000)));
  const late: Promise<void>[] = [];
  for (const [i, content] of contents.entries()) {
    const sent = link.send(recordKind.data, content);
    if (i % 3 === 2) await assert.rejects(sent, { code: 'cut' });
    else late.push(sent);
  }
  assert.ok(late.length > places);
  channel.gate.resolve();
  await Promise.all(late);
  const opens = layerOf(crypto, 'gateway').link(channel);
  for (const [i, content] of contents.entries())
    assert.ok(Buffer.compare(opens.open(channel.taken[i]!).content, content) === 0, `record ${i}; ${seed}`);
  const again = Array.from({ length: places }, () => link.send(recordKind.data, random.bytes(10)));
  const lent = channel.given.slice(contents.length).filter(({ buffer }) => buffer === raw.memory.buffer);
  assert.equal(lent.length, places);
  await Promise.allSettled(again);
});
