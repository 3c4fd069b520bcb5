/** Sessions over real QUIC in Node, for runs that need many of them or a bad path under one. */
import type { Carrier } from '../../protocol/carrier.ts';
import type { Signer } from '../../protocol/crypto.ts';
import type { Session } from '../../protocol/session.ts';
import { systemClock } from '../../server/channel/system-clock.ts';
import { tunnelPath } from '../../server/transport/session.ts';
import { connect } from '../e2e/support/node-client.ts';
import type { Launched, NodePerson } from '../e2e/support/node-person.ts';
import type { World } from '../e2e/support/node-world.ts';
import { connectQuic } from '../server/transport/support/h3-client.ts';

export interface QuicOptions {
  /** Who launched; the administrator unless said. */
  readonly person?: NodePerson;
  /** A proxy's, in place of the gateway's own. */
  readonly port?: number;
}

/** Where a tab would dial WebTransport: what the newest answer to its session key says, and how much of it was used. */
interface Paths {
  launched: Launched;
  used: number;
}

const attempts = 3;
const known = new WeakMap<Signer, Paths>();

/**
 * As a tab does it: by the path of an endpoint it was told, with a ticket where the engine wants one (docs/decisions/0006),
 * and again when an attempt came to nothing.
 */
export async function quicSession(world: World, launched: Launched, options: QuicOptions = {}): Promise<Session> {
  const { person = world.admin, port = world.port } = options;
  const origin = `http://shell.apps.localhost:${world.port}`;
  for (let attempt = 1; ; attempt += 1) {
    const dial = await nextPath(person, launched);
    let carrier: Carrier | undefined;
    try {
      carrier = await connectQuic(port, origin, { path: dial.path });
      return await connect(world.port, world.fingerprint, dial.launched, { carrier });
    } catch (error) {
      carrier?.close();
      if (attempt === attempts) throw error;
    }
  }
}

async function nextPath(person: NodePerson, launched: Launched): Promise<{ path: string; launched: Launched }> {
  const paths = known.get(launched.signer) ?? { launched, used: 0 };
  known.set(launched.signer, paths);
  const told = webTransportPaths(paths.launched.answer.endpoints);
  const path = told[paths.used] ?? told.find((one) => one === tunnelPath);
  paths.used += 1;
  if (path !== undefined) return { path, launched: paths.launched };
  // All tickets of this answer are spent: the answer to a renewal has others.
  known.set(launched.signer, { launched: await person.renew(paths.launched), used: 0 });
  return nextPath(person, launched);
}

function webTransportPaths(endpoints: readonly { readonly url: string; readonly transport: string }[]): string[] {
  return endpoints.filter(({ transport }) => transport === 'webtransport').map(({ url }) => new URL(url).pathname);
}

/** Resolves after so long. Runs here take the time that they are told to take. */
export function rest(ms: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(ms, resolve));
}
