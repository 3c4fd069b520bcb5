/** The shapes of the guests' API (guest-api.ts). */
import { z } from '@hono/zod-openapi';
import { bytes } from './bytes-field.ts';
import { entered, launchFinishRequest, services } from './schemas.ts';

const id = z.string().regex(/^[0-9a-f]{24}$/);
/** 32 bytes in base64url. */
const secret = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const knockKey = z.strictObject({ id, key: secret });

export const linkKey = z.strictObject({ link: id, secret });
export const arrival = linkKey.extend({ recipient: z.string().max(254).optional(), knock: knockKey.optional() });
/** HMAC-SHA256 under the link's secret. */
const mac = bytes(32);
const postureByLink = z.strictObject({ statement: bytes(2, 16 * 1_024), signature: mac });

export const preview = z.object({
  services: z.array(z.object({ name: z.string(), title: z.string() })),
  expiresAt: z.number(),
  kiosk: z.boolean(),
  readOnly: z.boolean(),
  approval: z.boolean(),
  recipient: z.boolean(),
});

/** What guests call themselves is shown to administrators: no control or direction-changing characters. */
const callsign = z.string().regex(/^[^\p{C}\p{Zl}\p{Zp}]{0,64}$/u);
export const knockRequest = arrival.omit({ knock: true }).extend({ name: callsign });
export const knocked = z.object({ id, key: z.string(), code: z.string() });
export const waitRequest = knockKey;

export const kioskRequest = arrival.extend({ posture: postureByLink });
export const kioskEntered = entered.extend(services.shape).extend({
  until: z.number(),
  /** After so long without a click or a key the visit ends. */
  idleS: z.number().int(),
});

export const guestLaunchBegin = z.strictObject({ secret, service: z.string().min(1).max(64) });
export const guestLaunchFinish = launchFinishRequest
  .omit({ deviceSignature: true, posture: true })
  .extend({ secret, linkSignature: mac, posture: postureByLink });
export const guestEnd = z.strictObject({ secret });
