/**
 * What is left of a kiosk's visit in the browser is wiped there, on each app's origin, by the order of that origin's server
 * (Clear-Site-Data). Anybody's link could lead a browser to such an order, so it takes the visit's own ticket: the digest of
 * a session key, which the control plane told the hub and the shell of that visit alone. It grants the wipe and nothing else.
 */
import { base64url } from '../../protocol/bytes.ts';
import type { LaunchTable } from '../store/tables/sessions.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { guestSpiffeId, newEvent } from './identifiers.ts';
import type { SignedIn } from './leases.ts';
import { spendNonce } from './signed-request.ts';

/** Of a kiosk's guest; undefined for whoever stays. */
export function wipeTicket(who: SignedIn, { session_key_hash }: LaunchTable): string | undefined {
  return who.guest !== undefined && who.devicePublicKey === null ? base64url(session_key_hash) : undefined;
}

/** @param service whose origin was asked. @throws ApiError `not_found` for a ticket of no visit to it */
export async function orderWipe(context: Context, service: string, ticket: Uint8Array): Promise<void> {
  const visit = await context.store
    .selectFrom('launches')
    .innerJoin('users', 'users.id', 'launches.user_id')
    .innerJoin('links', 'links.id', 'users.link_id')
    .select(['links.id', 'users.link_use'])
    .where('launches.session_key_hash', '=', ticket)
    .where('launches.service', '=', service)
    .where('links.kiosk', '=', 1)
    .executeTakeFirst();
  if (visit === undefined) throw new ApiError('not_found');
  const actor = guestSpiffeId(context.config, visit.id, visit.link_use ?? 0);
  const event = { type: 'logout', actor, service, detail: { operation: 'browser.wipe' } } as const;
  // A page that asks again is answered again; the audit has it once.
  await spendNonce(context, 'wipe', ticket, context.clock.now()).then(
    () => context.audit.append([newEvent(context, event)]),
    () => undefined,
  );
}
