/** Random names, one-time secrets and their stored digests, SPIFFE ids and new audit events. */
import { randomBytes, randomUUID } from 'node:crypto';
import { base64url, utf8 } from '../../protocol/bytes.ts';
import { formatSpiffeId } from '../../protocol/spiffe.ts';
import type { AuditEvent } from '../channel/audit-event.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { Context } from './context.ts';

/** A name nobody can guess, but no secret: 96 random bits, safe in SPIFFE ids and file names. */
export function newId(): string {
  return randomBytes(12).toString('hex');
}

/** A secret that is told once; only {@link digestOf} it is stored. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What stands in the database for a secret. The secrets are random and long, so a plain hash is enough. */
export function digestOf(secret: string): Uint8Array {
  return nodeCrypto.sha256(utf8(secret.toWellFormed()));
}

/** WebAuthn user handle: random, at most 64 bytes, says nothing of the person. */
export function newHandle(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}

export function deviceSpiffeId(config: Context['config'], user: string, device: string): string {
  return formatSpiffeId({ kind: 'device', trustDomain: config.trustDomain, user, device });
}

/** @param use which use of the link, from 1 */
export function guestSpiffeId(config: Context['config'], link: string, use: number): string {
  return formatSpiffeId({ kind: 'guest', trustDomain: config.trustDomain, link, use: String(use) });
}

export function connectorSpiffeId(config: Context['config'], id: string): string {
  return formatSpiffeId({ kind: 'connector', trustDomain: config.trustDomain, id });
}

export function gatewaySpiffeId(config: Context['config'], id: string): string {
  return formatSpiffeId({ kind: 'gateway', trustDomain: config.trustDomain, id });
}

/** The control plane's own name, in TLS with connectors. */
export function controlSpiffeId(trustDomain: string): string {
  return formatSpiffeId({ kind: 'other', trustDomain, path: ['control'] });
}

export function serviceSpiffeId(
  config: Context['config'],
  { name, namespace }: { readonly name: string; readonly namespace: string },
): string {
  return formatSpiffeId({ kind: 'service', trustDomain: config.trustDomain, namespace, name });
}

/** An id to find one refusal by, in the answer, the log and the audit event. */
export function newCorrelation(): string {
  return base64url(randomBytes(9));
}

/** An audit event of ours, with its id and time. What `system` does for an administrator is theirs. */
export function newEvent(
  { clock, actor = 'system', signed }: Pick<Context, 'clock' | 'actor' | 'signed'>,
  event: Omit<AuditEvent, 'id' | 'time'>,
): AuditEvent {
  return {
    ...{ id: randomUUID(), time: clock.now() },
    ...event,
    ...(signed !== undefined && { detail: { ...event.detail, ...signed } }),
    actor: event.actor === 'system' ? actor : event.actor,
  };
}
