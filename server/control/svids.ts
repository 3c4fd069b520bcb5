/**
 * SVIDs for the world outside: an X.509-SVID and a WIT-SVID over a key that whoever asks holds and keeps. A person gets them
 * for the device they sit at, an administrator for a service. Connectors and gateways get theirs over the channel, each
 * for its own key, and nobody can ask for one in their name: a gateway's opens the doors of services.
 */
import { type RequestedKey, readCertificateRequest } from '../spiffe/certificate-request.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { newEvent, serviceSpiffeId } from './identifiers.ts';
import { svidLifeMs } from './internal-ca.ts';
import { requirePasskey, type SignedIn } from './leases.ts';
import { signWit, witLifeMs } from './wit-keys.ts';

export interface IssuedSvids {
  readonly spiffeId: string;
  /** PEM, the leaf; its authority is in the bundle. */
  readonly x509Svid: string;
  /** ms since 1970, as the other. */
  readonly x509Expires: number;
  readonly witSvid: string;
  readonly witExpires: number;
}

/** Nothing takes an SVID back, so a person's is short. */
const deviceLifeMs = 3_600_000;
/** A script in the hub's page could ask while it is open: what outlives the page takes a passkey touched just now. */
const touchMs = 300_000;

/** For a published service. @param csr PEM, see {@link readCertificateRequest}. @throws ApiError `service_unknown`, `csr_malformed` */
export async function issueForService(context: Context, name: string, csr: string): Promise<IssuedSvids> {
  const asked = await requestedKey(csr);
  const row = await context.store
    .selectFrom('services')
    .select(['name', 'namespace'])
    .where('name', '=', name)
    .where('suspended_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined) throw new ApiError('service_unknown');
  return issue(context, asked, serviceSpiffeId(context.config, row), {
    actor: 'system',
    until: Number.POSITIVE_INFINITY,
  });
}

/** For the device of whoever is signed in, no longer than they are. @throws ApiError `passkey_needed`, `csr_malformed` */
export async function issueForDevice(context: Context, who: SignedIn, csr: string): Promise<IssuedSvids> {
  requirePasskey(who);
  const now = context.clock.now();
  if (who.guest !== undefined || now - (who.facts?.verifiedAt ?? 0) > touchMs) throw new ApiError('passkey_needed');
  const asked = await requestedKey(csr);
  return issue(context, asked, who.spiffeId, { actor: who.spiffeId, until: Math.min(now + deviceLifeMs, who.endsAt) });
}

async function requestedKey(csr: string): Promise<RequestedKey> {
  const asked = await readCertificateRequest(csr);
  if (asked === undefined) throw new ApiError('csr_malformed');
  return asked;
}

async function issue(
  context: Context,
  { key, jwk }: RequestedKey,
  spiffeId: string,
  { actor, until }: { readonly actor: string; readonly until: number },
): Promise<IssuedSvids> {
  const now = context.clock.now();
  const x509Expires = Math.min(now + svidLifeMs, until);
  const witExpires = Math.min(now + witLifeMs, until);
  const x509Svid = await context.ca.certify(key, spiffeId, now, x509Expires - now);
  const witSvid = await signWit(context, { spiffeId, jwk, notAfter: witExpires });
  await context.audit.append([
    newEvent(context, { type: 'svid.issue', actor, subject: spiffeId, detail: { x509Expires, witExpires } }),
  ]);
  return { spiffeId, x509Svid, x509Expires, witSvid, witExpires };
}
