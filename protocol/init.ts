/**
 * INIT, the client's first message (docs/protocol.md, "INIT"), and mac1, which decides whether it is answered at all.
 *
 *      0     4  "LKT1"             4    2  highest version    6    2  lowest version
 *      8     2  suites, bit 0 = X25519MLKEM768 / ChaCha20-Poly1305 / HKDF-SHA256 / MLDSA65-Ed25519-SHA512
 *     10     1  transport         11    1  0
 *     12    32  client random     44 1216  share_c            -- bytes 0..1260 are the core, which a RETRY can't change
 *   1260     2  cookie length     ..    n  cookie (0 or 48)
 *     ..     8  puzzle solution   ..   16  mac1
 */
import { DecodeError, equal, Reader, utf8, Writer, wipe } from './bytes.ts';
import type { Crypto } from './crypto.ts';
import { L } from './labels.ts';
import * as limits from './limits.ts';

/** The version this code speaks, and its suite as a number (RESP) and as a bit (INIT). */
export const version = 1;
export const suite = 1;
const suiteBit = 1;
const magic = utf8('LKT1');

/** What INIT says, apart from mac1. */
export type Init = {
  readonly maxVersion: number;
  readonly minVersion: number;
  readonly suites: number;
  readonly transport: number;
  readonly random: Uint8Array;
  readonly share: Uint8Array;
  /** Empty, or the 48 bytes of a RETRY. */
  readonly cookie: Uint8Array;
  readonly solution: bigint;
};

/** INIT as received: its fields, and the three stretches of it that hashes and MACs cover (views). */
export type ReceivedInit = Init & {
  readonly core: Uint8Array;
  readonly beforeMac1: Uint8Array;
  readonly mac1: Uint8Array;
};

export function encodeInitCore(fields: { transport: number; random: Uint8Array; share: Uint8Array }): Uint8Array {
  return new Writer()
    .bytes(magic)
    .u16(version)
    .u16(version)
    .u16(suiteBit)
    .u8(fields.transport)
    .u8(0)
    .bytes(fields.random)
    .bytes(fields.share)
    .done();
}

/** INIT without its mac1: what th1 hashes. */
export function encodeInit(core: Uint8Array, cookie: Uint8Array, solution: bigint): Uint8Array {
  return new Writer().bytes(core).vec16(cookie).u64(solution).done();
}

/** Reads the layout only; {@link checkMac1} comes next, then {@link supports}. */
export function decodeInit(body: Uint8Array): ReceivedInit {
  const reader = new Reader(body);
  if (!equal(reader.bytes(4), magic)) throw new DecodeError('INIT magic');
  const [maxVersion, minVersion, suites] = [reader.u16(), reader.u16(), reader.u16()];
  const transport = reader.u8();
  if (reader.u8() !== 0) throw new DecodeError('INIT reserved byte');
  const random = reader.bytes(limits.hashBytes);
  const share = reader.bytes(limits.offerBytes);
  const cookie = reader.vec16();
  if (cookie.length !== 0 && cookie.length !== limits.cookieBytes) throw new DecodeError('INIT cookie');
  const solution = reader.u64();
  const mac1 = reader.bytes(limits.mac1Bytes);
  reader.end();
  const core = body.subarray(0, limits.initCoreBytes);
  const beforeMac1 = body.subarray(0, body.length - limits.mac1Bytes);
  return { maxVersion, minVersion, suites, transport, random, share, cookie, solution, core, beforeMac1, mac1 };
}

/** Whether an offer or a descriptor has our version and suite in it. An unknown suite is refused, never guessed. */
export function supports(init: Pick<Init, 'minVersion' | 'maxVersion' | 'suites'>): 'version' | 'suite' | 'yes' {
  if (init.minVersion > version || init.maxVersion < version) return 'version';
  return (init.suites & suiteBit) === 0 ? 'suite' : 'yes';
}

/** Which gateway, without naming it: the key of mac1 and of RETRY's MAC. */
export type StealthTarget = { readonly stealthKey: Uint8Array; readonly gatewayKeyHash: Uint8Array };

/** `HMAC(L(stealth, "mac1", SHA-256(gw_pk)), all before)[0..16]` */
export function mac1(crypto: Pick<Crypto, 'hmac' | 'expand'>, target: StealthTarget, before: Uint8Array): Uint8Array {
  const key = L(crypto, target.stealthKey, 'mac1', target.gatewayKeyHash);
  try {
    return crypto.hmac(key, before).slice(0, limits.mac1Bytes);
  } finally {
    wipe(key);
  }
}
