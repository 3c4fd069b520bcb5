/** People, their devices and passkeys, who they are elsewhere, and what lets them in. */

export interface UserTable {
  id: string;
  /** WebAuthn user handle, random, says nothing of the person. */
  handle: Uint8Array;
  name: string;
  created_at: number;
  disabled_at: number | null;
  /** Why, as whoever did it said. */
  disabled_reason: string | null;
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
  /** Format of what it showed of its make (webauthn.ts); `none` for nothing. */
  attestation: string;
  /** That led, at enrolment, to an authority that the operator named then; not judged again. */
  attested: number;
  /** The whole of it. */
  attestation_object: Uint8Array | null;
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

/** Who a person is at a provider elsewhere. */
export interface IdentityTable {
  issuer: string;
  subject: string;
  user_id: string;
  created_at: number;
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
