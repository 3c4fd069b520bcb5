/** The hub's origin, which the control plane names in an answer of the shell's own origin before the page starts. */
import { TunnelFault } from '../../worker/api.ts';
import { installation } from '../design/installation.ts';

let known: string | undefined;

/** Asks once. @throws TunnelFault `offline` */
export async function learnHubOrigin(): Promise<void> {
  const answer = await installation();
  if (answer === undefined)
    throw new TunnelFault('offline', 'The server does not answer. Check your connection, then try again.');
  known = answer.hub;
}

/** @throws TypeError before {@link learnHubOrigin} has resolved. */
export function hubOrigin(): string {
  if (known === undefined) throw new TypeError('the hub is not known yet');
  return known;
}
