/**
 * What the bundle cannot know of the installation it is served by, since it is the same for every one: where the hub
 * is, and whom people ask. Hub and shell each have it from their own origin.
 */

/** The answer of `/api/installation`. */
interface Installation {
  /** The hub's origin. */
  readonly hub: string;
  /** As the operator wrote it; empty when nobody is named. */
  readonly contact: string;
}

let known: Promise<Installation | undefined> | undefined;

/** Asks once, and again only when nobody answered. @returns undefined when the server is away. */
export function installation(): Promise<Installation | undefined> {
  known ??= ask().then((answer) => {
    if (answer === undefined) known = undefined;
    return answer;
  });
  return known;
}

async function ask(): Promise<Installation | undefined> {
  const response = await fetch('/api/installation', { cache: 'no-store' }).catch(() => undefined);
  const { hub, contact } = ((await response?.json().catch(() => undefined)) ?? {}) as Partial<Installation>;
  return hub === undefined || !URL.canParse(hub) ? undefined : { hub: new URL(hub).origin, contact: contact ?? '' };
}
