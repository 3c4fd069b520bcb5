/** Sign-ins and launches, and what is needed for a while to make one. */

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
