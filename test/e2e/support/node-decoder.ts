/**
 * A decoder of recorded Latchkey/1 sessions, written from docs/protocol.md alone, on @noble: it shares no code and no
 * constant with protocol/, so that what both get right, they did not get right by being the same. It is told the
 * frames, the shared secret of each key exchange and the two identity keys, and computes everything else.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Frame } from './node-carrier.ts';

/** Secrets of one epoch, by the names of the specification. */
export interface DecodedEpoch {
  readonly number: number;
  readonly S_c: Uint8Array;
  readonly S_g: Uint8Array;
  readonly CK: Uint8Array;
  readonly T: Uint8Array;
}

/** One record, opened. */
export interface DecodedRecord {
  readonly frame: Frame;
  readonly epoch: number;
  /** Implicit counter under its key. */
  readonly counter: number;
  readonly kind: number;
  readonly content: Uint8Array;
}

export interface DecodedSession {
  readonly epochs: readonly DecodedEpoch[];
  readonly records: readonly DecodedRecord[];
  /** The credential of AUTH. */
  readonly svid: Uint8Array;
}

interface Known {
  readonly frames: readonly Frame[];
  readonly sharedSecrets: readonly Uint8Array[];
  readonly gatewayKey: Uint8Array;
  readonly sessionKey: Uint8Array;
  /** 2 for WebSocket. */
  readonly transport: number;
}

const text = (string: string) => Buffer.from(string, 'latin1');
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const H = (...parts: Uint8Array[]): Uint8Array => sha256(join(...parts));
const byte = (value: number): Uint8Array => Uint8Array.of(value);

function u(bytes: number, value: bigint): Uint8Array {
  const out = new Uint8Array(bytes);
  for (let i = bytes - 1, rest = value; i >= 0; i--, rest >>= 8n) out[i] = Number(rest & 0xffn);
  return out;
}

const numberAt = (bytes: Uint8Array, at: number, length: number): number =>
  bytes.subarray(at, at + length).reduce((sum, one) => sum * 256 + one, 0);

/** `L(k, label, ctx, n=32)` of "Transcript and key schedule". */
function L(key: Uint8Array, label: string, context: Uint8Array, length = 32): Uint8Array {
  const name = text(`lk1 ${label}`);
  const info = join(u(2, BigInt(length)), byte(name.length), name, byte(context.length), context);
  return expand(sha256, key, info, length);
}

function aead(key: Uint8Array, counter: number, ad: Uint8Array) {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true);
  return chacha20poly1305(key, nonce, ad);
}

/** Opens under a key and counter of one's choice; undefined when the tag does not match. */
export function openRecord(
  epoch: DecodedEpoch,
  frame: Frame,
  counter: number,
): { kind: number; content: Uint8Array } | undefined {
  const secret = frame.from === 'client' ? epoch.S_c : epoch.S_g;
  const stream = u(8, frame.streamId);
  const header = frame.bytes.subarray(0, 4);
  const ad = join(byte(frame.from === 'client' ? 0 : 1), stream, u(4, BigInt(epoch.number)), header);
  let inner: Uint8Array;
  try {
    inner = aead(L(secret, 'stream', stream), counter, ad).decrypt(frame.bytes.subarray(4));
  } catch {
    return undefined;
  }
  let end = inner.length - 1;
  while (end >= 0 && inner[end] === 0) end--;
  return { kind: inner[end] ?? 0, content: inner.subarray(0, end) };
}

/** Decodes a whole session. @throws Error at the first record that does not open where it must. */
export function decodeSession(known: Known): DecodedSession {
  const handshake = decodeHandshake(known);
  const epochs = [handshake.epoch];
  const records: DecodedRecord[] = [];
  const counters = new Map<string, number>();
  let rkInit: Uint8Array | undefined;
  for (const frame of known.frames.slice(handshake.frames)) {
    if (frame.bytes.length === 0) continue;
    const epoch = epochs.findLast(({ number }) => (number & 0xff) === frame.bytes[1]);
    if (frame.bytes[0] !== 0x17 || epoch === undefined) throw new Error('a frame that is no record of a known epoch');
    const place = `${frame.from} ${frame.streamId} ${epoch.number}`;
    const counter = counters.get(place) ?? 0;
    const opened = openRecord(epoch, frame, counter);
    if (opened === undefined) throw new Error(`record ${counter} of ${place} does not open`);
    counters.set(place, counter + 1);
    records.push({ frame, epoch: epoch.number, counter, ...opened });
    if (opened.kind === 0x20) rkInit = opened.content;
    if (opened.kind === 0x21)
      epochs.push(nextEpoch(epoch, rkInit!, opened.content, known.sharedSecrets[epochs.length]!));
  }
  return { epochs, records, svid: handshake.svid };
}

/** INIT, RESP, AUTH and READY, in the clear and opened, up to epoch 0. */
function decodeHandshake(known: Known): { epoch: DecodedEpoch; frames: number; svid: Uint8Array } {
  const [init, resp, auth, ready] = known.frames.slice(0, 4).map((frame) => frame.bytes.subarray(4));
  if (init === undefined || resp === undefined || auth === undefined || ready === undefined)
    throw new Error('the handshake was not recorded whole');
  const suite = 'Latchkey/1 X25519MLKEM768 ChaCha20Poly1305 HKDF-SHA256 MLDSA65-Ed25519-SHA512';
  const th0 = H(text(suite), byte(0), byte(known.transport), known.gatewayKey);
  const th1 = H(th0, byte(0x01), init.subarray(0, init.length - 16));
  const th2 = H(th1, byte(0x03), resp.subarray(0, 1_156));
  const HS = extract(sha256, known.sharedSecrets[0]!, th2);
  const kg = L(HS, 'g hs', th2);
  // time u64 | ext_len u16 | ext | sig_g 3373
  const respPlain = aead(kg, 0, th2).decrypt(resp.subarray(1_158));
  const th3 = H(th2, byte(0x13), respPlain.subarray(0, 8 + 2 + numberAt(respPlain, 8, 2) + 3_373));
  const authPlain = aead(L(HS, 'c hs', th2), 0, th3).decrypt(auth);
  const svidLength = numberAt(authPlain, 0, 2);
  const identity = 2 + svidLength + 2 + 40;
  const thc = H(th3, byte(0x04), authPlain.subarray(0, identity));
  const th4 = H(thc, authPlain.subarray(identity, identity + 3_373));
  const finC = authPlain.subarray(identity + 3_373, identity + 3_373 + 32);
  if (!same(finC, hmac(sha256, L(HS, 'c fin', th2), th4))) throw new Error('fin_c');
  const th5 = H(th4, finC);
  const MS = L(HS, 'master', join(th5, H(known.gatewayKey), H(known.sessionKey)));
  const readyPlain = aead(kg, 1, th5).decrypt(ready);
  const [params, finG] = [readyPlain.subarray(0, 50), readyPlain.subarray(50, 82)];
  if (!same(finG, hmac(sha256, L(HS, 'g fin', th2), join(th5, params)))) throw new Error('fin_g');
  const th6 = H(th5, byte(0x05), params, finG);
  return { epoch: epochOf(0, MS, th6), frames: 4, svid: authPlain.subarray(2, 2 + svidLength) };
}

function nextEpoch(epoch: DecodedEpoch, rkInit: Uint8Array, rkResp: Uint8Array, ss: Uint8Array): DecodedEpoch {
  const T = H(epoch.T, byte(0x20), rkInit, rkResp);
  return epochOf(epoch.number + 1, extract(sha256, ss, epoch.CK), T);
}

function epochOf(number: number, secret: Uint8Array, T: Uint8Array): DecodedEpoch {
  return { number, S_c: L(secret, 'c ap', T), S_g: L(secret, 'g ap', T), CK: L(secret, 'chain', T), T };
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
