/**
 * A browser that joins: its new passkey and its new device key, both of which signed one challenge, are believed and
 * written down with the first lease. Whose browser it is, and what let it in, is the caller's (enrolment.ts, guests.ts).
 */
import { enrolChallenge } from '../../protocol/challenges.ts';
import { origins } from '../config.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { isDuplicate } from '../store/postgres-schema.ts';
import type { CeremonyTable } from '../store/tables/sessions.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context, Evidence } from './context.ts';
import { ceremonyEvidence } from './evidence.ts';
import { deviceHolder } from './holder.ts';
import { newEvent, newId } from './identifiers.ts';
import { openLease, spiffeIdOf } from './leases.ts';
import { type Posture, postureDetail, verifyPosture } from './posture.ts';
import { checkDeviceSignature, type EnrolmentProof, type Entered } from './proof.ts';
import { type NewCredential, verifyNewPasskey } from './webauthn.ts';

/** What a new passkey is for, and whether its authenticator is asked who made it: where somebody said whose word counts. */
export function newPasskeyTerms({ config, makers }: Context) {
  const attestation = makers.areNamed ? ('direct' as const) : ('none' as const);
  return { rp: { id: config.rpId, name: 'Latchkey' }, attestation };
}

/** What a newcomer proved. */
export interface Newcomer {
  readonly passkey: NewCredential;
  readonly posture: Posture;
  readonly evidence: Evidence;
}

/** @throws WebAuthnError or ApiError for each check that fails */
export async function checkNewcomer(
  context: Context,
  ceremony: CeremonyTable,
  userHandle: Uint8Array,
  proof: EnrolmentProof,
): Promise<Newcomer> {
  const { rpId } = context.config;
  const holder = deviceHolder(proof.devicePublicKey);
  const posture = verifyPosture(context, proof.posture.statement, proof.posture.signature, holder);
  const challenge = enrolChallenge(nodeCrypto, {
    rpId,
    nonce: ceremony.nonce,
    deviceKeyHash: holder.keyHash,
    userHandle,
    postureHash: posture.hash,
  });
  checkDeviceSignature(holder, challenge, proof.deviceSignature);
  const rp = { rpId, origin: origins.hub(context.config) };
  const makers = { authorities: context.makers, now: context.clock.now() };
  const passkey = await verifyNewPasskey(rp, proof.credential, challenge, makers);
  return { passkey, posture, evidence: ceremonyEvidence(ceremony, posture, proof.deviceSignature) };
}

/** For whom it joins. */
export interface Joiner {
  readonly user: string;
  readonly name: string;
  readonly amr: number;
  /** The device signs in only when an administrator has said yes. */
  readonly waits?: boolean;
  /** For a guest: their use of a link, and when its leases end. */
  readonly guest?: { readonly link: string; readonly use: number; readonly until: number };
}

export interface Joined {
  readonly entered: Entered;
  /** SPIFFE id */
  readonly actor: string;
  /** Of the authenticator, and by what the browser joined, for the audit. */
  readonly facts: Evidence & {
    readonly aaguid: string;
    readonly backupEligible: boolean;
    readonly backedUp: boolean;
    readonly attestation: string;
    readonly attested: boolean;
  };
}

/** Writes passkey, device, lease and posture inside the transaction that spends the ceremony. */
export async function join(
  context: Context,
  transaction: StoreTransaction,
  of: Joiner,
  proof: EnrolmentProof,
  { passkey, posture, evidence }: Newcomer,
): Promise<Joined> {
  const now = context.clock.now();
  const device = newId();
  const { aaguid, backupEligible, backedUp } = passkey;
  await insertCredential(transaction, of.user, passkey, now);
  const row = { id: device, user_id: of.user, credential_id: passkey.id, public_key: proof.devicePublicKey };
  const fresh = {
    name: '',
    created_at: now,
    approved_at: of.waits === true ? null : now,
    revoked_at: null,
    revoked_reason: null,
  };
  await transaction
    .insertInto('devices')
    .values({ ...row, ...fresh, archived_at: null })
    .execute();
  const holder = { user: of.user, device, posture, amr: of.amr, until: of.guest?.until };
  const leaseSecret = of.waits === true ? null : await openLease(context, transaction, holder);
  const names = {
    user_id: of.user,
    device_id: device,
    link_id: of.guest?.link ?? null,
    link_use: of.guest?.use ?? null,
  };
  const actor = spiffeIdOf(context.config, names);
  const detail = postureDetail(now, posture, { verifiedAt: now, backupEligible, backedUp });
  await context.audit.record(transaction, newEvent(context, { type: 'posture', actor, detail }));
  const entered = { user: { id: of.user, name: of.name }, device: { id: device }, leaseSecret };
  const { format: attestation, isAttested: attested } = passkey.attestation;
  return { entered, actor, facts: { aaguid, backupEligible, backedUp, attestation, attested, ...evidence } };
}

async function insertCredential(
  transaction: StoreTransaction,
  user: string,
  { id, publicKey, counter, aaguid, transports, backupEligible, backedUp, attestation }: NewCredential,
  now: number,
): Promise<void> {
  await transaction
    .insertInto('credentials')
    .values({
      id,
      user_id: user,
      public_key: publicKey,
      counter,
      aaguid,
      transports: JSON.stringify(transports),
      backup_eligible: backupEligible ? 1 : 0,
      backed_up: backedUp ? 1 : 0,
      created_at: now,
      revoked_at: null,
      attestation: attestation.format,
      attested: attestation.isAttested ? 1 : 0,
      attestation_object: attestation.object,
    })
    .execute();
}

/** A passkey or device key that somebody enrolled before: the tables hold each only once. */
export function joinRefusal(error: unknown): unknown {
  const isTaken = isDuplicate(error, 'credentials') || isDuplicate(error, 'devices');
  return isTaken ? new ApiError('device_known', { cause: error }) : error;
}
