/**
 * The handshake's transcript hashes th0..th6 and the keys that hang on them (docs/protocol.md, "Key schedule").
 * One function per line of the specification, under its name. Both roles call the same functions, so what one hashes the
 * other hashes. Plaintexts are hashed, not ciphertexts, because ChaCha20-Poly1305 does not commit to its key.
 */
import { concat, utf8, Writer, wipe } from './bytes.ts';
import type { Crypto } from './crypto.ts';
import { L, suiteName } from './labels.ts';
import { mixSharedSecret } from './schedule.ts';

type Hash = Pick<Crypto, 'sha256'>;

const byte = (value: number): Uint8Array => Uint8Array.of(value);

/** `H(suite name | 00 | transport u8 | gw_pk)` */
export function th0(crypto: Hash, transport: number, gatewayPublicKey: Uint8Array): Uint8Array {
  return crypto.sha256(utf8(suiteName), byte(0), byte(transport), gatewayPublicKey);
}

/** `H(th0 | 01 | final INIT without mac1)` */
export function th1(crypto: Hash, previous: Uint8Array, initWithoutMac1: Uint8Array): Uint8Array {
  return crypto.sha256(previous, byte(0x01), initWithoutMac1);
}

/** `H(th1 | 03 | RESP[0..1156])` */
export function th2(crypto: Hash, previous: Uint8Array, respClear: Uint8Array): Uint8Array {
  return crypto.sha256(previous, byte(0x03), respClear);
}

/** `H(th2 | 13 | RESP plaintext without padding)` */
export function th3(crypto: Hash, previous: Uint8Array, respPlain: Uint8Array): Uint8Array {
  return crypto.sha256(previous, byte(0x13), respPlain);
}

/** `H(th3 | 04 | u16 len, svid | u16 len, posture)`: what the session key signs. */
export function thc(crypto: Hash, previous: Uint8Array, svid: Uint8Array, posture: Uint8Array): Uint8Array {
  return crypto.sha256(previous, byte(0x04), new Writer().vec16(svid).vec16(posture).done());
}

/** `H(thc | sig_c)` */
export function th4(crypto: Hash, previous: Uint8Array, clientSignature: Uint8Array): Uint8Array {
  return crypto.sha256(previous, clientSignature);
}

/** `H(th4 | fin_c)` */
export function th5(crypto: Hash, previous: Uint8Array, clientFinish: Uint8Array): Uint8Array {
  return crypto.sha256(previous, clientFinish);
}

/** `H(th5 | 05 | params | fin_g)`, which is T_0 */
export function th6(crypto: Hash, previous: Uint8Array, params: Uint8Array, gatewayFinish: Uint8Array): Uint8Array {
  return crypto.sha256(previous, byte(0x05), params, gatewayFinish);
}

/** The secrets between RESP and READY. */
export type HandshakeSecrets = {
  /** HS */
  readonly handshake: Uint8Array;
  /** kg: the gateway seals RESP and READY with it. */
  readonly gateway: Uint8Array;
  /** kc: the client seals AUTH with it. */
  readonly client: Uint8Array;
  /** fkg */
  readonly gatewayFinish: Uint8Array;
  /** fkc */
  readonly clientFinish: Uint8Array;
};

/** @throws KeyExchangeError when the X25519 half is all zero. The caller wipes `shared`. */
export function handshakeSecrets(
  crypto: Pick<Crypto, 'extract' | 'expand'>,
  at: Uint8Array,
  shared: Uint8Array,
): HandshakeSecrets {
  const handshake = mixSharedSecret(crypto, at, shared);
  return {
    handshake,
    gateway: L(crypto, handshake, 'g hs', at),
    client: L(crypto, handshake, 'c hs', at),
    gatewayFinish: L(crypto, handshake, 'g fin', at),
    clientFinish: L(crypto, handshake, 'c fin', at),
  };
}

export function wipeSecrets(secrets: HandshakeSecrets): void {
  wipe(secrets.handshake, secrets.gateway, secrets.client, secrets.gatewayFinish, secrets.clientFinish);
}

/** `MS = L(HS, "master", th5 | H(gw_pk) | H(session pk))`: both identities once more, by hash. */
export function masterSecret(
  crypto: Pick<Crypto, 'sha256' | 'expand'>,
  handshake: Uint8Array,
  at: Uint8Array,
  identities: { readonly gateway: Uint8Array; readonly session: Uint8Array },
): Uint8Array {
  const hashes = [crypto.sha256(identities.gateway), crypto.sha256(identities.session)];
  return L(crypto, handshake, 'master', concat(at, ...hashes));
}

/** `fin_c = HMAC(fkc, th4)` */
export function finishClient(crypto: Pick<Crypto, 'hmac'>, key: Uint8Array, at: Uint8Array): Uint8Array {
  return crypto.hmac(key, at);
}

/** `fin_g = HMAC(fkg, th5 | params)` */
export function finishGateway(
  crypto: Pick<Crypto, 'hmac'>,
  key: Uint8Array,
  at: Uint8Array,
  params: Uint8Array,
): Uint8Array {
  return crypto.hmac(key, at, params);
}
