/**
 * What a probe of a service found: asked for by the command line, made by a gateway, which alone reaches the service.
 * Evidence is text of the service's, cut short and made safe to print; values of cookies are never in it.
 */
import { z } from 'zod';
import { nameField, printableField } from './fields.ts';

/** What a service may use that a browser client has to know of. */
export const traits = [
  'csp',
  'cross-origin-isolation',
  'frame-refusal',
  'frame-busting',
  'websocket',
  'server-sent-events',
  'service-worker',
  'worker',
  'synchronous-xhr',
  'absolute-urls',
  'other-origins',
  'host-check',
  'http-authentication',
  'redirect-elsewhere',
  'cookies',
  'cookies-refused',
  'hsts',
  'stripped-headers',
] as const;
export type Trait = (typeof traits)[number];

const finding = z.strictObject({
  trait: z.enum(traits),
  /** Where it was seen, and what was seen there. */
  evidence: z
    .array(z.strictObject({ where: printableField(256), what: printableField(240) }))
    .min(1)
    .max(8),
  /** What becomes of it behind Latchkey, in a sentence. */
  effect: z.string().max(400),
});
export type Finding = z.infer<typeof finding>;

export const probeReportSchema = z.strictObject({
  service: nameField,
  visited: z.array(
    z.strictObject({
      target: printableField(256),
      status: z.number().int(),
      type: printableField(128),
      bytes: z.number().int(),
    }),
  ),
  findings: z.array(finding),
  /** Settings the service needs; what is absent may stay. */
  settings: z.strictObject({ host: z.enum(['public', 'upstream']).optional() }),
  /** Why there may be more than was seen; absent when everything was. */
  stopped: z.enum(['pages', 'bytes', 'time']).optional(),
});
export type ProbeReport = z.infer<typeof probeReportSchema>;

/** Why there is no report. */
export const probeRefusals = [
  'unknown_service',
  'wrong_kind',
  'busy',
  'unreachable',
  'timeout',
  'wrong_peer',
  'upstream_failed',
  'internal',
] as const;
export type ProbeRefusal = (typeof probeRefusals)[number];
