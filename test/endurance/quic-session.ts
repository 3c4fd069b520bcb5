/** Sessions over real QUIC in Node, for runs that need many of them or a bad path under one. */
import type { Session } from '../../protocol/session.ts';
import { systemClock } from '../../server/channel/system-clock.ts';
import { connect } from '../e2e/support/node-client.ts';
import type { Launched } from '../e2e/support/node-person.ts';
import type { World } from '../e2e/support/node-world.ts';
import { connectQuic } from '../server/transport/support/h3-client.ts';

/** @param quicPort a proxy's, in place of the gateway's own */
export async function quicSession(world: World, launched: Launched, quicPort = world.port): Promise<Session> {
  const carrier = await connectQuic(quicPort, `http://shell.apps.localhost:${world.port}`);
  return connect(world.port, world.fingerprint, launched, { carrier });
}

/** Resolves after so long. Runs here take the time that they are told to take. */
export function rest(ms: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(ms, resolve));
}
