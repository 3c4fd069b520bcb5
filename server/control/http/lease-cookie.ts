/** The cookie that names a lease, and the headers by which a device key signs a request (signed-request.ts). */
import type { Context as Exchange } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { unbase64url } from '../../../protocol/bytes.ts';
import { ApiError } from '../api-error.ts';
import type { Context } from '../context.ts';
import { requestEvidence } from '../evidence.ts';
import { deviceHolder, type Holder } from '../holder.ts';
import { type SignedIn, signedInBy } from '../leases.ts';
import { checkSignedRequest } from '../signed-request.ts';
import type { ApiEnv } from './respond.ts';

/** With the prefix a browser takes the cookie from this very host alone, over TLS: no neighbouring host plants one. */
function cookieName(context: Context): string {
  return context.config.scheme === 'https' ? '__Host-latchkey_lease' : 'latchkey_lease';
}

/** A kiosk's guest, beside whoever is signed in in this browser. */
function guestCookieName(context: Context): string {
  return context.config.scheme === 'https' ? '__Host-latchkey_guest' : 'latchkey_guest';
}

/** Until the browser is closed, or the lease ends. */
export function writeGuest(context: Context, exchange: Exchange<ApiEnv>, secret: string): void {
  setCookie(exchange, guestCookieName(context), secret, attributes(context));
}

export function clearGuest(context: Context, exchange: Exchange<ApiEnv>): void {
  deleteCookie(exchange, guestCookieName(context), attributes(context));
}

/** The kiosk's guest of this browser. @throws ApiError `unauthenticated` */
export function guestSignedIn(context: Context, exchange: Exchange<ApiEnv>): Promise<SignedIn> {
  return signedInBy(context, getCookie(exchange, guestCookieName(context)));
}

/** Hands the browser its lease: no script reads it, no other site sends it. */
export function writeLease(context: Context, exchange: Exchange<ApiEnv>, secret: string): void {
  setCookie(exchange, cookieName(context), secret, {
    ...attributes(context),
    maxAge: context.config.timers.loginLeaseS,
  });
}

export function clearLease(context: Context, exchange: Exchange<ApiEnv>): void {
  deleteCookie(exchange, cookieName(context), attributes(context));
}

function attributes(context: Context) {
  return { path: '/', httpOnly: true, sameSite: 'Strict', secure: context.config.scheme === 'https' } as const;
}

/** Who is signed in, for requests that only read. @throws ApiError `unauthenticated` */
export function signedIn(context: Context, exchange: Exchange<ApiEnv>): Promise<SignedIn> {
  return signedInBy(context, getCookie(exchange, cookieName(context)));
}

/** The key of the device that is signed in. @throws ApiError `unauthenticated` for a lease without one */
export function deviceOf({ devicePublicKey }: SignedIn): Holder {
  if (devicePublicKey === null) throw new ApiError('unauthenticated');
  return deviceHolder(devicePublicKey);
}

/** Who is signed in and signed this very request. @throws ApiError `unauthenticated`, `signature_invalid`, … */
export async function signedBy(context: Context, exchange: Exchange<ApiEnv>): Promise<SignedIn> {
  const who = await signedIn(context, exchange);
  const request = {
    method: exchange.req.method,
    target: exchange.env.incoming.url ?? '',
    body: new Uint8Array(await exchange.req.arrayBuffer()),
    nonce: bytesOf(exchange, 'latchkey-nonce', 16),
    time: timeOf(exchange),
    signature: bytesOf(exchange, 'latchkey-signature', 64),
  };
  await checkSignedRequest(context, who, request);
  exchange.set('signed', requestEvidence(request));
  return who;
}

function bytesOf(exchange: Exchange<ApiEnv>, header: string, length: number): Uint8Array {
  try {
    const bytes = unbase64url(exchange.req.header(header) ?? '');
    if (bytes.length === length) return bytes;
  } catch {
    // Falls through: a header that is no base64url is as good as none.
  }
  throw new ApiError('signature_invalid');
}

function timeOf(exchange: Exchange<ApiEnv>): number {
  const text = exchange.req.header('latchkey-time') ?? '';
  if (!/^\d{1,15}$/.test(text)) throw new ApiError('signature_invalid');
  return Number(text);
}
