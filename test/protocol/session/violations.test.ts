/** A peer that holds the keys and breaks the rules: every unlisted message ends the session with the right code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, Writer } from '../../../protocol/bytes.ts';
import type { CloseCode } from '../../../protocol/codes.ts';
import { signatureContext } from '../../../protocol/labels.ts';
import { RecordSealer, recordKind } from '../../../protocol/record.ts';
import type { RecordLink } from '../../../protocol/record-link.ts';
import { nextEpoch, reauthHash, rekeyConfirm } from '../../../protocol/schedule.ts';
import { encodeOpen, encodeRefusal, encodeReset, encodeWindow } from '../../../protocol/stream-messages.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { settled } from '../../support/fake-clock.ts';
import type { Side } from '../../support/loopback-carrier.ts';
import { signers } from '../fixed-handshake.ts';
import { epochZero, newRawPeer } from './pair.ts';

type RawPeer = Awaited<ReturnType<typeof newRawPeer>>;
type Step = (peer: RawPeer) => void | Promise<void>;

const open = encodeOpen({ kind: 'tcp', service: 'wiki', policyEpoch: 3n, flags: 0 });
const none = new Uint8Array(0);
const one = Uint8Array.of(1);
const refusal = encodeRefusal({ code: 'denied', correlation: new Uint8Array(16) });
const offer = (epoch: number): Uint8Array => new Writer().u32(epoch).bytes(nodeCrypto.offer().share).done();

/** Sends without waiting for anybody to take it. */
function say(link: RecordLink, ...records: [kind: number, content: Uint8Array][]): void {
  for (const [kind, content] of records) link.send(kind, content).catch(() => {});
}

/** The victim is a gateway that accepts every stream, or a client; the test plays the other side. */
async function codeAfter(role: Side, step: Step): Promise<CloseCode> {
  const peer = await newRawPeer(role, {
    gateway: { onOpen: (incoming) => void incoming.accept().catch(() => {}) },
  });
  await settled();
  await step(peer);
  await settled();
  assert.notEqual(peer.victim.state.phase, 'open', 'the session goes on');
  assert.equal(peer.victim.state.phase, 'closing');
  await peer.clock.advance(1_000);
  const { code, byPeer } = await peer.victim.closed;
  assert.equal(byPeer, false);
  return code;
}

const stream = (peer: RawPeer, id = 2n): RecordLink => {
  const link = peer.open(id);
  say(link, [recordKind.open, open]);
  return link;
};

/** What a client may not do to a gateway. */
const againstGateway: [what: string, code: CloseCode, step: Step][] = [
  ['a second OPEN', 'decode', (peer) => say(stream(peer), [recordKind.open, open])],
  ['DATA before OPEN', 'decode', (peer) => say(peer.open(2n), [recordKind.data, one])],
  ['RST before OPEN', 'decode', (peer) => say(peer.open(2n), [recordKind.rst, encodeReset('cancelled')])],
  [
    'an OPEN of an unknown kind',
    'decode',
    (peer) => say(peer.open(2n), [recordKind.open, concat(Uint8Array.of(9), open.subarray(1))]),
  ],
  [
    'an OPEN without a service',
    'decode',
    (peer) => say(peer.open(2n), [recordKind.open, concat(open.subarray(0, 11), Uint8Array.of(0))]),
  ],
  ['a byte after OPEN', 'decode', (peer) => say(peer.open(2n), [recordKind.open, concat(open, one)])],
  ['OPEN_OK from the opener', 'decode', (peer) => say(stream(peer), [recordKind.openOk, none])],
  ['OPEN_ERR from the opener', 'decode', (peer) => say(stream(peer), [recordKind.openErr, refusal])],
  ['an unknown type on a stream', 'decode', (peer) => say(stream(peer), [0x0f, none])],
  ['a control record on a stream', 'decode', (peer) => say(stream(peer), [recordKind.ping, new Uint8Array(8)])],
  ['CLOSE on a stream', 'decode', (peer) => say(stream(peer), [recordKind.close, Uint8Array.of(0)])],
  ['DATA after FIN', 'decode', (peer) => say(stream(peer), [recordKind.fin, none], [recordKind.data, one])],
  ['a second FIN', 'decode', (peer) => say(stream(peer), [recordKind.fin, none], [recordKind.fin, none])],
  ['FIN with content', 'decode', (peer) => say(stream(peer), [recordKind.fin, one])],
  [
    'a record after RST',
    'decode',
    (peer) => say(stream(peer), [recordKind.rst, encodeReset('cancelled')], [recordKind.data, one]),
  ],
  ['RST without a code', 'decode', (peer) => say(stream(peer), [recordKind.rst, none])],
  ['DATA of nothing', 'decode', (peer) => say(stream(peer), [recordKind.data, none])],
  ['WINDOW of nothing', 'decode', (peer) => say(stream(peer), [recordKind.window, encodeWindow(0)])],
  ['WINDOW above 16 MiB', 'decode', (peer) => say(stream(peer), [recordKind.window, encodeWindow(2 ** 24)])],
  ['a short WINDOW', 'decode', (peer) => say(stream(peer), [recordKind.window, Uint8Array.of(1, 2, 3)])],
  ['an odd stream id', 'decode', (peer) => void peer.open(3n)],
  [
    'a stream id used again',
    'replay',
    (peer) => {
      stream(peer);
      peer.open(2n);
    },
  ],
  ['stream 0 opened again', 'replay', (peer) => void peer.open(0n)],
  [
    'a stream id 1,026 above the highest',
    'decode',
    (peer) => {
      stream(peer);
      peer.open(2n + 1_026n);
    },
  ],
  [
    'a stream id long past',
    'replay',
    (peer) => {
      for (const id of [1_024n, 2_048n, 3_072n]) peer.open(id);
      peer.open(2n);
    },
  ],
  ['DATA on the control stream', 'decode', (peer) => say(peer.control, [recordKind.data, one])],
  ['OPEN on the control stream', 'decode', (peer) => say(peer.control, [recordKind.open, open])],
  ['an unknown type on the control stream', 'decode', (peer) => say(peer.control, [0x3e, none])],
  ['RK_RESP to a gateway', 'decode', (peer) => say(peer.control, [recordKind.rkResp, new Uint8Array(1_124)])],
  ['RK_REQ to a gateway', 'decode', (peer) => say(peer.control, [recordKind.rkReq, none])],
  ['REAUTH_ACK to a gateway', 'decode', (peer) => say(peer.control, [recordKind.reauthAck, new Uint8Array(3_373)])],
  ['a notice to a gateway', 'decode', (peer) => say(peer.control, [recordKind.notice, none])],
  ['a step-up assertion nobody asked for', 'decode', (peer) => say(peer.control, [recordKind.stepupAssert, none])],
  ['REAUTH where there is nobody to judge it', 'decode', (peer) => say(peer.control, [recordKind.reauth, none])],
  ['a short PING', 'decode', (peer) => say(peer.control, [recordKind.ping, new Uint8Array(7)])],
  ['PONG with another number', 'decode', (peer) => say(peer.control, [recordKind.pong, new Uint8Array(8).fill(9)])],
  [
    'PONG twice',
    'decode',
    (peer) => say(peer.control, [recordKind.pong, new Uint8Array(8)], [recordKind.pong, new Uint8Array(8)]),
  ],
  ['CLOSE without a code', 'decode', (peer) => say(peer.control, [recordKind.close, none])],
  ['RK_DONE without RK_INIT', 'decode', (peer) => say(peer.control, [recordKind.rkDone, new Uint8Array(36)])],
  ['RK_INIT to a later epoch', 'decode', (peer) => say(peer.control, [recordKind.rkInit, offer(2)])],
  ['RK_INIT to the same epoch', 'decode', (peer) => say(peer.control, [recordKind.rkInit, offer(0)])],
  ['RK_INIT that is too short', 'decode', (peer) => say(peer.control, [recordKind.rkInit, offer(1).subarray(1)])],
  [
    'RK_INIT twice',
    'decode',
    (peer) => say(peer.control, [recordKind.rkInit, offer(1)], [recordKind.rkInit, offer(1)]),
  ],
  [
    'an encapsulation key that fails the modulus check',
    'decode',
    (peer) =>
      say(peer.control, [recordKind.rkInit, concat(Uint8Array.of(0, 0, 0, 1), new Uint8Array(1_216).fill(0xff))]),
  ],
  [
    'an all-zero X25519 share',
    'decode',
    (peer) => {
      const share = offer(1);
      share.fill(0, 4 + 1_184);
      say(peer.control, [recordKind.rkInit, share]);
    },
  ],
  [
    'more DATA than there is credit for',
    'too_many',
    (peer) => {
      const link = stream(peer);
      for (let i = 0; i < 17; i++) say(link, [recordKind.data, new Uint8Array(16_000)]);
    },
  ],
  ['a record without a type', 'decode', (peer) => say(stream(peer), [0, none])],
  [
    'a frame that is no record',
    'decode',
    (peer) => void peer.control.channel.send(Uint8Array.of(1, 0, 0, 1, 0)).catch(() => {}),
  ],
  [
    'twice as many streams as agreed',
    'too_many',
    (peer) => {
      for (let id = 2n; id <= 2n * 520n; id += 2n) peer.open(id);
    },
  ],
];

/** What a gateway may not do to a client. */
const againstClient: [what: string, code: CloseCode, step: Step][] = [
  ['RK_INIT to a client', 'decode', (peer) => say(peer.control, [recordKind.rkInit, offer(1)])],
  ['RK_DONE to a client', 'decode', (peer) => say(peer.control, [recordKind.rkDone, new Uint8Array(36)])],
  ['RK_RESP nobody asked for', 'decode', (peer) => say(peer.control, [recordKind.rkResp, new Uint8Array(1_124)])],
  ['REAUTH to a client', 'decode', (peer) => say(peer.control, [recordKind.reauth, new Uint8Array(10)])],
  ['REAUTH_ACK nobody asked for', 'decode', (peer) => say(peer.control, [recordKind.reauthAck, new Uint8Array(3_373)])],
  ['RK_REQ with content', 'decode', (peer) => say(peer.control, [recordKind.rkReq, one])],
  ['an even stream id', 'decode', (peer) => void peer.open(2n)],
  [
    'RK_RESP with an all-zero X25519 share',
    'decrypt',
    (peer) => {
      peer.victim.requestRekey();
      const share = new Writer().u32(1).bytes(nodeCrypto.answer(nodeCrypto.offer().share).share).done();
      share.fill(0, 4 + 1_088);
      say(peer.control, [recordKind.rkResp, share]);
    },
  ],
  [
    'RK_RESP to another epoch',
    'decode',
    (peer) => {
      peer.victim.requestRekey();
      say(peer.control, [recordKind.rkResp, new Writer().u32(2).zeros(1_120).done()]);
    },
  ],
];

for (const [what, code, step] of againstGateway)
  test(`${what} ends the gateway's session: ${code}`, async () => assert.equal(await codeAfter('client', step), code));
for (const [what, code, step] of againstClient)
  test(`${what} ends the client's session: ${code}`, async () => assert.equal(await codeAfter('gateway', step), code));

/** Rekeys as an honest client would, up to and with RK_RESP. */
async function rekeyed(peer: RawPeer) {
  const { crypto, layer, control } = { crypto: nodeCrypto, layer: peer.layer, control: peer.control };
  const keys = crypto.offer();
  const init = new Writer().u32(1).bytes(keys.share).done();
  say(control, [recordKind.rkInit, init]);
  for (;;) {
    const { kind, content } = control.open((await control.channel.receive())!);
    if (kind !== recordKind.rkResp) continue;
    const next = nextEpoch(crypto, epochZero(), init, content.slice(), keys.finish(content.slice(4)));
    layer.epochs.install(next);
    return next;
  }
}

test('a record of the old epoch after one of the new epoch ends the session: replay', async () => {
  const code = await codeAfter('client', async (peer) => {
    const link = stream(peer);
    await settled();
    // sealed in time, sent too late: the second record of the stream's first epoch
    const place = { role: 'client', streamId: 2n, epoch: 0, secret: epochZero().client } as const;
    const sealer = new RecordSealer(nodeCrypto, place, 10);
    const [, late] = [sealer.seal(recordKind.open, open), sealer.seal(recordKind.data, one)];
    const next = await rekeyed(peer);
    peer.layer.promote();
    say(peer.control, [recordKind.rkDone, new Writer().u32(1).bytes(rekeyConfirm(nodeCrypto, next)).done()]);
    say(link, [recordKind.data, one]);
    await settled();
    assert.equal(peer.victim.state.phase, 'open');
    await link.channel.send(late);
  });
  assert.equal(code, 'replay');
});

test('RK_DONE with a wrong confirmation ends the session: decrypt', async () => {
  const code = await codeAfter('client', async (peer) => {
    await rekeyed(peer);
    peer.layer.promote();
    say(peer.control, [recordKind.rkDone, new Writer().u32(1).zeros(32).done()]);
  });
  assert.equal(code, 'decrypt');
});

test('RK_DONE under the old key ends the session: decode', async () => {
  const code = await codeAfter('client', async (peer) => {
    const next = await rekeyed(peer);
    say(peer.control, [recordKind.rkDone, new Writer().u32(1).bytes(rekeyConfirm(nodeCrypto, next)).done()]);
  });
  assert.equal(code, 'decode');
});

test('anything but RK_DONE as the first control record of an epoch ends the session: decode', async () => {
  const code = await codeAfter('client', async (peer) => {
    await rekeyed(peer);
    peer.layer.promote();
    say(peer.control, [recordKind.ping, new Uint8Array(8)]);
  });
  assert.equal(code, 'decode');
});

test('stream ids may come out of order, each once', async () => {
  const peer = await newRawPeer('client', { gateway: { onOpen: (incoming) => void incoming.accept() } });
  for (const id of [1_024n, 2n, 512n, 4n, 1_026n]) stream(peer, id);
  await settled();
  assert.equal(peer.victim.state.phase, 'open');
  assert.equal(peer.victim.stats().streams, 5);
  peer.open(512n);
  await settled();
  assert.equal(peer.victim.state.code, 'replay');
});

test('PINGs are answered until the peer stops taking the answers: too_many', async () => {
  const peer = await newRawPeer('client', { highWaterBytes: 200 });
  for (let i = 0; i < 40; i++) say(peer.control, [recordKind.ping, new Uint8Array(8)]);
  await settled();
  assert.equal(peer.victim.state.code, 'too_many');
});

test('REAUTH before the last one was answered ends the session: decode', async () => {
  const peer = await newRawPeer('client', { gateway: { verifyReauth: () => new Promise<never>(() => {}) } });
  const hash = reauthHash(nodeCrypto, epochZero().transcript, one);
  const signature = await signers.session.sign(hash, signatureContext.reauthClient);
  const reauth = new Writer().vec16(one).bytes(signature).done();
  say(peer.control, [recordKind.reauth, reauth], [recordKind.reauth, reauth]);
  await settled();
  assert.equal(peer.victim.state.code, 'decode');
});

test('one stream more than agreed is refused and ends nothing', async () => {
  const peer = await newRawPeer('client', {
    params: { maxStreams: 2 },
    gateway: { onOpen: (incoming) => void incoming.accept() },
  });
  const answers: number[] = [];
  for (const id of [2n, 4n, 6n]) {
    const link = stream(peer, id);
    answers.push(link.open((await link.channel.receive())!).kind);
  }
  assert.deepEqual(answers, [recordKind.openOk, recordKind.openOk, recordKind.openErr]);
  assert.equal(peer.victim.state.phase, 'open');
});
