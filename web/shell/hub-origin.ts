/**
 * The hub's origin. Hub and shell stand on different sites and the bundle is the same for every installation, so the
 * control plane names it in an answer of the shell's own origin before the page starts.
 */
import { TunnelFault } from '../../worker/api.ts';

let known: string | undefined;

/** Asks once. @throws TunnelFault `offline` */
export async function learnHubOrigin(): Promise<void> {
  const response = await fetch('/api/installation', { cache: 'no-store' }).catch(() => undefined);
  const answer = (await response?.json().catch(() => undefined)) as { hub?: string } | undefined;
  if (answer?.hub === undefined)
    throw new TunnelFault('offline', 'The server does not answer. Reload the page in a moment.');
  known = new URL(answer.hub).origin;
}

/** @throws TypeError before {@link learnHubOrigin} has resolved. */
export function hubOrigin(): string {
  if (known === undefined) throw new TypeError('the hub is not known yet');
  return known;
}
