/** What is in force: policies, what waits for two administrators, whom else is believed. */

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

export interface CounterTable {
  name: 'policy_epoch' | 'revocation_epoch';
  value: number;
  /** SHA-256 of the policy content of this epoch. */
  digest: Uint8Array | null;
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
