/**
 * The JSON inside a policy snapshot (LKS1 type 3): everything a gateway needs to decide without asking anyone.
 * The control plane signs it, so whoever parses it has already verified who wrote it. No secrets: pre-shared keys
 * travel beside it on the channel.
 */
import { z } from 'zod';
import { cidrField, endpointField, ipField, nameField, portField, wireguardKeyField } from './fields.ts';

/** Cedar's JSON form of an entity; its attributes are judged by Cedar. */
export const cedarEntitySchema = z.strictObject({
  uid: z.strictObject({ type: z.string(), id: z.string() }),
  attrs: z.record(z.string(), z.json()),
  parents: z.array(z.strictObject({ type: z.string(), id: z.string() })),
});
export type CedarEntity = z.infer<typeof cedarEntitySchema>;

export const serviceSchemes = ['http', 'https', 'tcp', 'udp', 'ssh', 'vnc', 'rdp'] as const;
export type ServiceScheme = (typeof serviceSchemes)[number];

/** `public`: the label host that browsers use. `upstream`: the host of the service's own URL. */
export const hostRules = ['public', 'upstream'] as const;
export type HostRule = (typeof hostRules)[number];

export const serviceRecordSchema = z.strictObject({
  name: nameField,
  title: z.string().max(128),
  spiffeId: z.string().max(200),
  scheme: z.enum(serviceSchemes),
  /** IP literal inside the data plane. */
  address: ipField,
  port: portField,
  /** Prefix of every request's path, `/` for none. */
  path: z.string().max(2_048),
  /** Host as the operator wrote it in the URL, with the port when it is not the scheme's own. */
  upstreamHost: z.string().max(300),
  /** The connector this service is bound to; the same address behind another key is refused. */
  wireguardKey: wireguardKeyField,
  demo: z.boolean().optional(),
  /** Which host the service is told it is called by; absent: its public one. */
  host: z.enum(hostRules).optional(),
  /** Services whose pages may call this one across origins; absent: none. */
  corsFrom: z.array(nameField).max(64).optional(),
  /** TLS of the internal authority inside WireGuard: the far end must show the SVID of {@link spiffeId}. */
  innerTls: z.boolean().optional(),
  /** A name of another trust domain that the far end must show instead, in namespaces that federate with it. */
  farId: z.string().max(200).optional(),
});
export type ServiceRecord = z.infer<typeof serviceRecordSchema>;

export const peerRecordSchema = z.strictObject({
  publicKey: wireguardKeyField,
  allowedIps: z.array(cidrField).max(256),
  endpoint: endpointField.optional(),
  keepaliveS: z.number().int().min(1).max(65_535).optional(),
  name: nameField,
  /** A connector of ours: its pre-shared key is exchanged inside the tunnel, and nothing of a service flows before. */
  pskExchange: z.boolean().optional(),
});
export type PeerRecord = z.infer<typeof peerRecordSchema>;

/** Another trust domain, and where and how long its authorities are believed. */
export const federationRecordSchema = z.strictObject({
  trustDomain: z.string().max(255),
  namespaces: z.array(z.string()).min(1).max(32),
  /** ms since 1970 */
  expiresAt: z.number().int().nonnegative(),
  /** PEM, one certificate each. */
  authorities: z.array(z.string().max(16_384)).min(1).max(16),
});
export type FederationRecord = z.infer<typeof federationRecordSchema>;

/** A minute of the day. */
const minute = z.number().int().min(0).max(1_439);

/** What guests of one link may do; the secret of the link is not in it. */
export const linkRecordSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{24}$/),
  /** Names of services. */
  services: z.array(nameField).min(1).max(32),
  /** ms since 1970 */
  expiresAt: z.number().int().nonnegative(),
  maxUses: z.number().int().min(1),
  readOnly: z.boolean(),
  kiosk: z.boolean(),
  /** Ranges in which it is open, in `zone`; none for all day. One whose end is not after its beginning passes midnight. */
  hours: z.array(z.strictObject({ from: minute, to: minute })).max(16),
  /** IANA time zone. */
  zone: z.string().max(64),
});
export type LinkRecord = z.infer<typeof linkRecordSchema>;

export const snapshotContentSchema = z.strictObject({
  /** Cedar policies by id; the ids stand in audit events. */
  policies: z.record(z.string(), z.string()),
  entities: z.array(cedarEntitySchema),
  services: z.array(serviceRecordSchema),
  /** Links that guests may still use. */
  links: z.array(linkRecordSchema).default([]),
  peers: z.array(peerRecordSchema),
  subnets: z.array(cidrField),
  /** The internal authority's certificate, PEM. */
  authority: z.string().max(4_096).optional(),
  federations: z.array(federationRecordSchema).default([]),
});
export type SnapshotContent = z.infer<typeof snapshotContentSchema>;

/**
 * Parses the JSON of a verified snapshot.
 * @throws SyntaxError or ZodError; a signed document that does not parse is a fault of ours, not of a stranger.
 */
export function parseSnapshotContent(json: string): SnapshotContent {
  return snapshotContentSchema.parse(JSON.parse(json));
}
