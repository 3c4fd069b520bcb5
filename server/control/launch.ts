/**
 * Launch (docs/protocol.md, "WebAuthn and the tunnel", step 3): the device key endorses one session key for one
 * service, the session key proves itself, posture and policy are judged, and one credential is issued. The policy is
 * asked once, here, with the posture of this moment; every answer is audited with the policies that gave it.
 */

import { base64url } from '../../protocol/bytes.ts';
import { launchChallenge } from '../../protocol/challenges.ts';
import { signatureContext } from '../../protocol/labels.ts';
import { verifyComposite } from '../crypto/composite-key.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { leaveBy } from '../policy/links.ts';
import { isDuplicate } from '../store/postgres-schema.ts';
import type { CeremonyTable, LaunchTable } from '../store/tables/sessions.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { decideLaunch, findService, type RecordedLaunch } from './access.ts';
import { ApiError } from './api-error.ts';
import { beginCeremony, findCeremony, spendCeremony } from './ceremonies.ts';
import type { Context } from './context.ts';
import { type GatewayOffer, type LaunchAnswer, launchAnswer, planSvid, required } from './credential.ts';
import { ceremonyEvidence } from './evidence.ts';
import type { Holder } from './holder.ts';
import { newEvent, newId } from './identifiers.ts';
import { wipeTicket } from './kiosk-wipe.ts';
import type { SignedIn } from './leases.ts';
import type { PolicyDesk } from './policy-desk.ts';
import { type Posture, policySignalsOf, postureDetail, verifyPosture } from './posture.ts';
import { checkDeviceSignature, type LaunchProof } from './proof.ts';
import { auditingRefusal } from './refusal.ts';

/** What hub and shell compute the launch challenge from. */
export interface LaunchBegun {
  readonly ceremony: string;
  readonly nonce: Uint8Array;
  readonly lease: Uint8Array;
  readonly rpId: string;
  readonly userHandle: Uint8Array;
  readonly deviceKeyHash: Uint8Array;
}

/** @throws ApiError `service_unknown` */
export async function beginLaunch(
  context: Context,
  desk: PolicyDesk,
  who: SignedIn,
  service: string,
): Promise<LaunchBegun> {
  if (findService(desk, service) === undefined) await refuseLaunch(context, who, service, 'service_unknown');
  const { id, nonce } = await beginCeremony(context, {
    kind: 'launch',
    user_id: who.user,
    device_id: who.device,
    lease_id: who.leaseId,
    service,
  });
  return {
    ceremony: id,
    nonce,
    lease: who.leaseId,
    rpId: context.config.rpId,
    userHandle: who.userHandle,
    deviceKeyHash: who.keyHash,
  };
}

/**
 * For a person who came by the address of one service that the launcher does not list: says why, as a launch would, by
 * the posture of their sign-in as the launcher does. @throws ApiError `service_unknown` or `denied`
 */
export async function explainLaunch(context: Context, desk: PolicyDesk, who: SignedIn, service: string): Promise<void> {
  if (findService(desk, service) === undefined) return refuseLaunch(context, who, service, 'service_unknown');
  const posture = { signals: who.postureSignals, time: who.postureTime };
  const { decision, policies, detail } = decideLaunch(context, desk, who, posture, service);
  if (decision === 'deny') await refuseLaunch(context, who, service, 'denied', { policies, detail });
}

async function refuseLaunch(
  context: Context,
  who: SignedIn,
  service: string,
  reason: 'service_unknown' | 'denied',
  decided: Pick<RecordedLaunch, 'policies'> & Partial<RecordedLaunch> = { policies: ['default-deny'] },
): Promise<never> {
  const refusal = new ApiError(reason);
  const refused = { reason, correlation: refusal.correlation } as const;
  const event = {
    type: 'launch',
    actor: who.spiffeId,
    service,
    ...refused,
    ...decided,
    decision: 'deny',
  } as const;
  await context.audit.append([newEvent(context, event)]);
  throw refusal;
}

/** @throws ApiError for each check that fails; `denied` when the policy says no */
export async function finishLaunch(
  context: Context,
  desk: PolicyDesk,
  gateway: () => GatewayOffer | undefined,
  who: SignedIn,
  holder: Holder,
  proof: LaunchProof,
): Promise<LaunchAnswer & { readonly wipe?: string }> {
  const ceremony = await findCeremony(context, 'launch', proof.ceremony);
  const service = ceremony.service ?? '';
  const attempt = { type: 'launch', actor: who.spiffeId, service } as const;
  const posture = await auditingRefusal(context, ceremony.id, attempt, async () =>
    check(context, ceremony, service, who, holder, proof),
  );
  const signals = policySignalsOf(posture);
  const decision = decideLaunch(context, desk, who, { signals, time: posture.time }, service);
  const refusal = decision.decision === 'deny' ? new ApiError('denied') : undefined;
  const outcome = await record(context, desk, ceremony, who, proof, posture, decision, refusal);
  if (outcome === undefined) throw refusal;
  const title = findService(desk, service)?.title ?? service;
  const wipe = wipeTicket(who, outcome.launch);
  const answer = await launchAnswer(context, required(gateway()), who, outcome.launch, title, outcome.planned);
  return { ...answer, ...(wipe !== undefined && { wipe }) };
}

function check(
  context: Context,
  ceremony: CeremonyTable,
  service: string,
  who: SignedIn,
  holder: Holder,
  proof: LaunchProof,
): Posture {
  // Another lease's ceremony is as good as none: its challenge names that lease.
  if (!Buffer.from(who.leaseId).equals(ceremony.lease_id ?? Buffer.alloc(0))) throw new ApiError('device_signature');
  const posture = verifyPosture(context, proof.posture.statement, proof.posture.signature, holder);
  const challenge = launchChallenge(nodeCrypto, {
    rpId: context.config.rpId,
    nonce: ceremony.nonce,
    deviceKeyHash: holder.keyHash,
    userHandle: who.userHandle,
    sessionKeyHash: nodeCrypto.sha256(proof.sessionPublicKey),
    lease: who.leaseId,
    service,
    postureHash: posture.hash,
  });
  checkDeviceSignature(holder, challenge, proof.deviceSignature);
  if (!verifyComposite(proof.sessionPublicKey, challenge, signatureContext.launch, proof.sessionSignature)) {
    throw new ApiError('session_signature');
  }
  return posture;
}

/** Spends the nonce and writes posture, decision and, when allowed, launch and credential: all or nothing. */
async function record(
  context: Context,
  desk: PolicyDesk,
  ceremony: CeremonyTable,
  who: SignedIn,
  proof: LaunchProof,
  posture: Posture,
  decided: RecordedLaunch,
  refusal: ApiError | undefined,
) {
  const now = context.clock.now();
  const service = ceremony.service ?? '';
  const refused = refusal && { reason: refusal.code, correlation: refusal.correlation };
  const signed = launchEvidence(ceremony, who, posture, proof);
  const event = { actor: who.spiffeId, service, ...decided, ...refused, detail: { ...decided.detail, ...signed } };
  const detail = postureDetail(now, posture, who.facts) ?? {};
  return withUniqueSessionKey(() =>
    context.audit.transact(async (transaction) => {
      await spendCeremony(context, transaction, ceremony.id);
      await context.audit.record(
        transaction,
        newEvent(context, { type: 'posture', actor: who.spiffeId, service, decision: decided.decision, detail }),
        newEvent(context, { type: 'launch', ...event }),
      );
      if (refusal !== undefined) return undefined;
      const launch: LaunchTable = {
        id: (await launchGoingOn(transaction, who, service, proof, now)) ?? newId(),
        lease_id: who.leaseId,
        user_id: who.user,
        device_id: who.device,
        service,
        session_key_hash: nodeCrypto.sha256(proof.sessionPublicKey),
        session_public_key: proof.sessionPublicKey,
        posture_hash: posture.hash,
        posture_time: posture.time,
        posture_signals: JSON.stringify(policySignalsOf(posture)),
        created_at: now,
        ends_at: launchEnds(context, who),
        revoked_at: null,
        stepped_up_at: null,
      };
      const { id: _, ...renewed } = launch;
      await transaction
        .insertInto('launches')
        .values(launch)
        .onConflict((conflict) => conflict.column('id').doUpdateSet(renewed))
        .execute();
      return { launch, planned: await planSvid(context, transaction, launch, desk.epoch) };
    }),
  );
}

function launchEvidence(ceremony: CeremonyTable, who: SignedIn, posture: Posture, proof: LaunchProof) {
  if (who.devicePublicKey === null) return undefined;
  return {
    ...ceremonyEvidence(ceremony, posture, proof.deviceSignature),
    'signed.lease': base64url(who.leaseId),
    'signed.sessionKey': base64url(nodeCrypto.sha256(proof.sessionPublicKey)),
  };
}

/**
 * A tunnel whose lease has ended goes on under the lease of whoever signed in again: the same person on the same device,
 * with the same session key for the same service. One that is still live or was revoked does not.
 */
async function launchGoingOn(
  transaction: StoreTransaction,
  who: SignedIn,
  service: string,
  { sessionPublicKey }: LaunchProof,
  now: number,
): Promise<string | undefined> {
  const launch = await transaction
    .selectFrom('launches')
    .select('id')
    .where('session_key_hash', '=', nodeCrypto.sha256(sessionPublicKey))
    .where('user_id', '=', who.user)
    .where('device_id', '=', who.device)
    .where('service', '=', service)
    .where('ends_at', '<=', now)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return launch?.id;
}

function launchEnds(context: Context, { endsAt, guest }: SignedIn): number {
  const now = context.clock.now();
  const longest = Math.min(now + context.config.timers.launchLeaseS * 1_000, endsAt);
  return guest === undefined ? longest : Math.min(longest, leaveBy(guest, now));
}

async function withUniqueSessionKey<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isDuplicate(error, 'launches', 'session_key')) throw new ApiError('session_key_used', { cause: error });
    throw error;
  }
}
