/**
 * Changes too dangerous for one person: they wait until two policy administrators have each signed them with the passkey of an
 * enrolled device, and nothing happens before. What is signed is the document that was shown, byte by byte. The command
 * line speaks for the owner of the data folder, who is nobody in particular: what it asks for needs two as well.
 */
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { utf8 } from '../../protocol/bytes.ts';
import { approvalChallenge } from '../../protocol/challenges.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { Danger } from '../policy/dangers.ts';
import type { ChangeKind, ChangeTable } from '../store/tables/policy.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { type AdminRole, rolesOf } from './admin-roles.ts';
import { ApiError } from './api-error.ts';
import { beginCeremony, findCeremony, spendCeremony } from './ceremonies.ts';
import type { Context } from './context.ts';
import { newEvent, newId } from './identifiers.ts';
import { requirePasskey, type SignedIn } from './leases.ts';
import { checkPasskey, keepCounter } from './passkeys.ts';
import { auditingRefusal } from './refusal.ts';
import { WebAuthnError } from './webauthn.ts';

export type ChangeState = 'waiting' | 'done' | 'refused' | 'outdated' | 'expired';

export interface ShownChange {
  readonly id: string;
  readonly kind: ChangeKind;
  readonly state: ChangeState;
  readonly dangers: readonly Danger[];
  /** JSON of what will be done; its SHA-256 is what approvals sign. */
  readonly document: string;
  readonly requestedBy: string;
  /** ms since 1970, as the other times. */
  readonly requestedAt: number;
  readonly expires: number;
  readonly needed: number;
  readonly approvals: readonly { readonly user: string; readonly name: string; readonly at: number }[];
}

/**
 * What a change of some kind does. Inside the transaction of the last approval.
 * @param digest SHA-256 of the document, which is what was signed. @returns false where the ground it stood on has moved
 */
export type CarryOut = (
  transaction: StoreTransaction,
  document: unknown,
  approvedBy: string,
  digest: Uint8Array,
) => Promise<boolean>;
export type CarryOuts = Readonly<Record<ChangeKind, CarryOut>>;

const approvalsNeeded = 2;
const lifeMs = 24 * 3_600_000;
const maxWaiting = 32;

/** Writes a change down to wait. @throws ApiError `change_too_many` */
export async function requestChange(
  context: Context,
  { kind, content, dangers, actor }: { kind: ChangeKind; content: object; dangers: readonly Danger[]; actor: string },
): Promise<ShownChange> {
  const id = newId();
  const now = context.clock.now();
  const row: ChangeTable = {
    id,
    kind,
    document: JSON.stringify({ id, kind, ...content }),
    dangers: JSON.stringify(dangers),
    requested_by: actor,
    created_at: now,
    expires_at: now + lifeMs,
    decided_at: null,
    outcome: null,
  };
  await context.audit.transact(async (transaction) => {
    const waiting = await waitingRows(context, transaction).execute();
    if (waiting.length >= maxWaiting) throw new ApiError('change_too_many');
    await transaction.insertInto('changes').values(row).execute();
    await record(context, transaction, actor, 'change.request', row);
  });
  return shown(context, row, []);
}

/** Those that wait, the oldest first. */
export async function listChanges(context: Context): Promise<ShownChange[]> {
  const rows = await waitingRows(context, context.store).execute();
  return Promise.all(rows.map(async (row) => shown(context, row, await approvals(context.store, row.id))));
}

/** Whose duty it is to say yes or no (admin-roles.ts). */
const approverRole: AdminRole = 'policy';

/** @throws ApiError `role_needed` for a person without that role, `passkey_needed` for one who came without it */
export async function requireApprover(store: Context['store'], who: SignedIn): Promise<void> {
  requirePasskey(who);
  const held = await rolesOf({ store }, who.user);
  if (who.guest !== undefined || !held.includes(approverRole)) throw new ApiError('role_needed');
}

/** What the approver's browser computes the challenge from, besides the document. */
export interface ApprovalBegun {
  readonly ceremony: string;
  readonly nonce: Uint8Array;
}

/** @throws ApiError `role_needed`, `change_unknown`, `change_approved` */
export async function beginApproval(context: Context, who: SignedIn, change: string): Promise<ApprovalBegun> {
  await requireApprover(context.store, who);
  await waitingChange(context, context.store, change);
  if ((await approvals(context.store, change)).some(({ user }) => user === who.user)) {
    throw new ApiError('change_approved');
  }
  const { id, nonce } = await beginCeremony(context, {
    kind: 'approve',
    user_id: who.user,
    device_id: who.device,
    change_id: change,
  });
  return { ceremony: id, nonce };
}

export interface ApprovalProof {
  readonly ceremony: string;
  readonly credential: AuthenticationResponseJSON;
}

/**
 * Counts one approval; with the last one the change is carried out, in the same transaction.
 * @throws ApiError `ceremony_unknown`, `ceremony_refused`, `role_needed`, `change_unknown`, `change_approved`
 */
export async function finishApproval(
  context: Context,
  carryOuts: CarryOuts,
  who: SignedIn,
  proof: ApprovalProof,
): Promise<ShownChange> {
  const ceremony = await findCeremony(context, 'approve', proof.ceremony);
  if (ceremony.user_id !== who.user || ceremony.device_id !== who.device) throw new ApiError('ceremony_unknown');
  const change = await waitingChange(context, context.store, ceremony.change_id ?? '');
  const attempt = { type: 'admin', actor: who.spiffeId, subject: change.id } as const;
  const checked = await auditingRefusal(context, ceremony.id, attempt, () => {
    if (who.credential === null) throw new WebAuthnError('signature');
    const holder = { user_id: who.user, credential_id: who.credential, handle: who.userHandle };
    return checkPasskey(context, holder, proof.credential, challengeOf(context, who, ceremony.nonce, change.document));
  });
  return context.audit.transact(async (transaction) => {
    await spendCeremony(context, transaction, ceremony.id);
    await keepCounter(transaction, checked);
    await requireApprover(transaction, who);
    const row = await waitingChange(context, transaction, change.id);
    await keepApproval(context, transaction, who, row, proof.credential);
    await record(context, transaction, who.spiffeId, 'change.approve', row);
    const given = await approvals(transaction, row.id);
    if (given.length < approvalsNeeded) return shown(context, row, given);
    const approvedBy = given.map(({ user }) => user).join(' ');
    const digest = nodeCrypto.sha256(utf8(row.document));
    const isDone = await carryOuts[row.kind](transaction, JSON.parse(row.document), approvedBy, digest);
    return shown(context, await decide(context, transaction, row, isDone ? 'done' : 'outdated'), given);
  });
}

/** One is enough to say no. @throws ApiError `change_unknown` */
export async function refuseChange(context: Context, id: string, actor: string): Promise<void> {
  await context.audit.transact(async (transaction) => {
    const row = await waitingChange(context, transaction, id);
    await decide(context, transaction, row, 'refused');
    await record(context, transaction, actor, 'change.refuse', row);
  });
}

function challengeOf(context: Context, who: SignedIn, nonce: Uint8Array, document: string): Uint8Array {
  return approvalChallenge(nodeCrypto, {
    rpId: context.config.rpId,
    nonce,
    deviceKeyHash: who.keyHash,
    userHandle: who.userHandle,
    documentHash: nodeCrypto.sha256(utf8(document)),
  });
}

/** The assertion is kept as evidence. A second one of the same person counts as none. */
async function keepApproval(
  context: Context,
  transaction: StoreTransaction,
  who: SignedIn,
  change: ChangeTable,
  credential: AuthenticationResponseJSON,
): Promise<void> {
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('approvals')
    .values({
      change_id: change.id,
      user_id: who.user,
      device_id: who.device,
      approved_at: context.clock.now(),
      assertion: JSON.stringify(credential.response),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows !== 1n) throw new ApiError('change_approved');
}

/** Approvals that count: of people who hold the role still, from devices that are theirs still. */
async function approvals(
  store: Pick<StoreTransaction, 'selectFrom'>,
  change: string,
): Promise<ShownChange['approvals']> {
  return store
    .selectFrom('approvals')
    .innerJoin('users', 'users.id', 'approvals.user_id')
    .innerJoin('devices', 'devices.id', 'approvals.device_id')
    .innerJoin('admin_roles', 'admin_roles.user_id', 'users.id')
    .select(['users.id as user', 'users.name', 'approvals.approved_at as at'])
    .where('approvals.change_id', '=', change)
    .where('admin_roles.role', '=', approverRole)
    .where('users.disabled_at', 'is', null)
    .where('devices.revoked_at', 'is', null)
    .orderBy('approvals.approved_at')
    .execute();
}

function waitingRows(context: Context, store: Pick<StoreTransaction, 'selectFrom'>) {
  return store
    .selectFrom('changes')
    .selectAll()
    .where('decided_at', 'is', null)
    .where('expires_at', '>', context.clock.now())
    .orderBy('created_at')
    .orderBy('id');
}

async function waitingChange(
  context: Context,
  store: Pick<StoreTransaction, 'selectFrom'>,
  id: string,
): Promise<ChangeTable> {
  const row = await waitingRows(context, store).where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new ApiError('change_unknown');
  return row;
}

async function decide(
  context: Context,
  transaction: StoreTransaction,
  row: ChangeTable,
  outcome: 'done' | 'refused' | 'outdated',
): Promise<ChangeTable> {
  const decided = { decided_at: context.clock.now(), outcome };
  await transaction.updateTable('changes').set(decided).where('id', '=', row.id).execute();
  return { ...row, ...decided };
}

async function record(
  context: Context,
  transaction: StoreTransaction,
  actor: string,
  operation: string,
  { id, kind, document }: ChangeTable,
): Promise<void> {
  const digest = Buffer.from(nodeCrypto.sha256(utf8(document))).toString('hex');
  const event = { type: 'admin', actor, subject: id, detail: { operation, kind, digest } } as const;
  await context.audit.record(transaction, newEvent(context, event));
}

function shown(context: Context, row: ChangeTable, given: ShownChange['approvals']): ShownChange {
  const isOver = row.expires_at <= context.clock.now();
  return {
    id: row.id,
    kind: row.kind,
    // The column was written from the same union.
    state: (row.outcome as ChangeState | null) ?? (isOver ? 'expired' : 'waiting'),
    dangers: JSON.parse(row.dangers) as Danger[],
    document: row.document,
    requestedBy: row.requested_by,
    requestedAt: row.created_at,
    expires: row.expires_at,
    needed: approvalsNeeded,
    approvals: given,
  };
}
