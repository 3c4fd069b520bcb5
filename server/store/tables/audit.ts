/** The record of decisions, and receipts. */

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

/** A time that an older release let two approve, unsigned; until the next start has told of it. */
export interface UnsignedRetentionTable {
  days: number;
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
