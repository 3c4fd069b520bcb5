/**
 * Enrolment (docs/protocol.md, "WebAuthn and the tunnel"): an enrolment link lets one browser join with a new passkey
 * and a device key, both of which sign the same challenge. One transaction spends link and nonce and writes passkey,
 * device and lease.
 */
import { enrolChallenge } from '../../protocol/challenges.ts';
import { origins } from '../config.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { CeremonyTable, StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import { beginCeremony, findCeremony, spendCeremony } from './ceremonies.ts';
import type { Context } from './context.ts';
import { deviceSpiffeId, newEvent, newId } from './identifiers.ts';
import { openLease } from './leases.ts';
import { findEnrolment, useEnrolment } from './people.ts';
import { type Posture, postureDetail, verifyPosture } from './posture.ts';
import { checkDeviceSignature, type EnrolmentProof, type Entered } from './proof.ts';
import { auditingRefusal, refusedAtTheDoor } from './refusal.ts';
import { type NewCredential, verifyNewPasskey } from './webauthn.ts';

/** What the page needs to make a passkey: it computes the challenge from this, it is never handed one. */
export interface EnrolmentBegun {
  readonly ceremony: string;
  readonly nonce: Uint8Array;
  readonly user: { readonly id: string; readonly name: string; readonly handle: Uint8Array };
}

type Link = Awaited<ReturnType<typeof findEnrolment>>;

/** @throws ApiError `enrolment_unknown`, `enrolment_used`, `enrolment_expired` */
export async function beginEnrolment(context: Context, token: string): Promise<EnrolmentBegun> {
  const link = await findEnrolment(context, { token }).catch((error: unknown) =>
    refusedAtTheDoor(context, 'enrol', error),
  );
  const { id, nonce } = await beginCeremony(context, {
    kind: 'enrol',
    user_id: link.user_id,
    enrolment_id: link.id,
  });
  return { ceremony: id, nonce, user: { id: link.user_id, name: link.name, handle: link.handle } };
}

/** @throws ApiError for a link or ceremony that is not good any more, and for every check that fails */
export async function finishEnrolment(context: Context, proof: EnrolmentProof): Promise<Entered> {
  const ceremony = await findCeremony(context, 'enrol', proof.ceremony);
  const link = await findEnrolment(context, { id: ceremony.enrolment_id ?? '' });
  const attempt = { type: 'enrol', actor: 'anonymous', subject: link.user_id } as const;
  const { passkey, posture } = await auditingRefusal(context, ceremony.id, attempt, () =>
    check(context, ceremony, link, proof),
  );
  try {
    return await context.audit.transact(async (transaction) => {
      await spendCeremony(context, transaction, ceremony.id);
      await useEnrolment(context, transaction, link.id);
      return join(context, transaction, link, proof, passkey, posture);
    });
  } catch (error) {
    if (isTaken(error)) throw new ApiError('device_known', { cause: error });
    throw error;
  }
}

async function check(
  context: Context,
  ceremony: CeremonyTable,
  link: Link,
  proof: EnrolmentProof,
): Promise<{ passkey: NewCredential; posture: Posture }> {
  const { rpId } = context.config;
  const posture = verifyPosture(context, proof.posture.statement, proof.posture.signature, proof.devicePublicKey);
  const challenge = enrolChallenge(nodeCrypto, {
    rpId,
    nonce: ceremony.nonce,
    deviceKeyHash: nodeCrypto.sha256(proof.devicePublicKey),
    userHandle: link.handle,
    postureHash: posture.hash,
  });
  checkDeviceSignature(proof.devicePublicKey, challenge, proof.deviceSignature);
  const rp = { rpId, origin: origins.hub(context.config) };
  return { passkey: await verifyNewPasskey(rp, proof.credential, challenge), posture };
}

async function join(
  context: Context,
  transaction: StoreTransaction,
  link: Link,
  proof: EnrolmentProof,
  passkey: NewCredential,
  posture: Posture,
): Promise<Entered> {
  const now = context.clock.now();
  const device = newId();
  const { id, publicKey, counter, aaguid, transports, backupEligible, backedUp } = passkey;
  await transaction
    .insertInto('credentials')
    .values({
      id,
      user_id: link.user_id,
      public_key: publicKey,
      counter,
      aaguid,
      transports: JSON.stringify(transports),
      backup_eligible: backupEligible ? 1 : 0,
      backed_up: backedUp ? 1 : 0,
      created_at: now,
      revoked_at: null,
    })
    .execute();
  const deviceRow = { id: device, user_id: link.user_id, credential_id: id, public_key: proof.devicePublicKey };
  await transaction
    .insertInto('devices')
    .values({ ...deviceRow, created_at: now, revoked_at: null })
    .execute();
  const leaseSecret = await openLease(context, transaction, { user: link.user_id, device, posture });
  const actor = deviceSpiffeId(context.config, link.user_id, device);
  const facts = { verifiedAt: now, backupEligible, backedUp };
  await context.audit.record(
    transaction,
    newEvent(context, { type: 'posture', actor, detail: postureDetail(now, posture, facts) }),
    newEvent(context, {
      type: 'enrol',
      actor,
      subject: link.user_id,
      decision: 'allow',
      detail: { link: link.id, aaguid, backupEligible, backedUp },
    }),
  );
  return { user: { id: link.user_id, name: link.name }, device: { id: device }, leaseSecret };
}

/** A passkey or device key that somebody enrolled before: the tables hold each only once. */
function isTaken(error: unknown): boolean {
  return error instanceof Error && /^UNIQUE constraint failed: (credentials|devices)\./.test(error.message);
}
