/**
 * Who a session belongs to, as its credential says, in the forms that policy, audit, jars and services want.
 */

import { Reader } from '../../../protocol/bytes.ts';
import { HandshakeError } from '../../../protocol/established.ts';
import { hashBytes } from '../../../protocol/limits.ts';
import { parseSpiffeId } from '../../../protocol/spiffe.ts';
import { amrBit, type VerifiedSvid } from '../../../protocol/svid.ts';
import { amrNames } from '../../policy/amr.ts';
import type { PrincipalView } from '../../policy/engine.ts';

export interface Person {
  readonly spiffeId: string;
  readonly user: string;
  readonly device: string;
}

/** @throws HandshakeError `bad_svid` for a name that is not a device of this trust domain. */
export function personOf(svid: VerifiedSvid, trustDomain: string): Person {
  const id = parseSpiffeId(svid.spiffeId);
  if (id?.kind !== 'device' || id.trustDomain !== trustDomain) throw new HandshakeError('bad_svid');
  return { spiffeId: svid.spiffeId, user: id.user, device: id.device };
}

/** When the posture was stated that AUTH names: the second field of its 40 bytes, ms. */
export function postureTime(posture: Uint8Array): number {
  return new Reader(posture.subarray(hashBytes)).time();
}

/**
 * The principal of a decision. How long ago the person touched the key is not in the credential; the control plane
 * judges that at each renewal, and here the age of the credential stands for it, which is the least it can be; or that of
 * a step-up in this very session, which is known.
 * @param stepUpAgeS of one that counts
 */
export function principalOf(
  person: Person,
  svid: VerifiedSvid,
  postureAtMs: number,
  nowMs: number,
  stepUpAgeS: number | undefined,
): PrincipalView {
  const credentialAgeS = (nowMs - svid.notBefore) / 1_000;
  return {
    user: person.user,
    device: person.device,
    amr: amrNames(stepUpAgeS === undefined ? svid.amr : svid.amr | amrBit.stepUp),
    authAgeS: Math.min(credentialAgeS, stepUpAgeS ?? credentialAgeS),
    posture: { ageS: (nowMs - postureAtMs) / 1_000 },
  };
}
