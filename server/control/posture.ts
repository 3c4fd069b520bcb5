/**
 * The posture statement of a browser: verified as the device key's word, parsed once, completed with what the
 * authenticator showed, and put into the forms that policies and audit events take. Every value is the client's own
 * claim unless its source says authenticator; what is unknown stays unknown and is never a pass.
 */
import { z } from 'zod';
import { postureMessage } from '../../protocol/challenges.ts';
import type { AuditEvent } from '../channel/audit-event.ts';
import { printableField } from '../channel/fields.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { PostureView } from '../policy/question.ts';
import { type PolicySignal, policySignals } from '../policy/schema.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import type { Holder } from './holder.ts';

/** Client clocks are allowed to be this far off, as for signed requests. */
export const clockToleranceMs = 60_000;
const maxStatementBytes = 16 * 1024;

const signalSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$/)
    .max(48),
  value: z.union([printableField(256), z.number(), z.boolean(), z.null()]),
  source: z.string().regex(/^[a-z][a-z-]{0,31}$/),
  reason: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/)
    .optional(),
});
export type Signal = z.infer<typeof signalSchema>;

const statementSchema = z.strictObject({
  v: z.literal(1),
  time: z.number().int().nonnegative(),
  signals: z
    .array(signalSchema)
    .max(40)
    .refine((signals) => new Set(signals.map(({ name }) => name)).size === signals.length, 'names a signal twice')
    // What the authenticator showed is our word, not the browser's.
    .refine((signals) => signals.every(({ name }) => !name.startsWith('authenticator.')), 'claims our signals'),
});

/** A statement whose signature was right. */
export interface Posture {
  /** SHA-256 of the statement's bytes, as it stands in challenges, SVID and AUTH. */
  readonly hash: Uint8Array;
  /** ms; when it was made, never later than now. */
  readonly time: number;
  readonly signals: readonly Signal[];
}

/** What a ceremony showed of the authenticator. */
export interface AuthenticatorFacts {
  /** When user verification happened, ms. */
  readonly verifiedAt: number;
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
}

/**
 * @throws ApiError `posture_invalid` unless the holder signed these bytes and they are a statement;
 * `posture_stale` when they were made at another time.
 */
export function verifyPosture(
  context: Pick<Context, 'clock'>,
  statement: Uint8Array,
  signature: Uint8Array,
  holder: Holder,
): Posture {
  if (statement.length > maxStatementBytes) throw new ApiError('posture_invalid');
  if (!holder.proves(postureMessage(statement), signature)) throw new ApiError('posture_invalid');
  const parsed = statementSchema.safeParse(parseJson(statement));
  if (!parsed.success) throw new ApiError('posture_invalid');
  const now = context.clock.now();
  if (Math.abs(now - parsed.data.time) > clockToleranceMs) throw new ApiError('posture_stale');
  return {
    hash: nodeCrypto.sha256(statement),
    time: Math.min(parsed.data.time, now),
    signals: parsed.data.signals,
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Signals of a statement by the name that policies know them by. */
const policyNames: Readonly<Record<string, PolicySignal>> = {
  'browser.name': 'browser',
  'browser.version': 'browserMajor',
  'engine.name': 'engine',
  'engine.version': 'engineMajor',
  'os.name': 'os',
  'os.version': 'osVersion',
  secure_context: 'secureContext',
  cross_origin_isolated: 'crossOriginIsolated',
  automation: 'automation',
};
export type PolicySignals = NonNullable<PostureView['signals']>;

/** The client's signals that policies may ask for. A value of another type than the schema's counts as unknown. */
export function policySignalsOf(posture: Pick<Posture, 'signals'>): PolicySignals {
  const signals: Partial<Record<PolicySignal, string | number | boolean>> = {};
  for (const { name, value } of posture.signals) {
    const policyName = policyNames[name];
    if (policyName === undefined || value === null || !fits(policyName, value)) continue;
    signals[policyName] = value;
  }
  return signals;
}

function fits(name: PolicySignal, value: string | number | boolean): boolean {
  switch (policySignals[name]) {
    case 'String':
      return typeof value === 'string';
    case 'Long':
      return Number.isSafeInteger(value);
    case 'Bool':
      return typeof value === 'boolean';
    default:
      return policySignals[name] satisfies never;
  }
}

/** The whole view for a decision: the client's signals, our own of the authenticator, and their ages. */
export function postureView(
  now: number,
  time: number,
  signals: PolicySignals,
  facts: AuthenticatorFacts | null,
): PostureView {
  return {
    ageS: (now - time) / 1_000,
    signals: {
      ...signals,
      ...(facts !== null && {
        userVerified: true,
        userVerificationAgeS: ageS(now, facts.verifiedAt),
        backupEligible: facts.backupEligible,
        backedUp: facts.backedUp,
      }),
    },
  };
}

/** Every signal for the audit event: `name` and `name:source`, or `name:unknown` with the reason. */
export function postureDetail(now: number, posture: Posture, facts: AuthenticatorFacts | null): AuditEvent['detail'] {
  const ours: Signal[] =
    facts === null
      ? [{ name: 'authenticator.user_verified', value: null, source: 'authenticator', reason: 'not_asked' }]
      : [
          { name: 'authenticator.user_verified', value: true, source: 'authenticator' },
          {
            name: 'authenticator.user_verification_age_s',
            value: ageS(now, facts.verifiedAt),
            source: 'authenticator',
          },
          { name: 'authenticator.backup_eligible', value: facts.backupEligible, source: 'authenticator' },
          { name: 'authenticator.backed_up', value: facts.backedUp, source: 'authenticator' },
        ];
  const detail: Record<string, string | number | boolean> = {
    digest: Buffer.from(posture.hash).toString('hex'),
    time: posture.time,
  };
  for (const { name, value, source, reason } of [...posture.signals, ...ours]) {
    if (value === null) detail[`${name}:unknown`] = reason ?? 'unknown';
    else {
      detail[name] = value;
      detail[`${name}:source`] = source;
    }
  }
  return detail;
}

function ageS(now: number, then: number): number {
  return Math.ceil(Math.max(0, now - then) / 1_000);
}
