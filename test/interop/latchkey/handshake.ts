/**
 * Both roles of the second implementation's handshake (docs/protocol.md, "Handshake"). Each is a generator that reads
 * like the specification: it yields a frame to send and is given the one that came.
 */
import { Cursor, cat, must, none, padded, same, text, uint, vec } from './bytes.ts';
import { clearTranscript, type Epoch, firstEpoch, handshakeKeys, stealthMac, th3of, th6of, thcOf } from './keys.ts';
import { answer, type Draw, H, mac, offer, open, type SigningKey, seal, verify } from './suite.ts';

const type = { init: 1, retry: 2, resp: 3, auth: 4, ready: 5 } as const;

export const frame = (kind: number, body: Uint8Array): Uint8Array => cat(uint(kind, 1), vec(3, body));

function unframe(bytes: Uint8Array): { kind: number; body: Uint8Array } {
  const from = new Cursor(bytes);
  const [kind, body] = [from.uint(1), from.vec(3)];
  from.end();
  return { kind, body };
}

function expect(kind: number, bytes: Uint8Array): Uint8Array {
  const got = unframe(bytes);
  must(got.kind === kind, 'a message out of turn');
  return got.body;
}

/** What both ends have after READY. `last` is READY, for the gateway to send. */
export type Opened = {
  readonly epoch: Epoch;
  readonly params: Uint8Array;
  readonly svid: Uint8Array;
  readonly sessionKey: Uint8Array;
  readonly last?: Uint8Array;
};

export type ClientSetup = {
  readonly draw: Draw;
  readonly transport: number;
  readonly gatewayKey: Uint8Array;
  readonly stealth: Uint8Array;
  readonly key: SigningKey;
  readonly svid: Uint8Array;
  readonly posture: Uint8Array;
};

export function* clientHandshake(setup: ClientSetup): Generator<Uint8Array, Opened, Uint8Array> {
  const { draw, transport, gatewayKey, stealth, key, svid, posture } = setup;
  const random = draw('random', 32);
  const own = offer(draw);
  const numbers = [uint(1, 2), uint(1, 2), uint(1, 2), uint(transport, 1), uint(0, 1)];
  const core = cat(text('LKT1'), ...numbers, random, own.share);
  const sent = (init: Uint8Array) => frame(type.init, cat(init, stealthMac(stealth, 'mac1', gatewayKey, init)));

  let init = cat(core, vec(2, none), uint(0, 8));
  let reply = unframe(yield sent(init));
  if (reply.kind === type.retry) {
    const cookie = readRetry(reply.body, core, stealth, gatewayKey);
    init = cat(core, vec(2, cookie.bytes), uint(cookie.solution, 8));
    reply = unframe(yield sent(init));
  }
  must(reply.kind === type.resp, 'a message out of turn');

  const from = new Cursor(reply.body);
  const clear = from.take(1156);
  const sealed = from.vec(2);
  from.end();
  must(same(clear.slice(0, 4), cat(uint(1, 2), uint(1, 2))), 'another version or suite');
  const th2 = clearTranscript(transport, gatewayKey, init, clear);
  const keys = handshakeKeys(th2, own.finish(clear.slice(36)));
  const respPlain = readRespPlain(open(keys.kg, 0, th2, sealed));
  must(verify(gatewayKey, th2, 'Latchkey/1 gateway', respPlain.slice(10)), 'a signature of the gateway’s');

  const th3 = th3of(th2, respPlain);
  const thc = thcOf(th3, svid, posture);
  const signature = key.sign(thc, 'Latchkey/1 client');
  const th4 = H(thc, signature);
  const finish = mac(keys.fkc, th4);
  const th5 = H(th4, finish);
  const auth = padded(cat(vec(2, svid), vec(2, posture), signature, finish), 10_240);
  const ready = expect(type.ready, yield frame(type.auth, seal(keys.kc, 0, th3, auth)));

  const last = new Cursor(open(keys.kg, 1, th5, ready));
  const [params, proof] = [last.take(50), last.take(32)];
  last.zeros();
  must(same(proof, mac(keys.fkg, th5, params)), 'a finish of the gateway’s');
  const epoch = firstEpoch(keys.HS, th5, gatewayKey, key.publicKey, th6of(th5, params, proof));
  return { epoch, params, svid, sessionKey: key.publicKey };
}

function readRetry(body: Uint8Array, core: Uint8Array, stealth: Uint8Array, gatewayKey: Uint8Array) {
  const from = new Cursor(body);
  const [clear, tag] = [from.take(50), from.take(16)];
  from.end();
  must(same(tag, stealthMac(stealth, 'retry', gatewayKey, H(core), clear)), 'a RETRY of somebody else’s');
  const [reason, difficulty] = [clear[0]!, clear[1]!];
  must(difficulty <= 20 && reason === (difficulty === 0 ? 1 : 2), 'a puzzle beyond reason');
  const bytes = clear.slice(2);
  let solution = 0;
  while (difficulty > 0 && !isSolved(bytes, solution, difficulty)) solution++;
  return { bytes, solution };
}

const isSolved = (cookie: Uint8Array, x: number | bigint, difficulty: number): boolean =>
  new Cursor(H(text('lk1 puzzle'), cookie, uint(x, 8))).uint(4) < 2 ** (32 - difficulty);

function readRespPlain(plain: Uint8Array): Uint8Array {
  const from = new Cursor(plain);
  const content = from.take(10 + 3373);
  from.zeros();
  must(same(content.slice(8, 10), uint(0, 2)), 'an extension');
  must(plain.length === Math.ceil(content.length / 256) * 256, 'padding of another length');
  return content;
}

export type GatewaySetup = {
  readonly draw: Draw;
  readonly transport: number;
  readonly key: SigningKey;
  readonly stealth: Uint8Array;
  /** 50 bytes. */
  readonly params: Uint8Array;
  readonly now: () => number;
  /** The session key that a credential names; throws for one that is not good. */
  readonly sessionKeyOf: (svid: Uint8Array) => Uint8Array;
  /** Ask for a cookie and a puzzle of so many bits, of this address. */
  readonly retry?: { readonly difficulty: number; readonly address: string };
};

export function* gatewayHandshake(setup: GatewaySetup): Generator<Uint8Array | undefined, Opened, Uint8Array> {
  const { draw, transport, key, params, retry } = setup;
  let init = readInit(setup, yield undefined);
  if (retry) {
    const cookieKey = draw('cookie', 32);
    const time = uint(setup.now(), 8);
    const clear = newCookie(init.core, cookieKey, time, retry);
    const tag = stealthMac(setup.stealth, 'retry', key.publicKey, H(init.core), clear);
    const core = init.core;
    init = readInit(setup, yield frame(type.retry, cat(clear, tag)));
    must(same(init.core, core) && same(init.cookie, clear.slice(2)), 'another INIT than was asked for');
    must(isSolved(init.cookie, init.solution, retry.difficulty), 'a puzzle that is not solved');
  }

  const random = draw('random', 32);
  const own = answer(init.core.slice(44), draw);
  const clear = cat(uint(1, 2), uint(1, 2), random, own.share);
  const th2 = clearTranscript(transport, key.publicKey, init.signed, clear);
  const keys = handshakeKeys(th2, own.secret);
  const respPlain = cat(uint(setup.now(), 8), uint(0, 2), key.sign(th2, 'Latchkey/1 gateway'));
  const th3 = th3of(th2, respPlain);
  const sealed = seal(keys.kg, 0, th2, padded(respPlain, Math.ceil(respPlain.length / 256) * 256));
  const auth = expect(type.auth, yield frame(type.resp, cat(clear, vec(2, sealed))));

  const from = new Cursor(open(keys.kc, 0, th3, auth));
  const [svid, posture, signature, finish] = [from.vec(2), from.vec(2), from.take(3373), from.take(32)];
  from.zeros();
  const thc = thcOf(th3, svid, posture);
  const th4 = H(thc, signature);
  must(same(finish, mac(keys.fkc, th4)), 'a finish of the client’s');
  const sessionKey = setup.sessionKeyOf(svid);
  must(verify(sessionKey, thc, 'Latchkey/1 client', signature), 'a signature of the client’s');

  const th5 = H(th4, finish);
  const proof = mac(keys.fkg, th5, params);
  const epoch = firstEpoch(keys.HS, th5, key.publicKey, sessionKey, th6of(th5, params, proof));
  const last = frame(type.ready, seal(keys.kg, 1, th5, padded(cat(params, proof), 256)));
  return { epoch, params, svid, sessionKey, last };
}

/** Reads INIT and checks mac1 before anything else is believed. */
function readInit({ stealth, key, transport }: GatewaySetup, bytes: Uint8Array) {
  const body = expect(type.init, bytes);
  const signed = body.slice(0, -16);
  must(same(body.slice(-16), stealthMac(stealth, 'mac1', key.publicKey, signed)), 'a mac1');
  const from = new Cursor(signed);
  const core = from.take(1260);
  const cookie = from.vec(2);
  const solution = from.big(8);
  from.end();
  const numbers = new Cursor(core.slice(4));
  must(same(core.slice(0, 4), text('LKT1')), 'no INIT');
  must(numbers.uint(2) >= 1 && numbers.uint(2) <= 1 && (numbers.uint(2) & 1) === 1, 'another version or suite');
  must(numbers.uint(1) === transport && numbers.uint(1) === 0, 'another transport');
  return { core, cookie, solution, signed };
}

/** RETRY up to its MAC. */
function newCookie(
  core: Uint8Array,
  cookieKey: Uint8Array,
  time: Uint8Array,
  demand: { difficulty: number; address: string },
) {
  const d = uint(demand.difficulty, 4);
  const proof = mac(cookieKey, text('lk1 cookie'), time, d, vec(1, text(demand.address)), H(core));
  const head = cat(uint(demand.difficulty === 0 ? 1 : 2, 1), uint(demand.difficulty, 1));
  return cat(head, uint(1, 4), time, d, proof);
}
