/**
 * Signing in (docs/protocol.md, "WebAuthn and the tunnel", steps 1 and 2): passkey and device key sign one challenge
 * that we recompute; the nonce is spent in the transaction that writes the lease, so that of two answers to one nonce
 * exactly one signs in.
 */
import { loginChallenge } from '../../protocol/challenges.ts';
import { amrBit } from '../../protocol/svid.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { CeremonyTable } from '../store/tables/sessions.ts';
import { ApiError } from './api-error.ts';
import { beginCeremony, findCeremony, spendCeremony } from './ceremonies.ts';
import type { Context } from './context.ts';
import { ceremonyEvidence, passkeyEvidence } from './evidence.ts';
import { deviceHolder } from './holder.ts';
import { newEvent } from './identifiers.ts';
import { openLease, passkeyAmr, spiffeIdOf } from './leases.ts';
import { type CheckedPasskey, checkPasskey, keepCounter } from './passkeys.ts';
import { type Posture, postureDetail, verifyPosture } from './posture.ts';
import { checkDeviceSignature, type Entered, type LoginProof } from './proof.ts';
import { wasReplaced } from './recovery.ts';
import { auditingRefusal, refusedAtTheDoor } from './refusal.ts';

export interface LoginBegun {
  readonly ceremony: string;
  readonly nonce: Uint8Array;
  readonly user: { readonly handle: Uint8Array; readonly name: string };
  /** base64url, as WebAuthn's allowCredentials takes them; the passkey that this device was enrolled with. */
  readonly credentialIds: readonly string[];
}

/** @throws ApiError `device_unknown`, `device_replaced`, `device_waits` */
export async function beginLogin(context: Context, devicePublicKey: Uint8Array): Promise<LoginBegun> {
  const device = await personOnDevice(context, { devicePublicKey });
  if (device === undefined) {
    const code = (await wasReplaced(context, devicePublicKey)) ? 'device_replaced' : 'device_unknown';
    return refusedAtTheDoor(context, 'login', new ApiError(code));
  }
  if (device.approved_at === null) return refusedAtTheDoor(context, 'login', new ApiError('device_waits'));
  const credentials = await context.store
    .selectFrom('credentials')
    .select('id')
    .where('id', '=', device.credential_id)
    .where('user_id', '=', device.user_id)
    .where('revoked_at', 'is', null)
    .execute();
  const { id, nonce } = await beginCeremony(context, {
    kind: 'login',
    user_id: device.user_id,
    device_id: device.device_id,
    device_public_key: devicePublicKey,
  });
  return {
    ceremony: id,
    nonce,
    user: { handle: device.handle, name: device.name },
    credentialIds: credentials.map((credential) => credential.id),
  };
}

/** @throws ApiError `ceremony_unknown`, `ceremony_refused`, `device_signature`, `posture_invalid`, `posture_stale` */
export async function finishLogin(context: Context, proof: LoginProof): Promise<Entered> {
  const ceremony = await findCeremony(context, 'login', proof.ceremony);
  const person = await personOnDevice(context, { device: ceremony.device_id ?? '' });
  if (person === undefined || person.approved_at === null) throw new ApiError('device_unknown');
  const actor = spiffeIdOf(context.config, person);
  const attempt = { type: 'login', actor, subject: person.user_id } as const;
  const checked = await auditingRefusal(context, ceremony.id, attempt, () => check(context, ceremony, person, proof));
  return context.audit.transact(async (transaction) => {
    await spendCeremony(context, transaction, ceremony.id);
    await keepCounter(transaction, checked);
    const { posture } = checked;
    const leaseSecret = await openLease(context, transaction, {
      user: person.user_id,
      device: person.device_id,
      posture,
      amr: person.link_id === null ? passkeyAmr : passkeyAmr | amrBit.guestLink,
      until: person.link_expires_at ?? undefined,
    });
    const now = context.clock.now();
    const backupEligible = checked.credential.backup_eligible === 1;
    const evidence = {
      ...ceremonyEvidence(ceremony, posture, proof.deviceSignature),
      ...passkeyEvidence(proof.credential),
    };
    const facts = { verifiedAt: now, backupEligible, backedUp: checked.result.backedUp };
    await context.audit.record(
      transaction,
      newEvent(context, { type: 'posture', actor, detail: postureDetail(now, posture, facts) }),
      newEvent(context, {
        ...attempt,
        decision: 'allow',
        detail: { backupEligible, backedUp: facts.backedUp, ...evidence },
      }),
    );
    return { user: { id: person.user_id, name: person.name }, device: { id: person.device_id }, leaseSecret };
  });
}

interface Checked extends CheckedPasskey {
  readonly posture: Posture;
}

async function check(
  context: Context,
  ceremony: CeremonyTable,
  person: DevicePerson,
  proof: LoginProof,
): Promise<Checked> {
  const { rpId } = context.config;
  const holder = deviceHolder(person.public_key);
  const posture = verifyPosture(context, proof.posture.statement, proof.posture.signature, holder);
  const challenge = loginChallenge(nodeCrypto, {
    rpId,
    nonce: ceremony.nonce,
    deviceKeyHash: holder.keyHash,
    userHandle: person.handle,
    postureHash: posture.hash,
  });
  checkDeviceSignature(holder, challenge, proof.deviceSignature);
  const { credential, result } = await checkPasskey(context, person, proof.credential, challenge);
  return { posture, credential, result };
}

/** The device of that key or id with its person; undefined where it may not sign in at all. */
export function personOnDevice(
  context: Context,
  by: { readonly devicePublicKey: Uint8Array } | { readonly device: string },
): Promise<DevicePerson | undefined> {
  const query = people(context);
  return (
    'device' in by
      ? query.where('devices.id', '=', by.device)
      : query.where('devices.public_key', '=', by.devicePublicKey)
  ).executeTakeFirst();
}

/** Devices that may sign in, with their people, and with the links of those who are guests. */
function people(context: Context) {
  return (
    context.store
      .selectFrom('devices')
      .innerJoin('users', 'users.id', 'devices.user_id')
      .leftJoin('links', 'links.id', 'users.link_id')
      .select(['devices.id as device_id', 'devices.approved_at'])
      .select(['users.id as user_id', 'users.name', 'users.handle', 'users.link_id', 'users.link_use'])
      .select(['links.expires_at as link_expires_at'])
      .select(['devices.public_key', 'devices.credential_id'])
      .where('devices.public_key', 'is not', null)
      .where('links.revoked_at', 'is', null)
      .where((device) =>
        device.or([device('links.id', 'is', null), device('links.expires_at', '>', context.clock.now())]),
      )
      .where('devices.revoked_at', 'is', null)
      .where('users.disabled_at', 'is', null)
      // Who came without a device key has no passkey either.
      .$narrowType<{ public_key: Uint8Array; credential_id: string }>()
  );
}

export type DevicePerson = Awaited<ReturnType<ReturnType<typeof people>['executeTakeFirstOrThrow']>>;
