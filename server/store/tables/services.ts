/** Services, and the peers, connectors and gateways between. */
import type { Generated } from 'kysely';

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
  /** JSON: selectors that its services have to show, by service; `{}` for none. */
  needs_workloads: string;
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
  needs_workloads: string;
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
