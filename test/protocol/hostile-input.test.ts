/** Hostile bytes at every parser of the protocol: a value or the typed error of its layer, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat, DecodeError, utf8, Writer } from '../../protocol/bytes.ts';
import { CarrierError } from '../../protocol/carrier.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { DatagramOpener, DatagramSealer, readHeader } from '../../protocol/datagram.ts';
import { encodeDescriptor, verifyDescriptor } from '../../protocol/descriptor.ts';
import { HandshakeError } from '../../protocol/established.ts';
import { ExchangeError } from '../../protocol/exchange/error.ts';
import {
  encodeRequestHead,
  encodeResponseHead,
  RequestHeadReader,
  ResponseHeadReader,
} from '../../protocol/exchange/http.ts';
import {
  decodeClose,
  encodeWebSocketMessage,
  opcode,
  WebSocketMessageReader,
} from '../../protocol/exchange/websocket.ts';
import { encodeMessage, encodePreamble, FrameReader, parseMessage } from '../../protocol/frames.ts';
import { decodeFrame, decodeReject, encodeFrame, type MessageType } from '../../protocol/handshake-frame.ts';
import { decodeInit } from '../../protocol/init.ts';
import { ObjectError, objectType, parseObject, signObject } from '../../protocol/lks1.ts';
import { decodeParams, encodeParams } from '../../protocol/params.ts';
import { verifyPins, verifyRole } from '../../protocol/pins.ts';
import { type KeyPlace, RecordOpener, RecordSealer, recordKind } from '../../protocol/record.ts';
import { decodeRetry, encodeRetry } from '../../protocol/retry.ts';
import { verifyRevocation } from '../../protocol/revocation.ts';
import * as messages from '../../protocol/sealed-messages.ts';
import { SessionError } from '../../protocol/session-error.ts';
import { verifySnapshot } from '../../protocol/snapshot.ts';
import { isSpiffeId, parseSpiffeId } from '../../protocol/spiffe.ts';
import * as stream from '../../protocol/stream-messages.ts';
import { decodeSvid, encodeSvid, verifySvid } from '../../protocol/svid.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { assault, damaged, hostileRuns } from '../support/hostile.ts';
import * as fixed from './fixed-handshake.ts';
import { remembering } from './remembering-crypto.ts';
import { epochZero } from './session/pair.ts';

type Parse = (bytes: Uint8Array) => unknown;
type Failure = new (...args: never[]) => Error;
const bodies = Object.fromEntries(Object.entries(fixed.messages).map(([name, frame]) => [name, frame.subarray(4)]));
const fill = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value);

/** Reads on until nothing more comes. */
const drained = (reader: { next(): unknown }): void => {
  while (reader.next() !== null) {}
};

const head = {
  method: 'POST',
  target: '/a?b',
  headers: [
    ['a', 'b'],
    [':mode', 'cors'],
  ],
} as const;
const target = { stealthKey: fixed.stealthKey, gatewayKeyHash: fill(1) };
const core = bodies['init']!.subarray(0, 1_260);
const params = encodeParams(fixed.params);
const respPlain = messages.padResp(messages.encodeRespPlain(fixed.now, fill(2, 3_373)));
const auth = messages.encodeAuth({
  svid: fixed.svid,
  posture: fixed.posture,
  signature: fill(2, 3_373),
  finish: fill(3),
});
const open = stream.encodeOpen({ kind: 'http', service: 'wiki', policyEpoch: 3n, flags: 0 });

const parsers: [string, Uint8Array, Parse, Failure][] = [
  ['a handshake frame', fixed.messages.ready, decodeFrame, DecodeError],
  ['REJECT', Uint8Array.of(1), decodeReject, DecodeError],
  ['INIT', bodies['init']!, decodeInit, DecodeError],
  ['RESP', bodies['resp']!, messages.decodeResp, DecodeError],
  ['RESP opened', respPlain, messages.decodeRespPlain, DecodeError],
  ['AUTH opened', auth, messages.decodeAuth, DecodeError],
  ['READY opened', messages.encodeReady(params, fill(4)), messages.decodeReady, DecodeError],
  ['session parameters', params, decodeParams, DecodeError],
  ['OPEN', open, stream.decodeOpen, DecodeError],
  ['OPEN_ERR', stream.encodeRefusal({ code: 'denied', correlation: fill(1, 16) }), stream.decodeRefusal, DecodeError],
  ['RST', stream.encodeReset('timeout'), stream.decodeReset, DecodeError],
  ['WINDOW', stream.encodeWindow(70_000), stream.decodeWindow, DecodeError],
  ['a WebSocket message', encodeMessage(2n, fixed.messages.ready), parseMessage, CarrierError],
  ['a signed object', fixed.svid, parseObject, ObjectError],
  ['a credential, unverified', fixed.svid, decodeSvid, ObjectError],
  ['a request head', encodeRequestHead(head), (bytes) => new RequestHeadReader().push(bytes), ExchangeError],
  [
    'a response head',
    encodeResponseHead({ status: 200, headers: head.headers }),
    (bytes) => new ResponseHeadReader().push(bytes),
    ExchangeError,
  ],
  [
    'WebSocket messages in a stream',
    concat(encodeWebSocketMessage(opcode.text, utf8('hello')), encodeWebSocketMessage(opcode.binary, fill(1))),
    (bytes) => new WebSocketMessageReader().push(bytes),
    ExchangeError,
  ],
  ['a WebSocket close', concat(Uint8Array.of(3, 232), utf8('füßchen')), decodeClose, ExchangeError],
];

for (const [name, real, parse, Failure] of parsers)
  test(`hostile input: the parser of ${name} fails with its typed error only`, async (t) => {
    await parse(real); // what it was made for it takes
    await assault(t, damaged(real), parse, (error) => error instanceof Failure);
  });

test('hostile input: a byte stream of frames, in any pieces, is frames or malformed', async (t) => {
  const record = concat(Uint8Array.of(0x17, 0, 0, 40), fill(1, 40));
  const real = concat(encodePreamble(2n), fixed.messages.init, record, fixed.messages.ready, record);
  const inputs = fc.tuple(damaged(real), fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 20 }));
  const feed = ([bytes, cuts]: [Uint8Array, number[]]): void => {
    const reader = new FrameReader();
    let isBegun = false;
    for (let at = 0, i = 0; at < bytes.length; at += cuts[i % cuts.length]!, i++) {
      reader.push(bytes.slice(at, at + cuts[i % cuts.length]!));
      isBegun ||= reader.preamble() !== null;
      if (isBegun) drained(reader);
    }
    reader.end();
  };
  await assault(t, inputs, feed, (error) => error instanceof CarrierError);
});

test('hostile input: RETRY with a right MAC over anything is a demand or a typed error', async (t) => {
  const demand = { cookie: fill(7, 48), difficulty: 4 };
  const retry = encodeRetry(nodeCrypto, target, core, demand);
  await assault(
    t,
    damaged(retry),
    (bytes) => decodeRetry(nodeCrypto, target, core, bytes),
    (error) => error instanceof DecodeError,
  );
  // Past the MAC too, as whoever holds the stealth key can be.
  const unchecked: Crypto = { ...nodeCrypto, hmac: () => fill(0) };
  const parse = (bytes: Uint8Array) => decodeRetry(unchecked, target, core, concat(bytes.subarray(0, 50), fill(0, 16)));
  await assault(t, damaged(retry.subarray(0, 50)), parse, (error) => error instanceof DecodeError);
});

// ── records and datagrams that a peer with the keys made up ──

const place: KeyPlace = { role: 'client', streamId: 2n, epoch: 0, secret: epochZero().client };

test('hostile input: a record, damaged or with a made-up inside under the right key, is opened or refused with a code', async (t) => {
  const real = new RecordSealer(nodeCrypto, place, 10).seal(recordKind.data, utf8('some content'));
  const isCode = (error: unknown): boolean => error instanceof SessionError && error.code !== 'internal';
  const from = (frame: Uint8Array) => new RecordOpener(nodeCrypto, place, 10).open(frame);
  from(real);
  // The link above looks at the first four bytes before an opener does.
  await assault(t, damaged(real), (frame) => frame.length >= 4 && from(frame), isCode);
  const insides = damaged(
    concat(utf8('some content'), Uint8Array.of(1, 0, 0, 0)),
    fill(0, 64),
    concat(open, Uint8Array.of(4), fill(0, 45)),
  );
  const trusting: Crypto = {
    ...nodeCrypto,
    opener: () => ({ open: (_ad, sealed) => sealed.slice(0, -16), count: 0, wipe: () => {} }),
  };
  const made = (inside: Uint8Array) => {
    const header = new Writer()
      .u8(0x17)
      .u8(0)
      .u16(inside.length + 16)
      .done();
    return new RecordOpener(trusting, place, 10).open(concat(header, inside, fill(0, 16)));
  };
  await assault(t, insides, made, isCode);
});

test('hostile input: a datagram is content or a reason to drop it, and never an exception', async (t) => {
  const flow = { role: 'client', flow: 1, epoch: 0, secret: epochZero().client } as const;
  const real = new DatagramSealer(nodeCrypto, flow, 10).seal(utf8('a datagram'));
  const take = (bytes: Uint8Array) => {
    const header = readHeader(bytes);
    return header && new DatagramOpener(nodeCrypto, flow, 10, 10).open(bytes, header);
  };
  assert.ok(take(real) instanceof Uint8Array);
  await assault(t, damaged(real), take, () => false);
});

// ── documents of a signer who is dishonest or broken: the signature is right, whatever the body ──

const believing: Crypto = { ...nodeCrypto, verify: async () => true };
const { publicKey } = fixed.signers.issuer;
const mute = { publicKey, sign: async () => fill(0, 3_373) };
const life = (): Writer => new Writer().u64(fixed.now).u64(fixed.now + 1_000);
const descriptor = {
  publicKey,
  notBefore: fixed.now,
  notAfter: fixed.now + 1,
  minVersion: 1,
  maxVersion: 1,
  suites: 1,
  stealthKey: fill(1),
  authority: 'gw.example.test',
};

type Verify = (object: Uint8Array) => Promise<unknown>;
const documents: [string, number, Uint8Array, Verify][] = [
  [
    'a descriptor',
    objectType.descriptor,
    encodeDescriptor(descriptor),
    (object) => verifyDescriptor(believing, fixed.clock, object, publicKey),
  ],
  [
    'a credential',
    objectType.svid,
    encodeSvid(fixed.svidFields),
    (object) => verifySvid(believing, fixed.clock, object, publicKey),
  ],
  [
    'a policy snapshot',
    objectType.snapshot,
    new Writer().u64(7).bytes(life().done()).vec32(utf8('{"a":"ü"}')).done(),
    (object) => verifySnapshot(believing, fixed.clock, object, publicKey),
  ],
  [
    'a revocation',
    objectType.revocation,
    new Writer().u64(7).u64(fixed.now).u16(2).u8(1).vec8(fill(1, 16)).u8(3).vec8(fill(2, 16)).done(),
    (object) => verifyRevocation(believing, object, publicKey),
  ],
  [
    'a role certificate',
    objectType.certificate,
    new Writer().u8(2).bytes(publicKey).bytes(life().done()).done(),
    (object) => verifyRole(believing, fixed.clock, publicKey, object, 'svid'),
  ],
  [
    'pins',
    objectType.pins,
    concat(nodeCrypto.sha256(publicKey), fill(1)),
    (object) => verifyPins(believing, object, { rootPublicKey: publicKey, fingerprint: nodeCrypto.sha256(object) }),
  ],
];

for (const [name, type, real, verify] of documents)
  test(`hostile input: ${name} whose signature is right and whose body is anything is believed or refused with a code`, async (t) => {
    const parse = async (body: Uint8Array) => verify(await signObject(nodeCrypto, mute, type as 1, body));
    await parse(real);
    await assault(t, damaged(real), parse, (error) => error instanceof ObjectError);
  });

test('hostile input: any text is a SPIFFE id or none', async (t) => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 220 }),
    damaged(utf8(fixed.svidFields.spiffeId)).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  await assault(
    t,
    texts,
    (text) => isSpiffeId(text) && parseSpiffeId(text),
    () => false,
  );
});

// ── roles ──

const crypto = remembering(fixed.fixedCrypto);
const types: MessageType[] = ['init', 'retry', 'resp', 'auth', 'ready', 'reject'];

for (const state of ['init', 'resp', 'auth', 'ready'] as const)
  test(`hostile input: a role that waits for ${state.toUpperCase()} answers anything else with a typed error, never an internal one`, async (t) => {
    const frames = fc.oneof(
      damaged(fixed.messages[state]),
      fc
        .tuple(fc.constantFrom(...types), damaged(bodies[state]!))
        .map(([type, body]) => encodeFrame(type, body.subarray(0, 16_384))),
    );
    const give = async (frame: Uint8Array): Promise<void> => {
      if (Buffer.compare(frame, fixed.messages[state]) === 0) return;
      const peer = await fixed.waiting[state](crypto);
      const refused = await peer.receive(frame).then(
        () => assert.fail('was taken'),
        (error: unknown) => error,
      );
      await assert.rejects(peer.receive(frame), TypeError);
      throw refused;
    };
    await assault(
      t,
      frames,
      give,
      (error) => error instanceof HandshakeError && error.code !== 'internal',
      Math.ceil(hostileRuns / 5),
    );
  });
