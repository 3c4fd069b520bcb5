/**
 * Going on after the lease has ended: a window of the hub has the person sign in again and endorses the same session key
 * under the new lease, so that what the tunnel carries, and what waits for it, goes on where it was. The same dialog as
 * a launch (launch.ts), begun when the person has used the passkey: until then nobody is hurried.
 */
import { equal } from '../../protocol/bytes.ts';
import type { Signer } from '../../protocol/crypto.ts';
import type { HubToTunnel } from '../api.ts';
import type { Credential } from './credential.ts';
import { type Launched, type LaunchSurroundings, launchOver } from './launch.ts';

/**
 * Never settles for a window that was closed: another call takes its place.
 * @param before the launch that is gone on with.
 * @param surroundings believes by the pins of that launch: another installation is none to go on with.
 * @throws TunnelFault as {@link launchOver} does
 */
export async function launchAgain(
  hub: MessagePort,
  service: string,
  key: Signer,
  before: Pick<Launched, 'jarKey'>,
  surroundings: LaunchSurroundings<Credential>,
): Promise<Credential> {
  await signedIn(hub);
  const { credential, jarKey } = await launchOver(hub, service, key, surroundings);
  // Another device in its place: its cookies are not ours to use.
  if (!equal(jarKey, before.jarKey)) throw new TypeError('the hub is not the one that launched this tunnel');
  return credential;
}

function signedIn(hub: MessagePort): Promise<void> {
  return new Promise((resolve) => {
    hub.onmessage = ({ data }: MessageEvent<HubToTunnel | null>) => {
      if (data?.t === 'signed-in') resolve();
    };
  });
}
