/**
 * The settings of a SAML identity provider (`saml` in latchkey.yaml). What would weaken it is refused with the reason,
 * whether it is written here or found in its certificates (server/control/saml/certificates.ts).
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import { isSafeUrl } from './oidc-settings.ts';

/** Signatures that are taken (RFC 6931, sections 2.3.2, 2.3.4 and 2.3.10). SHA-1 collides; a key that both sides know signs for anybody. */
export const samlSignatures = {
  'rsa-sha256': 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'rsa-sha512': 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'rsa-pss-sha256': 'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
} as const;

/** How the provider names a person. Transient names are another at each sign-in, so nobody could be known again. */
export const nameIdFormats = {
  persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  emailAddress: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  unspecified: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
} as const;

const keysOf = <T extends object>(of: T) => Object.keys(of) as (keyof T & string)[];
const only = <const T extends boolean>(value: T, reason: string) => z.literal(value, { error: reason }).optional();
const uri = z.string().regex(/^[\x21-\x7e]{1,1024}$/, 'is a URI');

export const samlSchema = z.strictObject({
  /** What people read on the button. */
  name: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, 'is one line of text'),
  /** The provider's entity id, as it writes it in its assertions. */
  issuer: uri,
  /** Where people sign in (HTTP-Redirect binding). */
  entryPoint: z.string().refine((url) => isSafeUrl(url), {
    error: 'has to be an https URL: over http anybody on the way can be the provider',
  }),
  /** A file with the provider's signing certificates in PEM: the one in use, and the next one while it is being changed. */
  certificateFile: z.string().transform((file) => resolve(file)),
  /** Our entity id, as it is registered at the provider; the address of our metadata when it is not said. */
  entityId: uri.optional(),
  signatureAlg: z
    .enum(keysOf(samlSignatures), { error: 'has to be RSA with SHA-256 or better: SHA-1 collides' })
    .default('rsa-sha256'),
  nameIdFormat: z
    .enum(keysOf(nameIdFormats), {
      error: 'has to be persistent, emailAddress or unspecified: a transient name is nobody the next time',
    })
    .default('persistent'),
  /** The attribute that lists groups; policies know them as Group::"saml/NAME", and as no group of ours or of OIDC's. */
  groupsAttribute: z.string().min(1).max(256).default('groups'),
  /** The sign-in there has to be of one of these classes (AuthnContextClassRef); none: of any, policies decide by what it says. */
  authnContext: z.array(uri).max(8).default([]),
  /** A sign-in at the provider that is older is refused. */
  maxAgeS: z.number().int().positive().default(28_800),
  /** People have to sign in there anew each time. */
  forceAuthn: z.boolean().default(false),
  signedAssertions: only(true, 'cannot be switched off: an assertion without a signature is anybody’s'),
  inResponseTo: only(true, 'cannot be switched off: an answer that nobody asked for may be somebody else’s'),
  audience: only(true, 'cannot be switched off: what was said to another service would be taken here'),
});
export type SamlSettings = z.infer<typeof samlSchema>;
