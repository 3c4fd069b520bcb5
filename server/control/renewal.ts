/**
 * Renewal (docs/protocol.md, "WebAuthn and the tunnel", step 4): the session key asks for its next credential while
 * launch lease, login lease, person, device and policy all still stand. No cookie and no prompt: the shell does it.
 */
import { utf8 } from '../../protocol/bytes.ts';
import { renewChallenge } from '../../protocol/challenges.ts';
import { signatureContext } from '../../protocol/labels.ts';
import type { AuditEvent } from '../channel/audit-event.ts';
import { verifyComposite } from '../crypto/composite-key.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { LaunchTable } from '../store/tables/sessions.ts';
import { decideLaunch, findService } from './access.ts';
import { ApiError, type ApiErrorCode } from './api-error.ts';
import type { Context } from './context.ts';
import {
  type GatewayOffer,
  type LaunchAnswer,
  launchAnswer,
  type PlannedSvid,
  planSvid,
  required,
} from './credential.ts';
import { newEvent } from './identifiers.ts';
import { leaseById, type SignedIn } from './leases.ts';
import type { PolicyDesk } from './policy-desk.ts';
import type { PolicySignals } from './posture.ts';
import { checkTime, spendNonce } from './signed-request.ts';

export interface RenewalProof {
  /** SHA-256 of the session public key. */
  readonly sessionKeyHash: Uint8Array;
  /** Serial of the credential held now. */
  readonly serial: Uint8Array;
  /** ms */
  readonly time: number;
  readonly signature: Uint8Array;
}

/**
 * @param admit bounds how often; asked once it is known who it is
 * @throws ApiError `request_stale`, `lease_ended`, `signature_invalid`, `request_replayed`, `denied`, …
 */
export async function renew(
  context: Context,
  desk: PolicyDesk,
  gateway: () => GatewayOffer | undefined,
  proof: RenewalProof,
  admit: (who: SignedIn) => void,
): Promise<LaunchAnswer> {
  checkTime(context, proof.time);
  const launch = await liveLaunch(context, proof);
  const who = await leaseById(context, launch.lease_id);
  if (who === undefined) throw new ApiError('lease_ended');
  await checkSignature(context, who, launch, proof);
  const offer = required(gateway());
  await spendNonce(context, `renew ${launch.id}`, utf8(String(proof.time)), proof.time);
  admit(who);
  const planned = await decideAndPlan(context, desk, who, launch);
  const title = findService(desk, launch.service)?.title ?? launch.service;
  return launchAnswer(context, offer, who, launch, title, planned);
}

async function checkSignature(
  context: Context,
  who: SignedIn,
  launch: LaunchTable,
  proof: RenewalProof,
): Promise<void> {
  const challenge = renewChallenge(nodeCrypto, proof);
  if (verifyComposite(launch.session_public_key, challenge, signatureContext.renew, proof.signature)) return;
  const refusal = new ApiError('signature_invalid');
  await context.audit.append([renewal(context, who, launch, outcomeOf(refusal))]);
  throw refusal;
}

async function liveLaunch(context: Context, proof: RenewalProof): Promise<LaunchTable> {
  const launch = await context.store
    .selectFrom('launches')
    .innerJoin('svids', 'svids.launch_id', 'launches.id')
    .selectAll('launches')
    .where('launches.session_key_hash', '=', proof.sessionKeyHash)
    .where('svids.serial', '=', proof.serial)
    .where('launches.revoked_at', 'is', null)
    .where('launches.ends_at', '>', context.clock.now())
    .executeTakeFirst();
  if (launch === undefined) throw new ApiError('lease_ended');
  return launch;
}

/** Asks the policy again, audits the answer and, when it still allows, records the next credential. */
async function decideAndPlan(
  context: Context,
  desk: PolicyDesk,
  who: SignedIn,
  launch: LaunchTable,
): Promise<PlannedSvid> {
  const signals = JSON.parse(launch.posture_signals) as PolicySignals;
  const posture = { signals, time: launch.posture_time };
  const decided = decideLaunch(context, desk, who, posture, launch.service, launch.stepped_up_at);
  const reason = refusalOf(context, desk, launch, decided.decision);
  const refusal = reason === undefined ? undefined : new ApiError(reason);
  const planned = await context.audit.transact(async (transaction) => {
    await context.audit.record(transaction, renewal(context, who, launch, { ...decided, ...outcomeOf(refusal) }));
    return refusal === undefined ? planSvid(context, transaction, launch, desk.epoch) : undefined;
  });
  if (planned === undefined) throw refusal;
  return planned;
}

function outcomeOf(refusal: ApiError | undefined): Outcome {
  if (refusal === undefined) return { decision: 'allow' };
  return { decision: 'deny', reason: refusal.code, correlation: refusal.correlation };
}

function refusalOf(
  context: Context,
  desk: PolicyDesk,
  launch: LaunchTable,
  decision: 'allow' | 'deny',
): ApiErrorCode | undefined {
  if (findService(desk, launch.service) === undefined) return 'service_unknown';
  if (decision === 'deny') return 'denied';
  const ageMs = context.clock.now() - launch.posture_time;
  return ageMs > context.config.timers.postureMaxAgeS * 1_000 ? 'posture_stale' : undefined;
}

type Outcome = Pick<AuditEvent, 'decision' | 'reason' | 'policies' | 'correlation' | 'detail'>;

function renewal(context: Context, who: SignedIn, launch: LaunchTable, outcome: Outcome): AuditEvent {
  return newEvent(context, { type: 'renew', actor: who.spiffeId, service: launch.service, ...outcome });
}
