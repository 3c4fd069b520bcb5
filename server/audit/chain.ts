/**
 * The hash chain of audit events: `hash_n = SHA-256(hash_n-1 | u64 n | canonical event)`, hash_0 = 32 zero bytes.
 * The position is hashed, so an event is worth nothing anywhere else; what the chain cannot show by itself, its end
 * being cut off, the anchors show (anchor.ts).
 */
import { Writer } from '../../protocol/bytes.ts';
import type { AuditEvent } from '../channel/audit-event.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';

/** What the first event follows. */
export const genesis = new Uint8Array(32);

/** @param event canonical JSON, see {@link canonical}. */
export function chainHash(previous: Uint8Array, seq: number, event: string): Uint8Array {
  return nodeCrypto.sha256(previous, new Writer().u64(seq).done(), Buffer.from(event, 'utf8'));
}

/** JSON with the keys of every object sorted by code unit and no spaces: one spelling for one event. */
export function canonical(event: AuditEvent | Readonly<Record<string, unknown>>): string {
  return JSON.stringify(event, (_key, value: unknown) => (isPlainObject(value) ? sorted(value) : value));
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
