/**
 * One audit event: who did what to which service, what was decided, by which policies. The gateway spools them, the
 * control plane chains them (server/audit/). Ids are made by whoever saw the event, so that sending twice counts once.
 * Never holds a secret: no token, key, cookie, body or query string of a service. What a device key signed stands in it as it
 * was signed (control/evidence.ts): of a request to our own API the address with its query, which has names and reasons.
 */
import { z } from 'zod';
import { printableField } from './fields.ts';

/** Stable names. A new one is an addition here, never a free string at the place of use. */
export const auditEventTypes = [
  'enrol',
  'login',
  'logout',
  'posture',
  'launch',
  'renew',
  'stepup',
  'session.open',
  'session.close',
  'session.reauth',
  'session.refused',
  'stream.open',
  'stream.close',
  'stream.cut',
  'http.request',
  'websocket.open',
  'link.change',
  'link.knock',
  'link.redeem',
  'admin',
  'policy.change',
  'service.change',
  'peer.change',
  'gateway.join',
  'gateway.leave',
  'gateway.alarm',
  'gateway.stale',
  'gateway.restart',
  'connector.join',
  'connector.leave',
  'svid.issue',
  'bypass',
  'control.start',
  'control.stop',
] as const;

/** A posture event states each signal with its source. */
const maxDetails = 128;
/** Of what comes from elsewhere; the control plane's own `signed.…` is as long as what was signed (http/schemas.ts). */
const detailValue = z.union([printableField(1_024), z.number(), z.boolean()]);

export const auditEventSchema = z.strictObject({
  id: z.uuid().lowercase(),
  /** When it was seen, by the clock of whoever saw it. Order is the chain's, not this. */
  time: z.number().int().nonnegative(),
  type: z.enum(auditEventTypes),
  /** SPIFFE id, or `system`, or `anonymous` for a caller nobody knows yet. */
  actor: printableField(256),
  subject: printableField(256).optional(),
  service: printableField(64).optional(),
  decision: z.enum(['allow', 'deny']).optional(),
  /** Ids of the policies that decided; `default-deny` when none did. */
  policies: z.array(printableField(128)).max(64).optional(),
  /** A code, never a sentence. */
  reason: printableField(64).optional(),
  correlation: printableField(64).optional(),
  detail: z
    .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_.:-]{0,63}$/), detailValue)
    .refine((detail) => Object.keys(detail).length <= maxDetails, 'has too many details')
    .optional(),
});

export type AuditEvent = z.infer<typeof auditEventSchema>;
export type AuditEventType = AuditEvent['type'];
