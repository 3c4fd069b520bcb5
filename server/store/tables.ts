/**
 * The tables of the control plane, as Kysely types. Times are milliseconds since the epoch; flags are 0 or 1; bytes are
 * BLOBs; lists are JSON text. Secrets stand as SHA-256 only (tokens, cookies); pre-shared keys, which have to be told to
 * both peers, and the keys that sign WIT-SVIDs are sealed (vault.ts). Nothing here can open a recorded session: no ephemeral or session private key is ever stored.
 */
import type { Kysely, Transaction } from 'kysely';
import type {
  AuditStartTable,
  AuditTable,
  ReceiptTable,
  RetentionTable,
  UnsignedRetentionTable,
} from './tables/audit.ts';
import type { KnockTable, LinkTable } from './tables/guests.ts';
import type {
  AdminRoleTable,
  CredentialTable,
  DeviceTable,
  EnrolmentTable,
  IdentityTable,
  UserGroupTable,
  UserTable,
} from './tables/people.ts';
import type {
  ApprovalTable,
  ChangeTable,
  CounterTable,
  FederationTable,
  PolicyTable,
  WitKeyTable,
} from './tables/policy.ts';
import type {
  ArchivedPeerTable,
  ConnectorTable,
  ConnectorTokenTable,
  GatewayTable,
  PeerTable,
  ServiceTable,
} from './tables/services.ts';
import type { CeremonyTable, LaunchTable, LeaseTable, SpentNonceTable, SvidTable } from './tables/sessions.ts';

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
  unsigned_retention: UnsignedRetentionTable;
}

/** Reads and writes outside a transaction. */
export type Store = Kysely<Tables>;
/** One transaction; functions that must not stand alone ask for this. */
export type StoreTransaction = Transaction<Tables>;
