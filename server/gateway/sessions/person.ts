/**
 * Who a session belongs to, as its credential says, in the forms that policy, audit, jars and services want.
 */
import { Reader } from '../../../protocol/bytes.ts';
import { HandshakeError } from '../../../protocol/established.ts';
import { hashBytes } from '../../../protocol/limits.ts';
import { parseSpiffeId } from '../../../protocol/spiffe.ts';
import { amrBit, type VerifiedSvid } from '../../../protocol/svid.ts';
import { amrNames } from '../../policy/amr.ts';
import { type GuestOf, type PrincipalView, unknownAgeS } from '../../policy/question.ts';
import { stepUpMs } from '../limits.ts';

const stepUpS = stepUpMs / 1_000;

export interface Person {
  readonly spiffeId: string;
  readonly user: string;
  readonly device: string;
  /** Set for a guest; then `user` is the link and `device` its use, for what is kept and told of them. */
  readonly guest?: GuestOf;
}

/** @throws HandshakeError `bad_svid` for a name that is neither a device nor a guest of this trust domain. */
export function personOf(svid: VerifiedSvid, trustDomain: string): Person {
  const id = parseSpiffeId(svid.spiffeId);
  if (id?.trustDomain !== trustDomain) throw new HandshakeError('bad_svid');
  const { spiffeId } = svid;
  if (id.kind === 'device') return { spiffeId, user: id.user, device: id.device };
  if (id.kind !== 'guest' || !/^[1-9]\d{0,8}$/.test(id.use)) throw new HandshakeError('bad_svid');
  return { spiffeId, user: id.link, device: id.use, guest: { id: id.link, use: Number(id.use) } };
}

/** When the posture was stated that AUTH names: the second field of its 40 bytes, ms. */
export function postureTime(posture: Uint8Array): number {
  return new Reader(posture.subarray(hashBytes)).time();
}

/**
 * The principal of a decision. How long ago the person signed in is not in the credential, and its renewals are silent:
 * the control plane judges that at each launch and renewal. Here a touch of the passkey has an age only where it is
 * known, from this very session or at most from the credential's bit; else it is as old as can be.
 * @param touchAgeS seconds since a step-up of this session, however old
 */
export function principalOf(
  person: Person,
  svid: Pick<VerifiedSvid, 'amr'>,
  postureAtMs: number,
  nowMs: number,
  touchAgeS: number = unknownAgeS,
): PrincipalView {
  const amr = touchAgeS < stepUpS ? svid.amr | amrBit.stepUp : svid.amr;
  const svidTouchAgeS = (svid.amr & amrBit.stepUp) === 0 ? unknownAgeS : stepUpS;
  return {
    ...(person.guest === undefined ? { user: person.user, device: person.device } : { link: person.guest }),
    atMs: nowMs,
    amr: amrNames(amr),
    authAgeS: Math.min(touchAgeS, svidTouchAgeS),
    posture: { ageS: (nowMs - postureAtMs) / 1_000 },
  };
}
