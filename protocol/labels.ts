/**
 * Every string that separates one use of a key or hash from another, and L(), the labelled HKDF-Expand
 * (docs/protocol.md, "Key schedule"; after TLS 1.3's HKDF-Expand-Label, RFC 8446 section 7.1).
 * A signature or key made for one place must be worthless in every other: no label stands anywhere but here.
 */
import { concat, utf8, Writer } from './bytes.ts';
import type { Crypto } from './crypto.ts';

/**
 * What th0 starts with: the version and its one suite, spelled out. The AEAD is written without a hyphen here, unlike in
 * RFC 8439: every byte after th0 depends on this spelling.
 */
export const suiteName = 'Latchkey/1 X25519MLKEM768 ChaCha20Poly1305 HKDF-SHA256 MLDSA65-Ed25519-SHA512';

/** ctx of each composite signature. Objects have {@link objectContext}. */
export const signatureContext = {
  gateway: 'Latchkey/1 gateway',
  client: 'Latchkey/1 client',
  reauthClient: 'Latchkey/1 reauth c',
  reauthGateway: 'Latchkey/1 reauth g',
  launch: 'Latchkey/1 launch',
  renew: 'Latchkey/1 renew',
  /** Signed once to be verified for the sake of the time that takes (handshake-gateway.ts). */
  decoy: 'Latchkey/1 decoy',
} as const;

/** ctx of an LKS1 object: its type is signed twice, here and in its bytes. */
export const objectContext = (type: number): string => `Latchkey/1 object ${type}`;

/** First bytes of what is hashed or signed elsewhere; a zero byte follows each in {@link tagged}. */
export const tag = {
  login: 'Latchkey/1 webauthn login',
  enrol: 'Latchkey/1 webauthn enrol',
  stepup: 'Latchkey/1 webauthn stepup',
  approve: 'Latchkey/1 webauthn approve',
  oidc: 'Latchkey/1 oidc',
  saml: 'Latchkey/1 saml',
  launch: 'Latchkey/1 launch',
  renew: 'Latchkey/1 renew',
  device: 'Latchkey/1 device',
  request: 'Latchkey/1 request',
  posture: 'Latchkey/1 posture',
} as const;

/** `tag | 00 | parts` */
export function tagged(name: string, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concat(utf8(name), Uint8Array.of(0), ...parts);
}

/** The labels of {@link L}, without their common prefix. */
export type Label =
  | 'g hs'
  | 'c hs'
  | 'c fin'
  | 'g fin'
  | 'master'
  | 'c ap'
  | 'g ap'
  | 'chain'
  | 'exporter'
  | 'stream'
  | 'dgram'
  | 'rk'
  | 'mac1'
  | 'retry'
  | `exp ${string}`;

/**
 * `HKDF-Expand(key, u16 length | u8 len,"lk1 "+label | u8 len,context, length)`
 * @param context at most 255 bytes.
 */
export function L(
  crypto: Pick<Crypto, 'expand'>,
  key: Uint8Array,
  label: Label,
  context: Uint8Array,
  length = 32,
): Uint8Array {
  const info = new Writer()
    .u16(length)
    .vec8(utf8(`lk1 ${label}`))
    .vec8(context)
    .done();
  return crypto.expand(key, info, length);
}
