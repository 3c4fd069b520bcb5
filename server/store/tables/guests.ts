/** Links, and the guests at their doors. */

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
