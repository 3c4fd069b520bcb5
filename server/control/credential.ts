/** Issues ClientSVIDs: ten minutes, one session key, one service, never past the launch lease they rest on. */
import { randomBytes } from 'node:crypto';
import { Writer } from '../../protocol/bytes.ts';
import type { Generation } from '../../protocol/pins.ts';
import { amrBit, signSvid } from '../../protocol/svid.ts';
import type { TunnelEndpoint } from '../channel/messages.ts';
import { origins } from '../config.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { LaunchTable } from '../store/tables/sessions.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import type { SignedIn } from './leases.ts';
import { stepUpEnds } from './step-up.ts';

/** What the tunnel needs of a gateway. */
export interface GatewayOffer {
  readonly descriptor: Uint8Array;
  readonly endpoints: readonly TunnelEndpoint[];
}

/** The answer to a launch and to each renewal. */
export interface LaunchAnswer {
  readonly svid: Uint8Array;
  readonly descriptor: Uint8Array;
  readonly certificates: readonly Uint8Array[];
  readonly root: Uint8Array;
  readonly pins: Uint8Array;
  /** Those before, the oldest first. */
  readonly earlier: readonly Generation[];
  readonly endpoints: readonly TunnelEndpoint[];
  readonly service: { readonly name: string; readonly title: string; readonly app: string };
  /** SHA-256(statement) | time u64, as AUTH carries it. */
  readonly posture: Uint8Array;
  readonly expires: number;
  readonly renewAfter: number;
  readonly launchLeaseEnds: number;
}

/** Share of a credential's life after which the shell asks for the next one; the rest is for trying again. */
const renewAt = 0.6;

/** A credential shorter than this is not worth its renewals; it is then issued without the step-up. */
const leastSteppedUpMs = 60_000;

/** Serial and life of a credential about to be issued, written with the launch or renewal that it belongs to. */
export interface PlannedSvid {
  readonly serial: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly policyEpoch: number;
  /** It says so, and ends when the step-up does: what a credential says is true for as long as it is good. */
  readonly steppedUp: boolean;
}

/**
 * Plans and records a credential inside the transaction of its launch or renewal. What was checked before the
 * transaction may have been taken away meanwhile, so the launch, written by then, and its lease are looked at again.
 * @throws ApiError `lease_ended`
 */
export async function planSvid(
  context: Context,
  transaction: StoreTransaction,
  launch: Pick<LaunchTable, 'id' | 'ends_at' | 'stepped_up_at'>,
  policyEpoch: number,
): Promise<PlannedSvid> {
  const live = await transaction
    .selectFrom('launches')
    .innerJoin('leases', 'leases.id', 'launches.lease_id')
    .select('launches.id')
    .where('launches.id', '=', launch.id)
    .where('launches.revoked_at', 'is', null)
    .where('leases.revoked_at', 'is', null)
    .executeTakeFirst();
  if (live === undefined) throw new ApiError('lease_ended');
  const notBefore = context.clock.now();
  const longest = Math.min(notBefore + context.config.timers.credentialS * 1_000, launch.ends_at);
  const stepUpEnd = stepUpEnds(launch.stepped_up_at);
  const steppedUp = stepUpEnd - notBefore >= leastSteppedUpMs;
  const notAfter = steppedUp ? Math.min(longest, stepUpEnd) : longest;
  const serial = new Uint8Array(randomBytes(16));
  await transaction
    .insertInto('svids')
    .values({ serial, launch_id: launch.id, not_before: notBefore, not_after: notAfter, policy_epoch: policyEpoch })
    .execute();
  return { serial, notBefore, notAfter, policyEpoch, steppedUp };
}

/** Signs a planned credential and wraps it with everything a tunnel needs. */
export async function launchAnswer(
  context: Context,
  offer: GatewayOffer,
  signedIn: SignedIn,
  launch: LaunchTable,
  title: string,
  planned: PlannedSvid,
): Promise<LaunchAnswer> {
  const { pki, config } = context;
  const svid = await signSvid(nodeCrypto, pki.signer('svid'), {
    sessionPublicKey: launch.session_public_key,
    deviceKeyHash: signedIn.keyHash,
    notBefore: planned.notBefore,
    notAfter: planned.notAfter,
    policyEpoch: BigInt(planned.policyEpoch),
    amr: planned.steppedUp ? signedIn.amr | amrBit.stepUp : signedIn.amr,
    postureHash: launch.posture_hash,
    serial: planned.serial,
    spiffeId: signedIn.spiffeId,
    service: launch.service,
  });
  return {
    svid,
    descriptor: offer.descriptor,
    certificates: pki.certificates,
    root: pki.root,
    pins: pki.pins,
    earlier: pki.earlier,
    endpoints: offer.endpoints,
    service: { name: launch.service, title, app: origins.app(config, launch.service) },
    posture: new Writer().bytes(launch.posture_hash).u64(launch.posture_time).done(),
    expires: planned.notAfter,
    renewAfter: planned.notBefore + Math.floor((planned.notAfter - planned.notBefore) * renewAt),
    launchLeaseEnds: launch.ends_at,
  };
}

/** @throws ApiError `no_gateway` */
export function required(offer: GatewayOffer | undefined): GatewayOffer {
  if (offer === undefined) throw new ApiError('no_gateway');
  return offer;
}
