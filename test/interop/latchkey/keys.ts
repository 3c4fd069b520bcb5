/**
 * The key schedule of the second implementation (docs/protocol.md, "Key schedule" and "Rekey"), under the
 * specification's own names.
 */
import { cat, text, uint, vec } from './bytes.ts';
import { extract, H, L, mac } from './suite.ts';

/** Everything of one epoch. */
export type Epoch = {
  readonly n: number;
  readonly T: Uint8Array;
  readonly S_c: Uint8Array;
  readonly S_g: Uint8Array;
  readonly CK: Uint8Array;
  readonly EX: Uint8Array;
};

const suiteName = text('Latchkey/1 X25519MLKEM768 ChaCha20Poly1305 HKDF-SHA256 MLDSA65-Ed25519-SHA512');

/** Which gateway is meant, without its name. */
export const stealthMac = (
  stealth: Uint8Array,
  label: 'mac1' | 'retry',
  gatewayKey: Uint8Array,
  ...parts: Uint8Array[]
) => mac(L(stealth, label, H(gatewayKey)), ...parts).slice(0, 16);

/** th2, from the INIT that was answered and the clear part of RESP. */
export function clearTranscript(transport: number, gatewayKey: Uint8Array, init: Uint8Array, resp: Uint8Array) {
  const th0 = H(suiteName, uint(0, 1), uint(transport, 1), gatewayKey);
  const th1 = H(th0, uint(1, 1), init);
  return H(th1, uint(3, 1), resp);
}

/** The keys between RESP and READY. */
export function handshakeKeys(th2: Uint8Array, ss: Uint8Array) {
  const HS = extract(th2, ss);
  const of = (label: string): Uint8Array => L(HS, label, th2);
  return { HS, kg: of('g hs'), kc: of('c hs'), fkc: of('c fin'), fkg: of('g fin') };
}

export const th3of = (th2: Uint8Array, respPlain: Uint8Array): Uint8Array => H(th2, uint(0x13, 1), respPlain);
export const thcOf = (th3: Uint8Array, svid: Uint8Array, posture: Uint8Array): Uint8Array =>
  H(th3, uint(4, 1), vec(2, svid), vec(2, posture));
export const th6of = (th5: Uint8Array, params: Uint8Array, finish: Uint8Array): Uint8Array =>
  H(th5, uint(5, 1), params, finish);

export function firstEpoch(
  HS: Uint8Array,
  th5: Uint8Array,
  gatewayKey: Uint8Array,
  sessionKey: Uint8Array,
  T: Uint8Array,
) {
  return epoch(0, L(HS, 'master', cat(th5, H(gatewayKey), H(sessionKey))), T);
}

export function nextEpoch(from: Epoch, rkInit: Uint8Array, rkResp: Uint8Array, ss: Uint8Array): Epoch {
  return epoch(from.n + 1, extract(from.CK, ss), H(from.T, uint(0x20, 1), rkInit, rkResp));
}

function epoch(n: number, secret: Uint8Array, T: Uint8Array): Epoch {
  const of = (label: string): Uint8Array => L(secret, label, T);
  return { n, T, S_c: of('c ap'), S_g: of('g ap'), CK: of('chain'), EX: of('exporter') };
}

export const rekeyProof = ({ S_c, T }: Epoch): Uint8Array => mac(L(S_c, 'rk', T), T);
export const streamKey = (secret: Uint8Array, id: bigint): Uint8Array => L(secret, 'stream', uint(id, 8));
export const exporter = ({ EX }: Epoch, label: string, context: Uint8Array): Uint8Array =>
  L(EX, `exp ${label}`, H(context));
export const reauthHash = (T: Uint8Array, svid: Uint8Array): Uint8Array => H(text('lk1 reauth'), T, svid);
