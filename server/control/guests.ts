/**
 * Guests come in (docs/protocol.md, "WebAuthn and the tunnel", step 7): by a link alone at a kiosk, where nothing is
 * made or kept, else by a passkey and a device key that the first use makes. One transaction takes the use, spends the
 * administrator's yes where one was asked for, and writes the lease: of any number of guests at once no more come in
 * than the link has uses.
 */
import { timingSafeEqual } from 'node:crypto';
import { unbase64url } from '../../protocol/bytes.ts';
import { amrBit } from '../../protocol/svid.ts';
import type { LinkTable } from '../store/tables/guests.ts';
import type { UserTable } from '../store/tables/people.ts';
import type { CeremonyTable } from '../store/tables/sessions.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import { beginCeremony, findCeremony, spendCeremony } from './ceremonies.ts';
import type { Context } from './context.ts';
import type { EnrolmentBegun } from './enrolment.ts';
import { type Holder, linkHolder } from './holder.ts';
import { digestOf, guestSpiffeId, newEvent, newHandle, newId } from './identifiers.ts';
import { checkNewcomer, join, joinRefusal } from './join.ts';
import type { KnockDesk, KnockKey } from './knocks.ts';
import { openLease, passkeyAmr, type SignedIn } from './leases.ts';
import { type LinkKey, linkByKey, recordOf, requireUsable, takeUse } from './links.ts';
import { postureDetail, verifyPosture } from './posture.ts';
import type { EnrolmentProof, Entered, SignedPosture } from './proof.ts';
import { auditingRefusal } from './refusal.ts';

/** What a guest comes with. */
export interface Arrival extends LinkKey {
  /** Their e-mail address, where the link is for one. */
  readonly recipient?: string | undefined;
  readonly knock?: KnockKey | undefined;
}

/** What the link's page shows before anything is used up. */
export interface LinkPreview {
  readonly services: { readonly name: string; readonly title: string }[];
  readonly expiresAt: number;
  readonly kiosk: boolean;
  readonly readOnly: boolean;
  readonly approval: boolean;
  /** It asks for the address it is for; which one that is, the guest has to know. */
  readonly recipient: boolean;
}

/** @throws ApiError for a link that is not known, or not good any more */
export async function previewLink(context: Context, key: LinkKey): Promise<LinkPreview> {
  const link = await linkByKey(context, key);
  requireUsable(context, link);
  const { services, expiresAt, kiosk, readOnly } = recordOf(link);
  const rows = await context.store
    .selectFrom('services')
    .select(['name', 'title'])
    .where('name', 'in', services)
    .execute();
  return {
    services: rows,
    expiresAt,
    kiosk,
    readOnly,
    approval: link.approval === 1,
    recipient: link.recipient !== null,
  };
}

/** A guest at the door of a link that wants an administrator's yes. @throws ApiError */
export async function knock(
  context: Context,
  knocks: KnockDesk,
  arrival: Arrival,
  guest: { readonly name: string; readonly address: string },
): Promise<KnockKey & { code: string }> {
  const link = await admissible(context, arrival);
  return knocks.knock(link, guest);
}

/** A kiosk's guest: the secret is all they have. @throws ApiError; each refusal of a known link is audited */
export async function enterKiosk(
  context: Context,
  knocks: KnockDesk,
  arrival: Arrival,
  signed: SignedPosture,
): Promise<Entered & { leaseSecret: string; until: number }> {
  const link = await admissible(context, arrival);
  if (link.kiosk === 0) throw new ApiError('link_unknown');
  const knockId = await knocks.approvedFor(link, arrival.knock);
  const posture = verifyPosture(context, signed.statement, signed.signature, holderOf(arrival));
  return auditingDoor(context, link, () =>
    context.audit.transact(async (transaction) => {
      const use = await takeUse(context, transaction, link.id);
      await knocks.spend(transaction, link, knockId);
      const user = await addGuest(context, transaction, link, use);
      const device = await addPlace(context, transaction, user);
      const until = link.expires_at;
      const leaseSecret = await openLease(context, transaction, {
        user,
        device,
        posture,
        amr: amrBit.guestLink,
        until,
      });
      const actor = guestSpiffeId(context.config, link.id, use);
      const detail = postureDetail(context.clock.now(), posture, null);
      await context.audit.record(transaction, newEvent(context, { type: 'posture', actor, detail }));
      await recordEntry(context, transaction, link, use, { kiosk: true });
      return { user: { id: user, name: nameOf(link) }, device: { id: device }, leaseSecret, until };
    }),
  );
}

/** Begins to bind a guest to their passkey; nothing is used up yet. @throws ApiError */
export async function beginBinding(context: Context, knocks: KnockDesk, arrival: Arrival): Promise<EnrolmentBegun> {
  const link = await admissible(context, arrival);
  if (link.kiosk === 1) throw new ApiError('link_unknown');
  const knock_id = await knocks.approvedFor(link, arrival.knock);
  const user = await context.store.transaction().execute((transaction) => addGuest(context, transaction, link, null));
  const { id, nonce } = await beginCeremony(context, { kind: 'enrol', user_id: user, link_id: link.id, knock_id });
  const { handle } = await guestUser(context, user);
  return { ceremony: id, nonce, user: { id: user, name: nameOf(link), handle } };
}

/** The guest's browser has made a passkey and a device key: now the use is taken. @throws ApiError */
export async function finishBinding(context: Context, knocks: KnockDesk, proof: EnrolmentProof): Promise<Entered> {
  const ceremony = await findCeremony(context, 'enrol', proof.ceremony);
  const link = await linkOf(context, ceremony);
  requireUsable(context, link);
  const user = await guestUser(context, ceremony.user_id);
  const attempt = { type: 'link.redeem', actor: 'anonymous', subject: link.id } as const;
  const newcomer = await auditingRefusal(context, ceremony.id, attempt, () =>
    checkNewcomer(context, ceremony, user.handle, proof),
  );
  return auditingDoor(context, link, () =>
    context.audit.transact(async (transaction) => {
      await spendCeremony(context, transaction, ceremony.id);
      const use = await takeUse(context, transaction, link.id);
      await knocks.spend(transaction, link, ceremony.knock_id);
      await transaction.updateTable('users').set({ link_use: use }).where('id', '=', user.id).execute();
      const guest = { link: link.id, use, until: link.expires_at };
      const joiner = { user: user.id, name: user.name, amr: passkeyAmr | amrBit.guestLink, guest };
      const { entered, facts } = await join(context, transaction, joiner, proof, newcomer);
      await recordEntry(context, transaction, link, use, facts);
      return entered;
    }),
  ).catch((error: unknown) => {
    throw joinRefusal(error);
  });
}

/** The secret in the hand of a guest who is in. @throws ApiError `unauthenticated` when it is not that of their link */
export async function guestHolder(context: Context, who: SignedIn, secret: string): Promise<Holder> {
  if (who.guest === undefined || who.devicePublicKey !== null) throw new ApiError('unauthenticated');
  const key = { link: who.guest.id, secret };
  await linkByKey(context, key).catch(() => {
    throw new ApiError('unauthenticated');
  });
  return holderOf(key);
}

function holderOf({ link, secret }: LinkKey): Holder {
  return linkHolder(link, unbase64url(secret));
}

/** A link that is good now, in the hand of the one it is for. */
async function admissible(context: Context, arrival: Arrival): Promise<LinkTable> {
  const link = await linkByKey(context, arrival);
  return auditingDoor(context, link, async () => {
    requireUsable(context, link);
    if (link.recipient !== null && !isFor(link.recipient, arrival.recipient)) throw new ApiError('link_recipient');
    return link;
  });
}

function isFor(recipient: string, told: string | undefined): boolean {
  return told !== undefined && timingSafeEqual(digestOf(recipient), digestOf(told.trim().toLowerCase()));
}

/** Audits the refusal of a guest who held the secret. Rate limits bound how many there can be. */
async function auditingDoor<T>(context: Context, link: LinkTable, enter: () => Promise<T>): Promise<T> {
  try {
    return await enter();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const refused = { decision: 'deny', reason: error.code, correlation: error.correlation } as const;
    const event = { type: 'link.redeem', actor: 'anonymous', subject: link.id, ...refused } as const;
    await context.audit.append([newEvent(context, event)]);
    throw error;
  }
}

async function linkOf(context: Context, { link_id }: CeremonyTable): Promise<LinkTable> {
  const link = await context.store.selectFrom('links').selectAll().where('id', '=', link_id).executeTakeFirst();
  if (link === undefined) throw new ApiError('ceremony_unknown');
  return link;
}

function guestUser(context: Context, id: string): Promise<UserTable> {
  return context.store.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

function nameOf(link: LinkTable): string {
  return link.recipient ?? 'Guest';
}

async function addGuest(
  context: Context,
  transaction: StoreTransaction,
  link: LinkTable,
  use: number | null,
): Promise<string> {
  const id = newId();
  const named = { id, handle: newHandle(), name: nameOf(link), created_at: context.clock.now() };
  const row = { ...named, disabled_at: null, disabled_reason: null };
  await transaction
    .insertInto('users')
    .values({ ...row, link_id: link.id, link_use: use })
    .execute();
  return id;
}

/** Where a kiosk's guest is: a device without a key. */
async function addPlace(context: Context, transaction: StoreTransaction, user: string): Promise<string> {
  const id = newId();
  const now = context.clock.now();
  const row = { id, user_id: user, credential_id: null, public_key: null, name: 'kiosk', created_at: now };
  await transaction
    .insertInto('devices')
    .values({ ...row, approved_at: now, revoked_at: null, revoked_reason: null, archived_at: null })
    .execute();
  return id;
}

async function recordEntry(
  context: Context,
  transaction: StoreTransaction,
  link: LinkTable,
  use: number,
  facts: Readonly<Record<string, string | number | boolean>>,
): Promise<void> {
  const actor = guestSpiffeId(context.config, link.id, use);
  const entry = { subject: link.id, decision: 'allow', detail: { use, ...facts } } as const;
  await context.audit.record(transaction, newEvent(context, { type: 'link.redeem', actor, ...entry }));
}
