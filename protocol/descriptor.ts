/**
 * The gateway's descriptor, what a client needs to say INIT: LKS1 type 1, signed by the directory key
 * (docs/protocol.md, "GatewayDescriptor").
 *
 *      0  1984  gateway public key      1984   8  not before, ms      1992   8  not after, ms
 *   2000     2  lowest version          2002   2  highest version     2004   2  suites
 *   2006    32  stealth key (a new one daily; the gateway takes its last two)
 *   2038   1+n  authority, host name of the gateway
 */
import { assertLength, copy, DecodeError, type Reader, utf8, utf8Decode, Writer } from './bytes.ts';
import type { Clock } from './clock.ts';
import type { Crypto, Signer } from './crypto.ts';
import { supports } from './init.ts';
import * as limits from './limits.ts';
import { checkLife, ObjectError, objectType, openObject, readBody, signObject } from './lks1.ts';

export type GatewayDescriptor = {
  /** Composite, 1984 bytes. */
  readonly publicKey: Uint8Array;
  /** ms since 1970 */
  readonly notBefore: number;
  /** ms since 1970, exclusive */
  readonly notAfter: number;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** bit 0: suite 1 */
  readonly suites: number;
  /** 32 bytes, shared with every enrolled client: for mac1, never for secrecy. */
  readonly stealthKey: Uint8Array;
  readonly authority: string;
};

export function encodeDescriptor(descriptor: GatewayDescriptor): Uint8Array<ArrayBuffer> {
  assertLength('publicKey', descriptor.publicKey, limits.compositePublicBytes);
  assertLength('stealthKey', descriptor.stealthKey, limits.keyBytes);
  if (!isAuthority(descriptor.authority)) throw new TypeError('authority is not a host name');
  return new Writer()
    .bytes(descriptor.publicKey)
    .u64(descriptor.notBefore)
    .u64(descriptor.notAfter)
    .u16(descriptor.minVersion)
    .u16(descriptor.maxVersion)
    .u16(descriptor.suites)
    .bytes(descriptor.stealthKey)
    .vec8(utf8(descriptor.authority))
    .done();
}

function readDescriptor(reader: Reader): GatewayDescriptor {
  const descriptor: GatewayDescriptor = {
    publicKey: copy(reader.bytes(limits.compositePublicBytes)),
    notBefore: reader.time(),
    notAfter: reader.time(),
    minVersion: reader.u16(),
    maxVersion: reader.u16(),
    suites: reader.u16(),
    stealthKey: copy(reader.bytes(limits.keyBytes)),
    authority: utf8Decode(reader.vec8()),
  };
  if (!isAuthority(descriptor.authority)) throw new DecodeError('authority');
  return descriptor;
}

/** Visible ASCII without a slash: a host, perhaps with a port. */
const isAuthority = (text: string): boolean => /^[\x21-\x2e\x30-\x7e]{1,255}$/.test(text);

/** @param signer the directory role key. */
export function signDescriptor(
  crypto: Pick<Crypto, 'sha256'>,
  signer: Signer,
  descriptor: GatewayDescriptor,
): Promise<Uint8Array> {
  return signObject(crypto, signer, objectType.descriptor, encodeDescriptor(descriptor));
}

/**
 * Believes a descriptor, or throws ObjectError: `unsupported` for a gateway that does not speak our version and suite,
 * which a client must not try to talk into something else.
 * @param directoryPublicKey verified by `verifyRole` in pins.ts.
 */
export async function verifyDescriptor(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  clock: Pick<Clock, 'now'>,
  bytes: Uint8Array,
  directoryPublicKey: Uint8Array,
): Promise<GatewayDescriptor> {
  const expected = { type: objectType.descriptor, signerPublicKey: directoryPublicKey };
  const descriptor = readBody(await openObject(crypto, bytes, expected), readDescriptor);
  checkLife(clock.now(), descriptor, limits.clockSkewMs);
  if (supports(descriptor) !== 'yes') throw new ObjectError('unsupported');
  return descriptor;
}
