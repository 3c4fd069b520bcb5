/** Records and framing against the published known answers, on two independent implementations of the AEAD. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { concat, hex, unhex } from '../../../protocol/bytes.ts';
import type { Crypto } from '../../../protocol/crypto.ts';
import { encodeMessage, encodePreamble, FrameReader, parseMessage, preambleBytes } from '../../../protocol/frames.ts';
import { encodeFrame } from '../../../protocol/handshake-frame.ts';
import { type KeyPlace, RecordOpener, RecordSealer, recordKind } from '../../../protocol/record.ts';
import { decodeOpen, encodeOpen } from '../../../protocol/stream-messages.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { nobleCrypto } from '../../support/noble-crypto.ts';
import { needsVectors, vectorsPresent } from '../../support/vectors.ts';
import { bytesOf, fieldOf, numberOf } from '../known-answers.ts';

type KnownRecord = {
  readonly what: string;
  readonly key_of: string;
  readonly direction: 0 | 1;
  readonly stream: number;
  readonly epoch: number;
  readonly counter: number;
  readonly type: number;
  readonly content: string;
  readonly bytes: string;
};

const cryptos: Record<string, Crypto> = { 'node:crypto': nodeCrypto, noble: nobleCrypto() };
const records = vectorsPresent ? (fieldOf('records') as KnownRecord[]) : [];
let checked = 0;

function placeOf(record: KnownRecord): KeyPlace {
  const [epoch, side] = record.key_of.split('.') as [string, string];
  const role = record.direction === 0 ? 'client' : 'gateway';
  return { role, streamId: BigInt(record.stream), epoch: record.epoch, secret: bytesOf(epoch, side) };
}

/** The one that comes before it under the same key, to bring the counter where it must be. */
function before(record: KnownRecord): KnownRecord[] {
  return records.filter((other) => {
    const samePlace = ['key_of', 'direction', 'stream', 'epoch'] as const;
    return samePlace.every((field) => other[field] === record[field]) && other.counter < record.counter;
  });
}

for (const [name, crypto] of Object.entries(cryptos))
  test(`QZ-16: seals and opens the known records on ${name}`, needsVectors, () => {
    for (const record of records) {
      const earlier = before(record);
      assert.equal(earlier.length, record.counter, record.what);
      const sealer = new RecordSealer(crypto, placeOf(record), 10);
      const opener = new RecordOpener(crypto, placeOf(record), 10);
      for (const { type, content, bytes } of earlier) {
        sealer.seal(type, unhex(content));
        opener.open(unhex(bytes));
      }
      assert.equal(hex(sealer.seal(record.type, unhex(record.content))), record.bytes, record.what);
      const { kind, content } = opener.open(unhex(record.bytes));
      assert.deepEqual([kind, hex(content)], [record.type, record.content], record.what);
      checked++;
    }
  });

test('OPEN is laid out as in the known record', needsVectors, () => {
  const content = unhex(records[0]!.content);
  const request = { kind: 'http', service: 'wiki', policyEpoch: 7n, flags: 0 } as const;
  assert.deepEqual(decodeOpen(content), request);
  assert.equal(hex(encodeOpen(request)), hex(content));
  checked++;
});

test('rekey records and the record overhead have the known sizes', needsVectors, () => {
  const place = placeOf(records[0]!);
  const sealed = (kind: number, content: Uint8Array): number =>
    new RecordSealer(nodeCrypto, place, 10).seal(kind, content).length;
  assert.equal(sealed(recordKind.rkInit, bytesOf('rekey1', 'rk_init')), numberOf('sizes', 'rk_init_record'));
  assert.equal(sealed(recordKind.rkResp, bytesOf('rekey1', 'rk_resp')), numberOf('sizes', 'rk_resp_record'));
  // 15 bytes of content need no padding
  assert.equal(sealed(recordKind.data, new Uint8Array(15)) - 15, numberOf('sizes', 'record_overhead'));
  checked += 3;
});

test('INIT is framed, and a stream begins, as in the known answers', needsVectors, () => {
  assert.equal(hex(encodeFrame('init', bytesOf('init'))), hex(bytesOf('framed_init')));
  assert.equal(hex(encodePreamble(2n)), hex(bytesOf('stream_preamble_2')));
  const reader = new FrameReader();
  for (const byte of concat(bytesOf('stream_preamble_2'), bytesOf('framed_init'))) reader.push(Uint8Array.of(byte));
  assert.equal(reader.preamble(), 2n);
  assert.equal(hex(reader.next()!), hex(bytesOf('framed_init')));
  assert.equal(preambleBytes, bytesOf('stream_preamble_2').length);
  checked += 2;
});

test('a record travels in a WebSocket message as in the known answers', needsVectors, () => {
  const message = bytesOf('websocket_message_of_records0');
  assert.equal(hex(encodeMessage(2n, unhex(records[0]!.bytes))), hex(message));
  const { streamId, frame } = parseMessage(message);
  assert.deepEqual([streamId, hex(frame)], [2n, records[0]!.bytes]);
  checked++;
});

after(() => {
  if (vectorsPresent) assert.equal(checked, 2 * 5 + 7, 'known answers checked');
});
