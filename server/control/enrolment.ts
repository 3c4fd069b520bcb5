/**
 * Enrolment (docs/protocol.md, "WebAuthn and the tunnel"): an enrolment link lets one browser join with a new passkey
 * and a device key, both of which sign the same challenge. One transaction spends link and nonce and writes passkey,
 * device and lease.
 */
import { beginCeremony, findCeremony, spendCeremony } from './ceremonies.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';
import { checkNewcomer, join, joinRefusal } from './join.ts';
import { passkeyAmr } from './leases.ts';
import { findEnrolment, useEnrolment } from './people.ts';
import type { EnrolmentProof, Entered } from './proof.ts';
import { auditingRefusal, refusedAtTheDoor } from './refusal.ts';
import type { RevocationDesk } from './revocations.ts';

/** What the page needs to make a passkey: it computes the challenge from this, it is never handed one. */
export interface EnrolmentBegun {
  readonly ceremony: string;
  readonly nonce: Uint8Array;
  readonly user: { readonly id: string; readonly name: string; readonly handle: Uint8Array };
}

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
export async function finishEnrolment(
  context: Context,
  revocations: RevocationDesk,
  proof: EnrolmentProof,
): Promise<Entered> {
  const ceremony = await findCeremony(context, 'enrol', proof.ceremony);
  const link = await findEnrolment(context, { id: ceremony.enrolment_id ?? '' });
  const attempt = { type: 'enrol', actor: 'anonymous', subject: link.user_id } as const;
  const checked = await auditingRefusal(context, ceremony.id, attempt, () =>
    checkNewcomer(context, ceremony, link.handle, proof),
  );
  try {
    const entered = await context.audit.transact(async (transaction) => {
      await spendCeremony(context, transaction, ceremony.id);
      await useEnrolment(context, transaction, link.id);
      if (link.recovery === 1) await revocations.recovery(transaction, { user: link.user_id, link: link.id });
      const waits = link.approval === 1;
      const person = { user: link.user_id, name: link.name, amr: passkeyAmr, waits };
      const joined = await join(context, transaction, person, proof, checked);
      const detail = { link: link.id, waits, ...joined.facts };
      const event = { ...attempt, actor: joined.actor, decision: 'allow', detail } as const;
      await context.audit.record(transaction, newEvent(context, event));
      return joined.entered;
    });
    if (link.recovery === 1) await revocations.tell();
    return entered;
  } catch (error) {
    throw joinRefusal(error);
  }
}
