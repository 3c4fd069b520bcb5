/**
 * Going on after the lease has ended: a window of the hub has the person sign in again and endorses the same session key
 * under the new lease, so that what the tunnel carries, and what waits for it, goes on where it was. The same dialog as
 * a launch (launch.ts), begun when the person has used the passkey: until then nobody is hurried.
 */
import { equal } from '../../protocol/bytes.ts';
import type { HubToTunnel } from '../api.ts';
import { type Launched, launchOver } from './launch.ts';

type Launch = Parameters<typeof launchOver>;

/**
 * Never settles for a window that was closed: another call takes its place.
 * @param before the launch that is gone on with.
 * @throws TunnelFault as {@link launchOver} does
 */
export async function launchAgain(
  hub: MessagePort,
  service: string,
  key: Launch[2],
  before: Pick<Launched, 'pins' | 'jarKey'>,
  surroundings: Launch[3],
): Promise<Launched> {
  await signedIn(hub);
  const launched = await launchOver(hub, service, key, surroundings);
  // Another hub, or another device in its place: its cookies are not ours to use.
  if (!equal(launched.pins, before.pins) || !equal(launched.jarKey, before.jarKey))
    throw new TypeError('the hub is not the one that launched this tunnel');
  return launched;
}

function signedIn(hub: MessagePort): Promise<void> {
  return new Promise((resolve) => {
    hub.onmessage = ({ data }: MessageEvent<HubToTunnel | null>) => {
      if (data?.t === 'signed-in') resolve();
    };
  });
}
