import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat, hex, utf8, Writer } from '../../../protocol/bytes.ts';
import {
  decodeClose,
  encodeCloseMessage,
  encodeWebSocketMessage,
  encodeWebSocketMessageHeader,
  maxMessageBytes,
  opcode,
  WebSocketMessageReader,
  WebSocketPartReader,
} from '../../../protocol/exchange/websocket.ts';

function all(reader: WebSocketMessageReader) {
  return Array.from({ length: 100 }, () => reader.next()).filter((message) => message !== undefined);
}

test('lays the bytes out as the specification says', () => {
  assert.equal(hex(encodeWebSocketMessage(opcode.text, utf8('hi'))), '01000000026869');
  assert.equal(hex(encodeCloseMessage({ code: 1000, reason: 'ok' })), '080000000403e86f6b');
  assert.equal(hex(encodeCloseMessage({ code: undefined, reason: '' })), '0800000000');
});

test('messages come back whole from pieces of any size', () => {
  const seed = 7;
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 17 }),
      (payloads, size) => {
        const bytes = concat(...payloads.map((payload) => encodeWebSocketMessage(opcode.binary, payload)));
        const reader = new WebSocketMessageReader();
        for (let at = 0; at < bytes.length; at += size) reader.push(bytes.slice(at, at + size));
        assert.deepEqual(
          all(reader).map(({ payload }) => hex(payload)),
          payloads.map(hex),
        );
        assert.equal(reader.isBetween, true);
      },
    ),
    { seed, numRuns: 500 },
  );
});

test('a long message is handed on before it is whole', () => {
  const reader = new WebSocketPartReader();
  assert.deepEqual(reader.push(encodeWebSocketMessageHeader(opcode.binary, 10)), []);
  const [first] = reader.push(new Uint8Array(4));
  assert.deepEqual([first?.chunk.length, first?.length, first?.isLast], [4, 10, false]);
  assert.equal(reader.isBetween, false);
  const [second, third] = reader.push(concat(new Uint8Array(6), encodeWebSocketMessage(opcode.text, utf8('!'))));
  assert.deepEqual([second?.isLast, third?.isLast, third?.opcode], [true, true, opcode.text]);
});

test('an empty message is a message', () => {
  const reader = new WebSocketMessageReader();
  reader.push(encodeWebSocketMessage(opcode.text, new Uint8Array(0)));
  assert.equal(reader.next()?.payload.length, 0);
});

test('an unknown opcode, too long a message and too long a close are refused by the header alone', () => {
  const header = (code: number, length: number): Uint8Array => new Writer().u8(code).u32(length).done();
  assert.throws(() => new WebSocketMessageReader().push(header(9, 0)), { code: 'malformed' });
  assert.throws(() => new WebSocketMessageReader().push(header(1, maxMessageBytes + 1)), { code: 'too_large' });
  assert.throws(() => new WebSocketMessageReader().push(header(8, 126)), { code: 'too_large' });
});

test('a close keeps its code and reason, and says when there was none', () => {
  const reader = new WebSocketMessageReader();
  reader.push(encodeCloseMessage({ code: 4001, reason: 'grüße' }));
  assert.deepEqual(decodeClose(reader.next()!.payload), { code: 4001, reason: 'grüße' });
  assert.deepEqual(decodeClose(new Uint8Array(0)), { code: undefined, reason: '' });
  assert.throws(() => decodeClose(Uint8Array.of(3)), { code: 'malformed' });
  assert.throws(() => decodeClose(Uint8Array.of(3, 232, 0xff)), { code: 'malformed' });
  assert.throws(() => encodeCloseMessage({ code: 1000, reason: 'x'.repeat(124) }), TypeError);
});
