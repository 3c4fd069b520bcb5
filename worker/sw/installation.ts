/** Where the hub is and whom people ask, as this origin's server says it; for the pages that tell of a failure. */
import { ownPaths } from '../app-messages.ts';

export interface Installation {
  /** An address that leads there. */
  readonly hub: string;
  /** Empty when nobody is named. */
  readonly contact: string;
}

/** A failure is shown at once, with or without this. */
const limitMs = 2_000;

let known: Installation | undefined;

/** @param shell the shell's origin, which sends people to the hub when nobody said where it is. */
export async function installation(shell: string): Promise<Installation> {
  known ??= await ask();
  return known ?? { hub: `${shell}/`, contact: '' };
}

async function ask(): Promise<Installation | undefined> {
  try {
    const answer = await fetch(`${ownPaths}installation.json`, { signal: AbortSignal.timeout(limitMs) });
    const { hub, contact } = (await answer.json()) as Partial<Installation>;
    if (!answer.ok || typeof hub !== 'string' || !URL.canParse(hub)) return undefined;
    return { hub: `${new URL(hub).origin}/`, contact: typeof contact === 'string' ? contact : '' };
  } catch {
    return undefined;
  }
}
