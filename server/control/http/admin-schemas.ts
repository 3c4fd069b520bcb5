/** The shapes of the admin API. Values are judged where they are used, so that each fault has a code of its own. */
import { z } from '@hono/zod-openapi';
import { auditEventSchema, auditEventTypes } from '../../channel/audit-event.ts';
import { plainField, storableField } from '../../channel/fields.ts';
import { planePeerSchema, retiringKeySchema } from '../../channel/messages.ts';
import { hostRules } from '../../channel/snapshot-content.ts';

import { adminRoles } from '../admin-roles.ts';

const text = storableField(4_096);

const settings = {
  title: text.optional(),
  host: z.enum(hostRules).optional(),
  corsFrom: z.array(text).max(64).optional(),
  namespace: text.optional(),
  labels: z.array(text).max(256).optional(),
  farId: text.optional(),
};
export const newService = z.strictObject({ name: text, url: text, ...settings });
export const serviceSettings = z.strictObject(settings);
export const service = z
  .object({
    name: z.string(),
    title: z.string(),
    url: z.string(),
    address: z.string(),
    port: z.number(),
    wireguardKey: z.string(),
    demo: z.boolean(),
    host: z.enum(hostRules),
    corsFrom: z.array(z.string()),
    namespace: z.string(),
    labels: z.array(z.string()),
    farId: z.string(),
    suspended: z.boolean(),
  })
  .openapi('Service');
export const services = z.object({ services: z.array(service), total: z.number() });

export const newPeer = z.strictObject({
  publicKey: text,
  allowedIps: z.array(text).max(256),
  endpoint: text.optional(),
  presharedKey: text.optional(),
  keepaliveS: z.number().int().min(0).max(65_535).optional(),
  name: text.optional(),
});
export const peer = z
  .object({
    publicKey: z.string(),
    name: z.string(),
    allowedIps: z.array(z.string()),
    endpoint: z.string().optional(),
    keepaliveS: z.number().optional(),
    presharedKey: z.boolean(),
    connector: z.boolean(),
    protection: z.enum(['exchanged', 'preshared', 'classical']),
  })
  .openapi('Peer');
export const peers = z.object({ peers: z.array(peer) });
export const wireguard = z.object({
  publicKey: z.string().optional(),
  port: z.number().optional(),
  /** The key before a rotation, while it is served. */
  retiring: retiringKeySchema.optional(),
  /** What the gateway knows of a peer stands beside what is configured; nothing without a gateway. */
  peers: z.array(peer.extend({ live: planePeerSchema.omit({ publicKey: true }).optional() })),
});
export const archivedPeers = z.object({
  peers: z.array(
    z.object({
      publicKey: z.string(),
      name: z.string(),
      allowedIps: z.array(z.string()),
      connector: z.boolean(),
      addedAt: z.number(),
      archivedAt: z.number(),
      reason: z.string(),
    }),
  ),
});
export const rotation = z.strictObject({ dryRun: z.boolean(), overlap: z.boolean().default(true) });
export const rotated = z.object({
  from: z.string(),
  to: z.string().optional(),
  backup: z.string(),
  oldUntil: z.number().optional(),
});

export const newConnector = z.strictObject({
  name: text,
  evidence: z.enum(['weak', 'strong']).optional(),
  machine: text.optional(),
  workloads: z.record(text, z.array(text).max(64)).optional(),
});
export const connectorToken = z.object({ token: z.string(), expires: z.number(), remote: z.boolean() });
export const connectors = z.object({
  connectors: z.array(
    z
      .object({
        id: z.string(),
        name: z.string(),
        address: z.string(),
        wireguardKey: z.string(),
        joinedAt: z.number(),
        connected: z.boolean(),
        /** How strongly the machine showed what it is: a token alone is weak. */
        evidence: z.enum(['weak', 'strong']),
        /** The subject of the certificate it showed. */
        machine: z.string().optional(),
        /** Selectors that its services have to show, by service. */
        workloads: z.record(z.string(), z.array(z.string())),
      })
      .openapi('Connector'),
  ),
});

export const newEnrolment = z.strictObject({
  user: text.optional(),
  name: text.optional(),
  group: text.optional(),
  approval: z.boolean().optional(),
  recovery: z.boolean().optional(),
});
export const enrolment = z.object({ url: z.string(), user: z.string(), expires: z.number() });
export const firstEnrolment = z.object({ url: z.string().nullable(), expires: z.number().optional() });

export const newUser = z.strictObject({ name: text, group: text.optional() });
export const user = z.object({
  id: z.string(),
  name: z.string(),
  groups: z.array(z.string()),
  roles: z.array(z.enum(adminRoles)),
  enrolled: z.boolean(),
  disabled: z.boolean(),
  disabledAt: z.number().optional(),
  reason: z.string().optional(),
  devices: z.array(z.object({ id: z.string(), createdAt: z.number(), revoked: z.boolean() })),
});
export const users = z.object({ users: z.array(user), total: z.number() });

const auditFields = z.object({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  type: z.enum(auditEventTypes).optional(),
  device: z
    .string()
    .regex(/^[0-9a-f]{24}$/)
    .optional(),
  sincePosture: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
});
export const auditQuery = auditFields.refine(
  ({ device, sincePosture }) => sincePosture !== true || device !== undefined,
  'says of no device since when',
);
export const auditPage = z.object({
  events: z.array(auditEventSchema.extend({ seq: z.number() }).openapi('AuditEvent')),
  /** Pass as `after` for the next page. */
  next: z.number(),
});

export const status = z.object({
  hub: z.string(),
  fingerprint: z.string(),
  services: z.number(),
  events: z.number(),
  policyEpoch: z.number(),
  gateway: z.boolean(),
});
/** Which part of a list; all of it where nothing is said. */
export const page = z.object({
  search: storableField(128).optional(),
  offset: z.coerce.number().int().nonnegative().optional(),
  limit: z.coerce.number().int().min(1).max(500).optional(),
});
export const roleChange = z.strictObject({ user: text, role: z.enum(adminRoles), held: z.boolean() });
export const done = z.object({});
/** Why something was taken away, in a sentence for whoever asks later. */
export const reason = z.object({ reason: plainField(256).optional() });
