/**
 * A refused ceremony: its nonce is spent all the same, the attempt is audited with the true reason, and the caller is
 * told a code that helps an honest person and nobody else.
 */
import type { AuditEventType } from '../channel/audit-event.ts';
import { ApiError, type ApiErrorCode } from './api-error.ts';
import { spendCeremony } from './ceremonies.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';
import { SamlError } from './saml/saml-error.ts';
import { WebAuthnError } from './webauthn.ts';

export interface Attempt {
  readonly type: Extract<AuditEventType, 'enrol' | 'login' | 'launch' | 'renew' | 'stepup' | 'link.redeem' | 'admin'>;
  readonly actor: string;
  readonly subject?: string;
  readonly service?: string;
}

/**
 * Runs the checks of a ceremony. When one of them refuses, the ceremony is spent and the refusal audited before it is
 * told. Faults of our own are passed on as they are.
 */
export async function auditingRefusal<T>(
  context: Context,
  ceremony: string,
  attempt: Attempt,
  checks: () => Promise<T>,
): Promise<T> {
  try {
    return await checks();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    await context.audit.transact(async (transaction) => {
      // Lost the race against another use of the same ceremony: then that one is in the audit log.
      await spendCeremony(context, transaction, ceremony);
      const { correlation } = refusal.answer;
      const event = newEvent(context, { ...attempt, decision: 'deny', reason: refusal.reason, correlation });
      await context.audit.record(transaction, event);
    });
    throw refusal.answer;
  }
}

/** Audits an attempt that did not even get a nonce, then refuses it. Rate limits bound how many there can be. */
export async function refusedAtTheDoor(context: Context, type: 'enrol' | 'login', error: unknown): Promise<never> {
  if (error instanceof ApiError) {
    const refused = { decision: 'deny', reason: error.code, correlation: error.correlation } as const;
    await context.audit.append([newEvent(context, { type, actor: 'anonymous', ...refused })]);
  }
  throw error;
}

function refusalOf(error: unknown): { answer: ApiError; reason: string } | undefined {
  if (error instanceof WebAuthnError) {
    const answer = new ApiError('ceremony_refused' satisfies ApiErrorCode, { cause: error });
    return { answer, reason: `webauthn_${error.code}` };
  }
  if (error instanceof ApiError && error.cause instanceof SamlError)
    return { answer: error, reason: `saml_${error.cause.code}` };
  if (error instanceof ApiError && error.code !== 'ceremony_unknown') return { answer: error, reason: error.code };
  return undefined;
}
