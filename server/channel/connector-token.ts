/**
 * The text of a connector's token: `lkc1.` and base64url of JSON. Written by the control plane, read by `latchkey
 * connector`. Whoever holds it can join as that connector, once.
 */
import { z } from 'zod';
import { isTrustDomain } from '../../protocol/spiffe.ts';
import { bytesField, nameField } from './fields.ts';

export const connectorTokenLifeMs = 86_400_000;
const prefix = 'lkc1.';

const contentSchema = z.strictObject({
  name: nameField,
  /** `host:port` of the control channel over TLS, or `unix:` and the path of its socket. */
  control: z.string().min(3).max(512),
  trustDomain: z.string().refine(isTrustDomain),
  /** SHA-256 of the authority's certificate. */
  authority: bytesField(32),
  secret: z.string().min(16).max(256),
});

export interface ConnectorToken {
  readonly name: string;
  readonly control: string;
  readonly trustDomain: string;
  readonly authority: Uint8Array;
  readonly secret: string;
}

export function formatConnectorToken({ authority, ...rest }: ConnectorToken): string {
  const content = { ...rest, authority: Buffer.from(authority).toString('base64url') };
  return prefix + Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** @returns undefined for a text that is no token. */
export function parseConnectorToken(text: string): ConnectorToken | undefined {
  if (!text.startsWith(prefix)) return undefined;
  try {
    const parsed = contentSchema.parse(JSON.parse(Buffer.from(text.slice(prefix.length), 'base64url').toString()));
    return { ...parsed, authority: Buffer.from(parsed.authority, 'base64url') };
  } catch {
    return undefined;
  }
}
