/** Random bytes, from noise to almost right, at every parser of hostile input; a failure prints its seed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat, DecodeError } from '../../protocol/bytes.ts';
import { HandshakeError } from '../../protocol/established.ts';
import { decodeFrame, decodeReject, encodeFrame, type MessageType } from '../../protocol/handshake-frame.ts';
import { decodeInit } from '../../protocol/init.ts';
import { ObjectError, parseObject } from '../../protocol/lks1.ts';
import { decodeParams } from '../../protocol/params.ts';
import * as messages from '../../protocol/sealed-messages.ts';
import { decodeSvid } from '../../protocol/svid.ts';
import * as fixed from './fixed-handshake.ts';

const runs = Number(process.env['LATCHKEY_FUZZ_RUNS'] ?? 2_000);

/** Noise, or a real message with a stretch of it replaced, so that the parser gets past its first field. */
const damaged = (real: Uint8Array) =>
  fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.tuple(fc.nat(real.length), fc.uint8Array({ maxLength: 40 }), fc.nat(40)).map(([at, bytes, skip]) => {
      return concat(real.subarray(0, at), bytes, real.subarray(Math.min(real.length, at + skip)));
    }),
  );

const bodies = Object.fromEntries(Object.entries(fixed.messages).map(([name, frame]) => [name, frame.subarray(4)]));
const parsers: [string, Uint8Array, (bytes: Uint8Array) => unknown, new (...args: never[]) => Error][] = [
  ['a frame', fixed.messages.ready, decodeFrame, DecodeError],
  ['REJECT', Uint8Array.of(1), decodeReject, DecodeError],
  ['INIT', bodies['init']!, decodeInit, DecodeError],
  ['RESP', bodies['resp']!, messages.decodeResp, DecodeError],
  ['RESP opened', new Uint8Array(3_584), messages.decodeRespPlain, DecodeError],
  ['AUTH opened', new Uint8Array(10_240), messages.decodeAuth, DecodeError],
  ['READY opened', new Uint8Array(256), messages.decodeReady, DecodeError],
  ['parameters', new Uint8Array(50).fill(1), decodeParams, DecodeError],
  ['a signed object', fixed.svid, parseObject, ObjectError],
  ['a credential', fixed.svid, decodeSvid, ObjectError],
];

for (const [name, real, parse, Failure] of parsers)
  test(`the parser of ${name} fails with its typed error only`, () => {
    const property = fc.property(damaged(real), (bytes) => {
      try {
        parse(bytes);
      } catch (error) {
        assert.ok(error instanceof Failure, String(error));
      }
    });
    fc.assert(property, { numRuns: runs });
  });

test('a role in any state answers damaged frames with a typed error, never an internal one', async () => {
  const types: MessageType[] = ['init', 'retry', 'resp', 'auth', 'ready', 'reject'];
  for (const state of ['init', 'resp', 'auth', 'ready'] as const) {
    const frames = fc.oneof(
      damaged(fixed.messages[state]),
      fc.tuple(fc.constantFrom(...types), damaged(bodies[state]!)).map(([type, body]) => encodeFrame(type, body)),
    );
    const property = fc.asyncProperty(frames, async (frame) => {
      if (Buffer.compare(frame, fixed.messages[state]) === 0) return;
      const peer = await fixed.waiting[state]();
      await assert.rejects(
        peer.receive(frame),
        (error) => error instanceof HandshakeError && error.code !== 'internal',
      );
      await assert.rejects(peer.receive(frame), TypeError);
    });
    await fc.assert(property, { numRuns: Math.ceil(runs / 10) });
  }
});
