/**
 * The settings of an OpenID provider (`oidc` in latchkey.yaml). What would weaken it is refused with the reason, whether
 * it is written here or found in what the provider says of itself (server/control/oidc/provider.ts).
 */
import { resolve } from 'node:path';
import { z } from 'zod';

/** Signatures of ID tokens that are taken: asymmetric ones. `none` is no signature; HS256 is one by anybody who knows the secret. */
export const signingAlgs = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] as const;

const only = <const T extends string | boolean>(value: T, reason: string) =>
  z.literal(value, { error: reason }).optional();

export const oidcSchema = z.strictObject({
  /** As the provider writes it in its tokens. */
  issuer: z.string().refine(isIssuer, {
    error: 'has to be an https URL without query or fragment: over http anybody on the way can be the provider',
  }),
  /** What people read on the button. */
  name: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, 'is one line of text'),
  clientId: z.string().min(1).max(256),
  /** A file that holds the secret alone; no other place for it, so that no print of the settings tells it. */
  clientSecretFile: z.string().transform((file) => resolve(file)),
  clientAuth: z.enum(['client_secret_basic', 'client_secret_post']).default('client_secret_basic'),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/))
    .max(16)
    .default(['openid']),
  /** The claim of the ID token that lists groups; policies know them as Group::"idp/NAME", and as no group of ours. */
  groupsClaim: z.string().max(64).default('groups'),
  /** The sign-in there has to be of one of these classes (acr_values, and `acr` of the ID token); none: of any, policies decide by what it says. */
  acrValues: z
    .array(z.string().regex(/^\S{1,128}$/))
    .max(8)
    .default([]),
  /** A sign-in at the provider that is older is asked for anew. */
  maxAgeS: z.number().int().positive().default(28_800),
  signingAlg: z
    .enum(signingAlgs, {
      error: 'has to be an asymmetric signature: without one anybody can write an ID token',
    })
    .default('RS256'),
  responseType: only('code', 'has to be code: the implicit and hybrid flows put tokens into addresses'),
  pkce: only(true, 'cannot be switched off: without it a stolen code is a sign-in'),
  nonce: only(true, 'cannot be switched off: without it an old ID token is a sign-in'),
});
export type OidcSettings = z.infer<typeof oidcSchema>;

/** Whether a URL is one that nobody on the way can speak for: TLS, or this very machine. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, hash } = new URL(text);
  if (username !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function isIssuer(text: string): boolean {
  return isSafeUrl(text) && new URL(text).search === '';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
