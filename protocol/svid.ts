/**
 * ClientSvid, the credential of one session key for one service: LKS1 type 2 (docs/protocol.md, "ClientSvid").
 *
 *      0  1984  session public key        1984  32  SHA-256(device public key)
 *   2016     8  not before, ms            2024   8  not after, ms
 *   2032     8  policy epoch              2040   4  amr bits
 *   2044    32  SHA-256(posture)          2076  16  serial
 *   2092  1+n   SPIFFE id (at most 200)     ..  1+n  service id (1 to 64)
 *
 * It is not a bearer token: worth nothing without the session key, which signs every handshake it appears in.
 */
import { assertLength, copy, DecodeError, type Reader, utf8, utf8Decode, Writer } from './bytes.ts';
import type { Clock } from './clock.ts';
import type { Crypto, Signer } from './crypto.ts';
import * as limits from './limits.ts';
import { checkLife, ObjectError, objectType, openObject, parseObject, readBody, signObject } from './lks1.ts';
import { isSpiffeId } from './spiffe.ts';

/** How a person or device was authenticated, as bits of {@link ClientSvid.amr}. */
export const amrBit = { passkey: 1, deviceKey: 2, oidc: 4, saml: 8, guestLink: 16, stepUp: 32 } as const;

export type ClientSvid = {
  /** Composite, 1984 bytes. */
  readonly sessionPublicKey: Uint8Array;
  /** SHA-256 of the device's Ed25519 key; of the link id for a guest. */
  readonly deviceKeyHash: Uint8Array;
  /** ms since 1970 */
  readonly notBefore: number;
  /** ms since 1970; the first instant at which it is no longer good */
  readonly notAfter: number;
  readonly policyEpoch: bigint;
  readonly amr: number;
  /** SHA-256 of the posture statement judged when this was issued. */
  readonly postureHash: Uint8Array;
  /** 16 bytes, for revocation. */
  readonly serial: Uint8Array;
  readonly spiffeId: string;
  readonly service: string;
};

/** A ClientSvid whose signature and life were checked: made by {@link verifySvid} only. */
export type VerifiedSvid = ClientSvid & { readonly verified: true };

/** The body, to be signed by {@link signSvid}. */
export function encodeSvid(svid: ClientSvid): Uint8Array<ArrayBuffer> {
  assertLength('sessionPublicKey', svid.sessionPublicKey, limits.compositePublicBytes);
  assertLength('deviceKeyHash', svid.deviceKeyHash, limits.hashBytes);
  assertLength('postureHash', svid.postureHash, limits.hashBytes);
  assertLength('serial', svid.serial, limits.serialBytes);
  if (!isSpiffeId(svid.spiffeId)) throw new TypeError('spiffeId is not a SPIFFE id of at most 200 bytes');
  if (!isServiceId(svid.service)) throw new TypeError('service is not a service id of 1 to 64 bytes');
  return new Writer()
    .bytes(svid.sessionPublicKey)
    .bytes(svid.deviceKeyHash)
    .u64(svid.notBefore)
    .u64(svid.notAfter)
    .u64(svid.policyEpoch)
    .u32(svid.amr)
    .bytes(svid.postureHash)
    .bytes(svid.serial)
    .vec8(utf8(svid.spiffeId))
    .vec8(utf8(svid.service))
    .done();
}

function readSvid(reader: Reader): ClientSvid {
  const svid: ClientSvid = {
    sessionPublicKey: copy(reader.bytes(limits.compositePublicBytes)),
    deviceKeyHash: copy(reader.bytes(limits.hashBytes)),
    notBefore: reader.time(),
    notAfter: reader.time(),
    policyEpoch: reader.u64(),
    amr: reader.u32(),
    postureHash: copy(reader.bytes(limits.hashBytes)),
    serial: copy(reader.bytes(limits.serialBytes)),
    spiffeId: utf8Decode(reader.vec8()),
    service: utf8Decode(reader.vec8()),
  };
  if (!isSpiffeId(svid.spiffeId)) throw new DecodeError('SPIFFE id');
  if (!isServiceId(svid.service)) throw new DecodeError('service id');
  return svid;
}

/** 1 to 64 visible ASCII characters; stricter rules on names belong to whoever gives them out. */
export function isServiceId(text: string): boolean {
  return text.length <= limits.maxServiceBytes && /^[\x21-\x7e]+$/.test(text);
}

/** Issues a credential. @param signer the SVID role key. */
export function signSvid(crypto: Pick<Crypto, 'sha256'>, signer: Signer, svid: ClientSvid): Promise<Uint8Array> {
  return signObject(crypto, signer, objectType.svid, encodeSvid(svid));
}

/** The fields of a credential that nobody verified: for its own holder, who shows and renews it. */
export function decodeSvid(bytes: Uint8Array): ClientSvid {
  const object = parseObject(bytes);
  if (object.type !== objectType.svid) throw new ObjectError('wrong_type');
  return readBody(object.body, readSvid);
}

/**
 * Believes a credential, or throws {@link ObjectError}.
 * @param issuerPublicKey the SVID role key, itself verified by `verifyRole` in pins.ts.
 * @param expected `service`: the one service the caller serves (`wrong_subject` for another).
 */
export async function verifySvid(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  clock: Pick<Clock, 'now'>,
  bytes: Uint8Array,
  issuerPublicKey: Uint8Array,
  expected: { readonly service?: string } = {},
): Promise<VerifiedSvid> {
  const body = await openObject(crypto, bytes, { type: objectType.svid, signerPublicKey: issuerPublicKey });
  const svid = readBody(body, readSvid);
  checkLife(clock.now(), svid, limits.clockSkewMs);
  if (expected.service !== undefined && expected.service !== svid.service) throw new ObjectError('wrong_subject');
  return { ...svid, verified: true };
}
