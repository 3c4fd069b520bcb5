/**
 * Every message of the control channel, by direction. Both sides parse with these schemas at the edge and refuse what
 * does not fit. Documents inside (descriptor, certificates, snapshot, revocation) are LKS1 objects and are verified as
 * such by their reader, whatever brought them.
 *
 *     gateway   → control    hello, endpoints, assertion-keys, events, stepup.begin, stepup.finish,
 *                            probe.report, probe.refused, wireguard.shown, wireguard.rotated, wireguard.refused,
 *                            live.sessions, live.metrics, ping
 *     connector → control    hello, ping
 *     control   → gateway    welcome, snapshot, revocation, descriptor, psks, ack, probe, sessions, metrics,
 *                            stepup.begun, stepup.done, stepup.refused, wireguard.show, wireguard.rotate, pong, refused
 *     control   → connector  welcome, gateway, pong, refused
 */
import { z } from 'zod';
import { auditEventSchema } from './audit-event.ts';
import {
  bytesField,
  cidrField,
  endpointField,
  ipField,
  nameField,
  objectField,
  portField,
  wireguardKeyField,
} from './fields.ts';
import { maxEventsPerMessage, maxLiveSessions, maxMetricsText, maxSerials } from './limits.ts';
import { machineEvidenceSchema } from './machine-evidence.ts';
import { probeRefusals, probeReportSchema } from './probe-report.ts';
import { serviceSchemes } from './snapshot-content.ts';
import { selectorField } from './workload.ts';

/** Where a browser reaches a gateway: exactly what the answer to a launch tells it. */
export const tunnelEndpointSchema = z.strictObject({
  url: z.url().max(512),
  transport: z.enum(['webtransport', 'websocket']),
  /** SHA-256 of the certificates in use: current, then next. Empty where the Web PKI vouches. */
  certHashes: z.array(bytesField(32)).max(4),
});
export type TunnelEndpoint = z.infer<typeof tunnelEndpointSchema>;

/**
 * The credential of a hello: the supervisor's one-time token at first, afterwards the `resume` of the last welcome.
 * Each welcome brings a new one; ChannelClient keeps it.
 */
const credential = z.string().min(16).max(256);
const peerId = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);
/** The process has just started: the pre-shared keys it exchanged before are gone. */
const fresh = z.boolean().optional();
const base64Key = wireguardKeyField;
/** One certificate, PEM. */
const pem = z.string().startsWith('-----BEGIN CERTIFICATE-----').max(4_096);
/** Ed25519, for SVIDs of the internal authority. */
const certificateKey = bytesField(32).optional();
const endpoints = z.array(tunnelEndpointSchema).max(8);
/**
 * A public key of a gateway's that services check its word by: P-256 for ES256 (RFC 7518 section 3.4). `kid` is its
 * thumbprint (RFC 7638), which also keeps one gateway from taking another's name for a key.
 */
export const assertionKeySchema = z.strictObject({
  kid: bytesField(32),
  x: bytesField(32),
  y: bytesField(32),
  madeAt: z.number().int().nonnegative(),
});
export type AssertionKey = z.infer<typeof assertionKeySchema>;
const assertionKeys = z.array(assertionKeySchema).max(8);
/** With it, the URL of each WebTransport endpoint ends in a slash, and a ticket (tickets.ts) goes behind it. */
const ticketKey = bytesField(32).optional();

export const gatewayHelloSchema = z.strictObject({
  t: z.literal('hello'),
  role: z.literal('gateway'),
  token: credential,
  id: peerId.optional(),
  fresh,
  publicKey: bytesField(1_984),
  wireguardKey: base64Key,
  wireguardPort: portField,
  stealthKey: bytesField(32),
  endpoints,
  ticketKey,
  assertionKeys: assertionKeys.optional(),
  certificateKey,
});
export type GatewayHello = z.infer<typeof gatewayHelloSchema>;

export const connectorHelloSchema = z.strictObject({
  t: z.literal('hello'),
  role: z.literal('connector'),
  token: credential,
  id: peerId.optional(),
  fresh,
  name: nameField,
  wireguardKey: base64Key,
  /** host:port of its UDP socket, as the gateway reaches it; without it the connector speaks first. */
  endpoint: endpointField.optional(),
  /** What it answers for, by tunnel port. With a scheme it is to be published as a service of that name. */
  exposes: z
    .array(
      z.strictObject({
        name: nameField,
        port: portField,
        scheme: z.enum(serviceSchemes).optional(),
        /** What the process behind it is. */
        workload: z.array(selectorField).max(8).optional(),
      }),
    )
    .max(64),
  certificateKey,
  /** Over TLS alone, and with a certificate key. */
  evidence: machineEvidenceSchema.optional(),
});
export type ConnectorHello = z.infer<typeof connectorHelloSchema>;

export const helloSchema = z.discriminatedUnion('role', [gatewayHelloSchema, connectorHelloSchema]);
export type Hello = z.infer<typeof helloSchema>;

const ping = z.strictObject({ t: z.literal('ping'), n: z.number().int().nonnegative() });
const pong = z.strictObject({ t: z.literal('pong'), n: z.number().int().nonnegative() });

/** Names one question of a gateway and its answer. */
const question = z.uuid();
const serial = bytesField(16);
const ceremony = z.string().regex(/^[0-9a-f]{24}$/);

/** What an authenticator answered inside a tunnel, as the tunnel brought it: judged by the control plane alone. */
export const stepupAssertionSchema = z.strictObject({
  credentialId: objectField(1_023),
  authenticatorData: objectField(2_048),
  clientDataJson: objectField(2_048),
  signature: objectField(4_096),
  userHandle: objectField(64).or(z.literal('')),
});

/** A peer of the data plane as the gateway's outer layer knows it. */
export const planePeerSchema = z.strictObject({
  publicKey: base64Key,
  endpoint: endpointField.optional(),
  /** ms since 1970; the system's interfaces tell more exactly */
  lastHandshake: z.number().nonnegative().optional(),
  /** Outer bytes. */
  bytesIn: z.number().int().nonnegative(),
  bytesOut: z.number().int().nonnegative(),
  /** Where keys are exchanged: exchanges since the control plane's key, and the time of the last, ms since 1970. */
  pskEpoch: z.number().int().nonnegative().optional(),
  pskSince: z.number().nonnegative().optional(),
});
export type PlanePeer = z.infer<typeof planePeerSchema>;

/** The gateway's WireGuard key before a rotation, until when it is served (ms since 1970), and to whom still. */
export const retiringKeySchema = z.strictObject({
  publicKey: base64Key,
  until: z.number().int().nonnegative(),
  peers: z.array(base64Key).max(4_096),
});
export type RetiringKey = z.infer<typeof retiringKeySchema>;

/** A tunnel as its gateway sees it at a moment. Bytes are of records: what the browser sent, what it was sent. */
const liveSessionSchema = z.strictObject({
  /** As the audit names it. */
  session: z.string().regex(/^[0-9a-f]{1,64}$/),
  /** Of the credential it holds now. */
  serial,
  transport: z.string().regex(/^[a-z]{1,16}$/),
  address: z.string().max(64),
  /** ms since 1970 */
  since: z.number().int().nonnegative(),
  streams: z.number().int().nonnegative(),
  bytesIn: z.number().int().nonnegative(),
  bytesOut: z.number().int().nonnegative(),
});
export type LiveSessionReport = z.infer<typeof liveSessionSchema>;

/** What a peer may say after its hello was answered. */
export const fromPeerSchema = z.discriminatedUnion('t', [
  z.strictObject({ t: z.literal('endpoints'), endpoints }),
  z.strictObject({ t: z.literal('assertion-keys'), keys: assertionKeys }),
  z.strictObject({ t: z.literal('events'), events: z.array(auditEventSchema).max(maxEventsPerMessage) }),
  /** A session of this credential needs a touch of the passkey. */
  z.strictObject({ t: z.literal('stepup.begin'), id: question, serial }),
  /** Its answer, and the exporter of that session. */
  z.strictObject({
    t: z.literal('stepup.finish'),
    id: question,
    serial,
    ceremony,
    exporter: bytesField(32),
    assertion: stepupAssertionSchema,
  }),
  /** What a probe found, or why it found nothing. */
  z.strictObject({ t: z.literal('probe.report'), id: question, report: probeReportSchema }),
  z.strictObject({ t: z.literal('probe.refused'), id: question, code: z.enum(probeRefusals) }),
  z.strictObject({
    t: z.literal('wireguard.shown'),
    id: question,
    peers: z.array(planePeerSchema).max(4_096),
    retiring: retiringKeySchema.optional(),
  }),
  /**
   * Public keys; without `to` nothing was done. `backup` names a file in the gateway's folder; `oldUntil` is when the key
   * of before ends, ms since 1970, where it is served for a while.
   */
  z.strictObject({
    t: z.literal('wireguard.rotated'),
    id: question,
    from: base64Key,
    to: base64Key.optional(),
    backup: z.string().max(128),
    oldUntil: z.number().int().nonnegative().optional(),
  }),
  /** With `waiting`: those peers would lose the key of before, and were not to be cut. Public keys. */
  z.strictObject({
    t: z.literal('wireguard.refused'),
    id: question,
    waiting: z.array(base64Key).max(4_096).optional(),
  }),
  /** What is open now. */
  z.strictObject({
    t: z.literal('live.sessions'),
    id: question,
    sessions: z.array(liveSessionSchema).max(maxLiveSessions),
  }),
  /** Prometheus' text format. */
  z.strictObject({ t: z.literal('live.metrics'), id: question, text: z.string().max(maxMetricsText) }),
  ping,
]);
export type FromPeer = z.infer<typeof fromPeerSchema>;

export const refusalCodes = [
  'token_unknown',
  'malformed',
  'key_in_use',
  'name_in_use',
  'no_gateway',
  'busy',
  'evidence_missing',
  'evidence_refused',
  'workload_refused',
] as const;
export type RefusalCode = (typeof refusalCodes)[number];
/** Refusals that pass by themselves: the client tries again instead of giving up. */
export const passingRefusals: ReadonlySet<RefusalCode> = new Set<RefusalCode>(['no_gateway', 'busy']);

const refused = z.strictObject({ t: z.literal('refused'), code: z.enum(refusalCodes) });
const psks = z.record(base64Key, base64Key);
const object = objectField();

export const gatewayWelcomeSchema = z.strictObject({
  t: z.literal('welcome'),
  role: z.literal('gateway'),
  id: peerId,
  resume: credential,
  descriptor: object,
  /** Role certificates (LKS1 type 8), every role. */
  certificates: z.array(object).max(16),
  root: bytesField(1_984),
  /** Pre-shared keys by peer key; a later `psks` message replaces all of them. */
  psks,
  /** Where the hello brought a key: who the gateway is in TLS. */
  svid: pem.optional(),
});
export type GatewayWelcome = z.infer<typeof gatewayWelcomeSchema>;

const gatewayPeer = z.strictObject({
  publicKey: base64Key,
  endpoint: endpointField,
  allowedIps: z.array(cidrField).max(16),
});
export type GatewayPeer = z.infer<typeof gatewayPeer>;

export const connectorWelcomeSchema = z.strictObject({
  t: z.literal('welcome'),
  role: z.literal('connector'),
  id: peerId,
  resume: credential,
  address: ipField,
  gateway: gatewayPeer,
  presharedKey: base64Key.optional(),
  /** Where the hello brought a key: who the connector is in TLS, and its services, by name. */
  svid: pem.optional(),
  serviceSvids: z.record(nameField, pem).optional(),
  authority: pem.optional(),
});
export type ConnectorWelcome = z.infer<typeof connectorWelcomeSchema>;

/** What the control plane may say to a gateway. */
export const toGatewaySchema = z.discriminatedUnion('t', [
  gatewayWelcomeSchema,
  z.strictObject({ t: z.literal('snapshot'), object }),
  z.strictObject({ t: z.literal('revocation'), object }),
  z.strictObject({ t: z.literal('descriptor'), object }),
  z.strictObject({ t: z.literal('psks'), psks }),
  z.strictObject({ t: z.literal('ack'), ids: z.array(z.uuid()).max(maxEventsPerMessage) }),
  /** Visit a service and say what it uses. */
  z.strictObject({ t: z.literal('probe'), id: question, service: nameField }),
  /** What is open, of these credentials or of all, and what was counted. */
  z.strictObject({ t: z.literal('sessions'), id: question, serials: z.array(serial).max(maxSerials).optional() }),
  z.strictObject({ t: z.literal('metrics'), id: question }),
  z.strictObject({ t: z.literal('stepup.begun'), id: question, ceremony, nonce: bytesField(32) }),
  z.strictObject({ t: z.literal('stepup.done'), id: question }),
  z.strictObject({ t: z.literal('stepup.refused'), id: question, code: z.string().regex(/^[a-z_]{1,64}$/) }),
  /** How the peers fare. */
  z.strictObject({ t: z.literal('wireguard.show'), id: question }),
  /** Make a new WireGuard key, or say what that would do; serve the one of before for a while, or not. */
  z.strictObject({ t: z.literal('wireguard.rotate'), id: question, dryRun: z.boolean(), overlap: z.boolean() }),
  pong,
  refused,
]);
export type ToGateway = z.infer<typeof toGatewaySchema>;

/** What the control plane may say to a connector; `gateway` replaces the peer and the key of the welcome. */
export const toConnectorSchema = z.discriminatedUnion('t', [
  connectorWelcomeSchema,
  z.strictObject({ t: z.literal('gateway'), gateway: gatewayPeer, presharedKey: base64Key.optional() }),
  pong,
  refused,
]);
export type ToConnector = z.infer<typeof toConnectorSchema>;
