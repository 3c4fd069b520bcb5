/**
 * The tables of the control plane, as Kysely types. Times are milliseconds since the epoch; flags are 0 or 1; bytes are
 * BLOBs; lists are JSON text. Secrets stand as SHA-256 only (tokens, cookies); pre-shared keys, which have to be told to
 * both peers, and the keys that sign WIT-SVIDs are sealed (vault.ts). Nothing here can open a recorded session: no ephemeral or session private key is ever stored.
 */
import type { Generated, Kysely, Transaction } from 'kysely';

export interface UserTable {
  id: string;
  /** WebAuthn user handle, random, says nothing of the person. */
  handle: Uint8Array;
  name: string;
  created_at: number;
  disabled_at: number | null;
  /** Set for a guest: one use of this link. */
  link_id: string | null;
  /** Which use, from 1; null while a guest's passkey is still to come. */
  link_use: number | null;
}

export interface UserGroupTable {
  user_id: string;
  group_name: string;
}

/** Duties in the administration, apart from what groups may open (admin-roles.ts). */
export interface AdminRoleTable {
  user_id: string;
  role: string;
  granted_at: number;
}

export interface CredentialTable {
  /** WebAuthn credential id, base64url. */
  id: string;
  user_id: string;
  /** COSE key. */
  public_key: Uint8Array;
  counter: number;
  aaguid: string;
  transports: string;
  backup_eligible: number;
  backed_up: number;
  created_at: number;
  revoked_at: number | null;
}

export interface DeviceTable {
  id: string;
  user_id: string;
  /** Null for a guest without a passkey, and so is the key. */
  credential_id: string | null;
  /** Ed25519. */
  public_key: Uint8Array | null;
  /** What its person calls it; empty at first. */
  name: string;
  created_at: number;
  /** Null while an administrator still has to say yes. */
  approved_at: number | null;
  revoked_at: number | null;
  revoked_reason: string | null;
  /** No longer shown by default; never deleted. */
  archived_at: number | null;
}

export interface EnrolmentTable {
  id: string;
  token_hash: Uint8Array;
  user_id: string;
  /** The link of a new installation; a new start takes the old one's place. */
  first: number;
  /** The device it lets in waits for an administrator. */
  approval: number;
  /** The device it lets in takes the place of all the others of its person (recovery.ts). */
  recovery: number;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  revoked_at: number | null;
}

export interface LinkTable {
  id: string;
  secret_hash: Uint8Array;
  /** JSON, names. */
  services: string;
  expires_at: number;
  max_uses: number;
  used: number;
  /** Nothing is made or kept in the guest's browser. */
  kiosk: number;
  read_only: number;
  /** An administrator lets each guest in. */
  approval: number;
  /** JSON of `{from, to}` in minutes of the day; empty for all day. */
  hours: string;
  /** IANA time zone that the hours are meant in. */
  zone: string;
  /** Whom it is for, an e-mail address in lower case. */
  recipient: string | null;
  created_by: string;
  created_at: number;
  revoked_at: number | null;
  revoked_reason: string | null;
}

export interface KnockTable {
  id: string;
  link_id: string;
  /** SHA-256 of what the waiting page knows itself by. */
  key_hash: Uint8Array;
  /** Shown to both, so that the right guest is let in. */
  code: string;
  /** What the guest calls themselves; nobody has checked it. */
  name: string;
  address: string;
  created_at: number;
  decided_at: number | null;
  approved: number | null;
  decided_by: string | null;
  spent_at: number | null;
}

export type CeremonyKind = 'enrol' | 'login' | 'launch' | 'stepup' | 'approve' | 'oidc' | 'saml';

export interface CeremonyTable {
  id: string;
  kind: CeremonyKind;
  nonce: Uint8Array;
  user_id: string;
  device_id: string | null;
  enrolment_id: string | null;
  lease_id: Uint8Array | null;
  /** The launch whose tunnel asks for a step-up. */
  launch_id: string | null;
  /** The link whose guest makes a passkey, and the knock that was let in. */
  link_id: string | null;
  knock_id: string | null;
  /** The change that an administrator approves. */
  change_id: string | null;
  service: string | null;
  /** JSON of what a sign-in at a provider is bound by (control/oidc/sign-in.ts, control/saml/sign-in.ts). */
  idp: string | null;
  /** Public key that a login was asked for. */
  device_public_key: Uint8Array | null;
  expires_at: number;
  spent_at: number | null;
}

export interface LeaseTable {
  /** 16 bytes, named in launch challenges; no secret. */
  id: Uint8Array;
  cookie_hash: Uint8Array;
  user_id: string;
  device_id: string;
  amr: number;
  /** When user verification happened. */
  verified_at: number;
  /** JSON of the signals that policies may use, as judged at sign-in; for the launcher. */
  posture_signals: string;
  posture_time: number;
  created_at: number;
  ends_at: number;
  revoked_at: number | null;
  /** Of a sign-in at a provider elsewhere; null for a passkey's. */
  idp_issuer: string | null;
  idp_subject: string | null;
  idp_sid: string | null;
  /** JSON of the rest of what it said. */
  idp_facts: string | null;
}

/** Who a person is at a provider elsewhere. */
export interface IdentityTable {
  issuer: string;
  subject: string;
  user_id: string;
  created_at: number;
}

export interface LaunchTable {
  id: string;
  lease_id: Uint8Array;
  user_id: string;
  device_id: string;
  service: string;
  session_key_hash: Uint8Array;
  session_public_key: Uint8Array;
  posture_hash: Uint8Array;
  posture_time: number;
  /** JSON of the signals that policies may use. */
  posture_signals: string;
  created_at: number;
  ends_at: number;
  revoked_at: number | null;
  /** The last touch of the passkey inside its tunnel. */
  stepped_up_at: number | null;
}

export interface SvidTable {
  serial: Uint8Array;
  launch_id: string;
  not_before: number;
  not_after: number;
  policy_epoch: number;
}

export interface SpentNonceTable {
  /** Who spent it: a device id, or the hash of a session key. */
  owner: string;
  nonce: Uint8Array;
  expires_at: number;
}

export interface ServiceTable {
  name: string;
  title: string;
  url: string;
  scheme: string;
  address: string;
  port: number;
  path: string;
  upstream_host: string;
  wireguard_key: string;
  demo: number;
  /** Published by a connector, behind TLS of the internal authority. */
  inner_tls: number;
  created_at: number;
  /** Set while nobody may use it. */
  suspended_at: number | null;
  /** A HostRule. */
  host: string;
  /** Names of services, a JSON array. */
  cors_from: string;
  namespace: string;
  /** A JSON array, sorted. */
  labels: string;
  /** SPIFFE id of another trust domain that it has to show, in TLS inside WireGuard. */
  far_id: string | null;
}

export interface PeerTable {
  public_key: string;
  name: string;
  allowed_ips: string;
  endpoint: string | null;
  /** Sealed (vault.ts). */
  preshared_key: string | null;
  keepalive_s: number | null;
  /** Set for a peer that is a connector of ours. */
  connector_id: string | null;
  created_at: number;
}

export interface ArchivedPeerTable {
  id: Generated<number>;
  public_key: string;
  name: string;
  allowed_ips: string;
  connector_id: string | null;
  created_at: number;
  archived_at: number;
  reason: string;
}

export interface ConnectorTable {
  id: string;
  name: string;
  wireguard_key: string;
  address: string;
  resume_hash: Uint8Array;
  /** Accepted until the newer one is seen, because an answer can be lost. */
  previous_resume_hash: Uint8Array | null;
  joined_at: number;
  revoked_at: number | null;
  /** What its machine showed of itself when it last joined, and the subject of its certificate where that was strong. */
  evidence: 'weak' | 'strong';
  machine: string | null;
  /** From its token: it has to show strong evidence each time, and the name that has to be in its certificate. */
  needs_strong: number;
  needs_machine: string | null;
}

/** Signed by the notary: what a revocation cut (receipts.ts). */
export interface ReceiptTable {
  /** That of the first event it is about. */
  id: string;
  session: string;
  actor: string;
  service: string;
  streams: number;
  created_at: number;
  object: Uint8Array;
}

/** Lets one connector of that name join, once. */
export interface ConnectorTokenTable {
  id: string;
  token_hash: Uint8Array;
  name: string;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  revoked_at: number | null;
  /** As those of {@link ConnectorTable}. */
  needs_strong: number;
  needs_machine: string | null;
}

export interface GatewayTable {
  id: string;
  public_key: Uint8Array;
  wireguard_key: string;
  wireguard_port: number;
  stealth_key: Uint8Array;
  endpoints: string;
  descriptor: Uint8Array;
  descriptor_issued_at: number;
  resume_hash: Uint8Array;
  previous_resume_hash: Uint8Array | null;
  joined_at: number;
  /** AssertionKeys as the gateway announced them, a JSON array. */
  assertion_keys: string;
}

export interface PolicyTable {
  id: string;
  text: string;
}

export type ChangeKind = 'policy.replace' | 'root.rotate' | 'retention.set';

/** Waits for two administrators (changes.ts). */
export interface ChangeTable {
  id: string;
  kind: ChangeKind;
  /** JSON, exactly the bytes whose hash is signed. */
  document: string;
  /** JSON of why it takes two. */
  dangers: string;
  requested_by: string;
  created_at: number;
  expires_at: number;
  decided_at: number | null;
  outcome: string | null;
}

export interface ApprovalTable {
  change_id: string;
  user_id: string;
  device_id: string;
  approved_at: number;
  /** JSON of the passkey's answer, the evidence. */
  assertion: string;
}

/** Signs WIT-SVIDs (wit-keys.ts). Never deleted: the bundle's sequence counts them. */
export interface WitKeyTable {
  /** RFC 7638 thumbprint. */
  kid: string;
  x: string;
  y: string;
  /** The private half, sealed (vault.ts); null once it signs no more. */
  sealed: string | null;
  created_at: number;
}

/** Another trust domain that is believed, in some namespaces and for a time (federations.ts). */
export interface FederationTable {
  trust_domain: string;
  /** JSON, sorted. */
  namespaces: string;
  /** JSON of PEM certificates. */
  authorities: string;
  /** Of the bundle they came from; null where it counted none. */
  sequence: number | null;
  expires_at: number;
  created_at: number;
  created_by: string;
}

export interface CounterTable {
  name: 'policy_epoch' | 'revocation_epoch';
  value: number;
  /** SHA-256 of the policy content of this epoch. */
  digest: Uint8Array | null;
}

export interface AuditTable {
  seq: number;
  /** The event's own id, so that an event that arrives twice is chained once. */
  id: string;
  prev: Uint8Array;
  hash: Uint8Array;
  /** Canonical JSON, exactly the bytes that were hashed. */
  event: string;
}

/** Where the log begins, signed (audit/start.ts); one row, or none while nothing was dropped. */
export interface AuditStartTable {
  seq: number;
  object: Uint8Array;
  /** Of the key that signed it; null for one from before it was kept. */
  certificate: Uint8Array | null;
}

/** How long the log is kept, signed (audit/retention.ts); one row, or none while nobody approved a time. */
export interface RetentionTable {
  epoch: number;
  object: Uint8Array;
  certificate: Uint8Array;
}

export interface Tables {
  users: UserTable;
  user_groups: UserGroupTable;
  admin_roles: AdminRoleTable;
  credentials: CredentialTable;
  devices: DeviceTable;
  identities: IdentityTable;
  enrolments: EnrolmentTable;
  links: LinkTable;
  knocks: KnockTable;
  ceremonies: CeremonyTable;
  leases: LeaseTable;
  launches: LaunchTable;
  svids: SvidTable;
  spent_nonces: SpentNonceTable;
  services: ServiceTable;
  peers: PeerTable;
  archived_peers: ArchivedPeerTable;
  connectors: ConnectorTable;
  connector_tokens: ConnectorTokenTable;
  gateways: GatewayTable;
  receipts: ReceiptTable;
  policies: PolicyTable;
  changes: ChangeTable;
  approvals: ApprovalTable;
  wit_keys: WitKeyTable;
  federations: FederationTable;
  counters: CounterTable;
  audit: AuditTable;
  audit_start: AuditStartTable;
  retention: RetentionTable;
}

/** Reads and writes outside a transaction. */
export type Store = Kysely<Tables>;
/** One transaction; functions that must not stand alone ask for this. */
export type StoreTransaction = Transaction<Tables>;
