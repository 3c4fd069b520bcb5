import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, utf8, Writer } from '../../../protocol/bytes.ts';
import { type KeyPlace, RecordOpener, RecordSealer, recordKind } from '../../../protocol/record.ts';
import { streamKey } from '../../../protocol/schedule.ts';
import { maxContentBytes } from '../../../protocol/session-limits.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { newRawPeer } from './pair.ts';

const place: KeyPlace = { role: 'client', streamId: 4n, epoch: 259, secret: nodeCrypto.sha256(utf8('a secret')) };
const opener = (other: Partial<KeyPlace> = {}) => new RecordOpener(nodeCrypto, { ...place, ...other }, 100);
const sealer = (other: Partial<KeyPlace> = {}) => new RecordSealer(nodeCrypto, { ...place, ...other }, 100);

/** A record with any inner plaintext, made from the specification's words alone. */
function handMade(inner: Uint8Array): Uint8Array {
  const header = Uint8Array.of(0x17, 3, (inner.length + 16) >> 8, (inner.length + 16) & 0xff);
  const ad = new Writer().u8(0).u64(4n).u32(259).bytes(header).done();
  const key = streamKey(nodeCrypto, place.secret, 4n);
  return concat(header, nodeCrypto.sealer(key).seal(ad, inner));
}

const inner = (content: string, kind: number, length: number): Uint8Array =>
  concat(utf8(content), Uint8Array.of(kind), new Uint8Array(length - content.length - 1));

test('opens what the specification describes', () => {
  const { kind, content } = opener().open(handMade(inner('hello', recordKind.data, 16)));
  assert.deepEqual([kind, Buffer.from(content).toString()], [recordKind.data, 'hello']);
});

for (const [what, plaintext] of [
  ['data padded more than it needs', inner('hello', recordKind.data, 32)],
  ['control padded as data', inner('', recordKind.fin, 16)],
  ['control padded more than it needs', inner('', recordKind.fin, 128)],
  ['padding to an odd length', inner('hello', recordKind.data, 17)],
  ['nothing but padding', new Uint8Array(16)],
  ['less than a block', inner('hi', recordKind.data, 8)],
  ['more than a record may hold', inner('', recordKind.fin, 16_384 + 64)],
] as const)
  test(`refuses ${what}: decode`, () => {
    assert.throws(() => opener().open(handMade(plaintext)), { code: 'decode' });
  });

test('content of every length comes back, padded to 16 or 64', () => {
  const [seals, opens] = [sealer(), opener()];
  for (const length of [0, 1, 14, 15, 16, 62, 63, 64, 1_000, maxContentBytes - 1, maxContentBytes])
    for (const [kind, step] of [
      [recordKind.data, 16],
      [recordKind.reauth, 64],
    ] as const) {
      const content = new Uint8Array(length).fill(5);
      const frame = seals.seal(kind, content);
      assert.equal((frame.length - 20) % step, 0);
      const opened = opens.open(frame);
      assert.deepEqual([opened.kind, opened.content.length], [kind, length]);
    }
  assert.throws(() => seals.seal(recordKind.data, new Uint8Array(maxContentBytes + 1)), TypeError);
});

test('content that ends in zeros keeps them', () => {
  const frame = sealer().seal(recordKind.data, Uint8Array.of(1, 0, 0));
  assert.deepEqual(Uint8Array.from(opener().open(frame).content), Uint8Array.of(1, 0, 0));
});

for (const [what, other] of [
  ['the other direction', { role: 'gateway' }],
  ['another stream', { streamId: 6n }],
  ['an epoch with the same low byte', { epoch: 3 }],
  ['another secret', { secret: new Uint8Array(32) }],
] as const)
  test(`a record does not open in ${what}: decrypt`, () => {
    assert.throws(() => opener(other).open(sealer().seal(recordKind.data, utf8('hello'))), { code: 'decrypt' });
  });

test('a record that was dropped, repeated or swapped fails the next one: decrypt', () => {
  const seals = sealer();
  const frames = ['one', 'two'].map((text) => seals.seal(recordKind.data, utf8(text)));
  assert.throws(() => opener().open(frames[1]!), { code: 'decrypt' });
  const twice = opener();
  twice.open(frames[0]!);
  assert.throws(() => twice.open(frames[0]!), { code: 'decrypt' });
});

test('a length that does not fit its frame is refused: decode', () => {
  const frame = sealer().seal(recordKind.data, utf8('hello'));
  assert.throws(() => opener().open(frame.subarray(0, frame.length - 1)), { code: 'decode' });
  assert.throws(() => opener().open(concat(frame, Uint8Array.of(0))), { code: 'decode' });
});

test('QZ-16: a stream that is over seals nothing more, since its counter would begin again', async () => {
  const faults: unknown[] = [];
  const { layer, open } = await newRawPeer('client', { onFatal: (error) => faults.push(error) });
  const link = open(2n);
  await link.send(recordKind.data, Uint8Array.of(1));
  layer.unlink(link);
  await assert.rejects(link.send(recordKind.data, Uint8Array.of(1)), { code: 'internal' });
  assert.equal(faults.length, 1);
});
