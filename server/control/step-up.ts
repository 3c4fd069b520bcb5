/**
 * Step-up (docs/protocol.md, "Step-up"): a touch of the passkey inside a tunnel, asked for by its gateway. The nonce is
 * ours, the exporter is what the gateway itself computed for its session, everything else of the challenge comes from
 * our own record. An assertion made in another tunnel, by whoever relays it, has another exporter in its challenge.
 */
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { base64url } from '../../protocol/bytes.ts';
import { stepupChallenge } from '../../protocol/challenges.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { CeremonyTable, LaunchTable } from '../store/tables/sessions.ts';
import { ApiError } from './api-error.ts';
import { beginCeremony, findCeremony, spendCeremony } from './ceremonies.ts';
import type { Context } from './context.ts';
import { passkeyEvidence } from './evidence.ts';
import { newEvent } from './identifiers.ts';
import { leaseById, type SignedIn } from './leases.ts';
import { checkPasskey, keepCounter } from './passkeys.ts';
import { type Attempt, auditingRefusal } from './refusal.ts';
import { WebAuthnError } from './webauthn.ts';

/** How long a touch counts (docs/protocol.md, "ClientSvid": amr bit 5). */
const stepUpMs = 300_000;

/** The instant at which a step-up no longer counts; 0 for none. @param at of its touch, ms */
export function stepUpEnds(at: number | null): number {
  return at === null ? 0 : at + stepUpMs;
}

/** The tunnel that a step-up is for, by the credential it holds. */
interface Tunnel {
  readonly launch: LaunchTable;
  readonly who: SignedIn;
}

export interface StepUpBegun {
  readonly ceremony: string;
  readonly nonce: Uint8Array;
}

/** @param admit bounds how often; asked once it is known who it is. @throws ApiError `lease_ended`, or what `admit` throws */
export async function beginStepUp(
  context: Context,
  serial: Uint8Array,
  admit: (who: SignedIn) => void,
): Promise<StepUpBegun> {
  const { launch, who } = await tunnelOf(context, serial);
  admit(who);
  const { id, nonce } = await beginCeremony(context, {
    kind: 'stepup',
    user_id: who.user,
    device_id: who.device,
    launch_id: launch.id,
    service: launch.service,
  });
  return { ceremony: id, nonce };
}

export interface StepUpProof {
  readonly ceremony: string;
  /** Of the credential that the session holds. */
  readonly serial: Uint8Array;
  /** The gateway's own, of the epoch in which it asked. */
  readonly exporter: Uint8Array;
  readonly credential: AuthenticationResponseJSON;
}

/** @throws ApiError `ceremony_unknown`, `ceremony_refused`, `lease_ended`; each is audited */
export async function finishStepUp(context: Context, proof: StepUpProof): Promise<void> {
  const { launch, who } = await tunnelOf(context, proof.serial);
  const attempt: Attempt = { type: 'stepup', actor: who.spiffeId, service: launch.service };
  const ceremony = await ceremonyOf(context, attempt, launch, proof.ceremony);
  const checked = await auditingRefusal(context, ceremony.id, attempt, () => check(context, ceremony, who, proof));
  const detail = {
    'signed.nonce': base64url(ceremony.nonce),
    'signed.exporter': base64url(proof.exporter),
    ...passkeyEvidence(proof.credential),
  };
  await context.audit.transact(async (transaction) => {
    await spendCeremony(context, transaction, ceremony.id);
    await keepCounter(transaction, checked);
    await transaction
      .updateTable('launches')
      .set({ stepped_up_at: context.clock.now() })
      .where('id', '=', launch.id)
      .execute();
    await context.audit.record(transaction, newEvent(context, { ...attempt, decision: 'allow', detail }));
  });
}

/** A nonce that is spent, too old or of another tunnel is none, and whoever brought it is written down. */
async function ceremonyOf(context: Context, attempt: Attempt, launch: LaunchTable, id: string): Promise<CeremonyTable> {
  const found = await findCeremony(context, 'stepup', id).catch((error: unknown) => {
    if (error instanceof ApiError) return undefined;
    throw error;
  });
  if (found?.launch_id === launch.id) return found;
  const refusal = new ApiError('ceremony_unknown');
  const { code: reason, correlation } = refusal;
  await context.audit.append([newEvent(context, { ...attempt, decision: 'deny', reason, correlation })]);
  throw refusal;
}

async function check(context: Context, ceremony: CeremonyTable, who: SignedIn, proof: StepUpProof) {
  const challenge = stepupChallenge(nodeCrypto, {
    rpId: context.config.rpId,
    nonce: ceremony.nonce,
    deviceKeyHash: who.keyHash,
    userHandle: who.userHandle,
    exporter: proof.exporter,
  });
  // A guest without a passkey has nothing to touch.
  if (who.credential === null) throw new WebAuthnError('signature');
  const holder = { user_id: who.user, credential_id: who.credential, handle: who.userHandle };
  return checkPasskey(context, holder, proof.credential, challenge);
}

async function tunnelOf(context: Context, serial: Uint8Array): Promise<Tunnel> {
  const launch = await context.store
    .selectFrom('launches')
    .innerJoin('svids', 'svids.launch_id', 'launches.id')
    .selectAll('launches')
    .where('svids.serial', '=', serial)
    .where('launches.revoked_at', 'is', null)
    .where('launches.ends_at', '>', context.clock.now())
    .executeTakeFirst();
  const who = launch && (await leaseById(context, launch.lease_id));
  if (launch === undefined || who === undefined) throw new ApiError('lease_ended');
  return { launch, who };
}
