/**
 * The policy snapshot a gateway decides by: LKS1 type 3, signed by the policy key (docs/protocol.md, "Snapshots").
 *
 *      0  8  epoch      8  8  issued at, ms     16  8  not after, ms     24  4  length     28  n  UTF-8 JSON
 *
 * The JSON is the control channel's (server/channel); this file carries its text and its time limits.
 */
import { type Reader, utf8, utf8Decode, Writer } from './bytes.ts';
import type { Clock } from './clock.ts';
import type { Crypto, Signer } from './crypto.ts';
import { clockSkewMs } from './limits.ts';
import { checkLife, objectType, openObject, readBody, signObject } from './lks1.ts';

export type PolicySnapshot = {
  /** Rises with every change of policy. */
  readonly epoch: bigint;
  /** ms since 1970 */
  readonly issuedAt: number;
  /** ms since 1970, exclusive: no new session may rest on it afterwards. */
  readonly notAfter: number;
  /** JSON text */
  readonly content: string;
};

/** @param signer the policy role key. */
export function signSnapshot(
  crypto: Pick<Crypto, 'sha256'>,
  signer: Signer,
  snapshot: PolicySnapshot,
): Promise<Uint8Array> {
  const head = new Writer().u64(snapshot.epoch).u64(snapshot.issuedAt).u64(snapshot.notAfter);
  return signObject(crypto, signer, objectType.snapshot, head.vec32(utf8(snapshot.content)).done());
}

function readSnapshot(reader: Reader): PolicySnapshot {
  const [epoch, issuedAt, notAfter] = [reader.u64(), reader.time(), reader.time()];
  return { epoch, issuedAt, notAfter, content: utf8Decode(reader.vec32()) };
}

/** Believes a snapshot, or throws ObjectError. Whether its epoch may replace the present one is the caller's question. */
export async function verifySnapshot(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  clock: Pick<Clock, 'now'>,
  bytes: Uint8Array,
  policyPublicKey: Uint8Array,
): Promise<PolicySnapshot> {
  const expected = { type: objectType.snapshot, signerPublicKey: policyPublicKey };
  const snapshot = readBody(await openObject(crypto, bytes, expected), readSnapshot);
  checkLife(clock.now(), { notBefore: snapshot.issuedAt, notAfter: snapshot.notAfter }, clockSkewMs);
  return snapshot;
}
