/** The shapes of the browser's API: one schema each for validation, types and the OpenAPI document. */
import { z } from '@hono/zod-openapi';
import { tunnelEndpointSchema } from '../../channel/messages.ts';
import { adminRoles } from '../admin-roles.ts';
import { bytes, encodedBytes } from './bytes-field.ts';

const id = z.string().regex(/^[0-9a-f]{24}$/);
const time = z.number().int().nonnegative().openapi({ description: 'ms since 1970' });
/** A name that is looked up, not made, here: only its length is judged. */
const serviceName = z.string().min(1).max(64);

export const posture = z.strictObject({ statement: bytes(2, 16 * 1_024), signature: bytes(64) });

/** WebAuthn's JSON forms. Extension results are not used and dropped. */
const credentialId = z.string().regex(/^[A-Za-z0-9_-]{1,1400}$/);
const encoded = (most: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]*$/)
    .max(most);
const dropped = z.unknown().transform(() => ({}));
/** Hints for a later sign-in: those we know are kept. */
const knownTransports = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const;
const transports = z
  .array(z.string().max(32))
  .max(16)
  .transform((given) => knownTransports.filter((known) => given.includes(known)));

const registration = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  clientExtensionResults: dropped,
  response: z.object({
    clientDataJSON: encoded(8_192),
    attestationObject: encoded(65_536),
    transports: transports.optional(),
  }),
});

export const assertion = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  clientExtensionResults: dropped,
  response: z.object({
    clientDataJSON: encoded(8_192),
    authenticatorData: encoded(8_192),
    signature: encoded(16_384),
    userHandle: encoded(128)
      .nullish()
      .transform((handle) => handle ?? undefined),
  }),
});

export const nothing = z.strictObject({});

export const enrolBeginRequest = z.strictObject({ token: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/) });
export const enrolBegun = z.object({
  ceremony: id,
  nonce: encodedBytes,
  user: z.object({ id, name: z.string(), handle: encodedBytes }),
  rp: z.object({ id: z.string(), name: z.string() }),
  attestation: z
    .enum(['none', 'direct'])
    .openapi({ description: 'what the authenticator is asked to show of its make' }),
});
export const enrolFinishRequest = z.strictObject({
  ceremony: id,
  devicePublicKey: bytes(32),
  deviceSignature: bytes(64),
  posture,
  credential: registration,
});
export const entered = z.object({
  user: z.object({ id, name: z.string() }),
  device: z.object({ id }),
});

export const loginBeginRequest = z.strictObject({ devicePublicKey: bytes(32) });
export const loginBegun = z.object({
  ceremony: id,
  nonce: encodedBytes,
  rpId: z.string(),
  user: z.object({ handle: encodedBytes, name: z.string() }),
  credentialIds: z.array(z.string()),
});
/** Of a sign-in at a provider elsewhere. */
export const providerBegun = z.object({
  url: z.string(),
  nonce: encodedBytes,
  userHandle: encodedBytes,
  rpId: z.string(),
});
export const providers = z.object({
  providers: z.array(z.object({ protocol: z.enum(['oidc', 'saml']), name: z.string() })),
});
export const loginFinishRequest = z.strictObject({
  ceremony: id,
  deviceSignature: bytes(64),
  posture,
  credential: assertion,
});

export const session = entered.extend({
  leaseEnds: time,
  /** Duties in the administration. */
  roles: z.array(z.enum(adminRoles)),
  /** A recovery of the last week: when, and how many devices it took out. */
  recovered: z.object({ at: time, devices: z.number().int() }).optional(),
  /** What a step-up's challenge is computed from, besides what the tunnel and the device know. */
  passkey: z.object({ rpId: z.string(), credentialId: z.string(), userHandle: encodedBytes }),
});
export const services = z.object({
  services: z.array(z.object({ name: z.string(), title: z.string(), scheme: z.string(), app: z.string() })),
  shell: z.string(),
});

export const launchExplainRequest = z.strictObject({ service: serviceName });
export const launchBeginRequest = z.strictObject({ service: serviceName });
export const launchBegun = z.object({
  ceremony: id,
  nonce: encodedBytes,
  lease: encodedBytes,
  rpId: z.string(),
  userHandle: encodedBytes,
  deviceKeyHash: encodedBytes,
});
export const launchFinishRequest = z.strictObject({
  ceremony: id,
  sessionPublicKey: bytes(1_984),
  deviceSignature: bytes(64),
  sessionSignature: bytes(3_373),
  posture,
});
/** Pins and roots that were in use before, the oldest first, each naming the next. */
const earlier = z.array(z.object({ pins: encodedBytes, root: encodedBytes }));
export const launchAnswer = z.object({
  svid: encodedBytes,
  descriptor: encodedBytes,
  certificates: z.array(encodedBytes),
  root: encodedBytes,
  pins: encodedBytes,
  earlier,
  endpoints: z.array(tunnelEndpointSchema),
  service: z.object({ name: z.string(), title: z.string(), app: z.string() }),
  posture: encodedBytes,
  expires: time,
  renewAfter: time,
  launchLeaseEnds: time,
  /** At a kiosk: lets the browser be wiped of what this service kept there. */
  wipe: z.string().optional(),
});

export const renewRequest = z.strictObject({
  sessionKeyHash: bytes(32),
  serial: bytes(16),
  time: z.number().int().nonnegative(),
  signature: bytes(3_373),
});

export const pins = z.object({ pins: encodedBytes, root: encodedBytes, fingerprint: encodedBytes, earlier });
export const installation = z.object({ hub: z.string(), contact: z.string() });

/** Every refusal. */
export const apiError = z
  .object({ error: z.string(), message: z.string(), correlation: z.string() })
  .openapi('Error', { description: 'a stable code, one sentence, and an id to find it in the log' });

/** A JWK Set (RFC 7517 section 5) of public keys. */
const jwk = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  use: z.literal('sig'),
  alg: z.literal('ES256'),
  ...{ kid: z.string(), x: z.string(), y: z.string() },
});
export const jwks = z.object({ keys: z.array(jwk) });
