/**
 * The bundle of a trust domain (SPIFFE Trust Domain and Bundle, section 4): the keys that others check its SVIDs by, as
 * a JWK Set. This writes ours.
 */
import 'reflect-metadata';
import { X509Certificate } from '@peculiar/x509';
import { z } from 'zod';

/** How often it is worth asking again, s: a signing key is published for longer before it signs. */
export const refreshHintS = 300;

/** X509-SVID section 6.1: a CA certificate, without a `kid`. */
const authoritySchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  use: z.literal('x509-svid'),
  x: z.string(),
  x5c: z.tuple([z.string()]),
});
/** WIT-SVID section 6.1: a key that signs tokens. */
const witKeySchema = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  use: z.literal('wit-svid'),
  ...{ kid: z.string(), x: z.string(), y: z.string() },
});
export const bundleSchema = z.object({
  keys: z.array(z.union([authoritySchema, witKeySchema])),
  spiffe_sequence: z.number().int(),
  spiffe_refresh_hint: z.number().int(),
});
export type SpiffeBundle = z.infer<typeof bundleSchema>;
export type WitJwk = Pick<z.infer<typeof witKeySchema>, 'kid' | 'x' | 'y'>;

/** @param authority PEM, of an Ed25519 key */
export function writeBundle(authority: string, witKeys: readonly WitJwk[], sequence: number): SpiffeBundle {
  const certificate = new X509Certificate(authority);
  // The last 32 bytes of an Ed25519 SubjectPublicKeyInfo are the key (RFC 8410 section 4).
  const x = Buffer.from(certificate.publicKey.rawData).subarray(-32).toString('base64url');
  const x5c: [string] = [Buffer.from(certificate.rawData).toString('base64')];
  return {
    keys: [
      { kty: 'OKP', crv: 'Ed25519', use: 'x509-svid', x, x5c },
      ...witKeys.map(({ kid, x, y }) => ({ kty: 'EC', crv: 'P-256', use: 'wit-svid', kid, x, y }) as const),
    ],
    spiffe_sequence: sequence,
    spiffe_refresh_hint: refreshHintS,
  };
}
