/**
 * A page of the app that leads its frame to another app of the domain, as a link to a colleague's wiki does, or a sign-in that
 * goes to a provider and back. The tunnel of this tab leads to one service, so the tab goes to where that one is opened.
 */
import type { ToShell } from '../../worker/app-messages.ts';
import { labelOf, shellAddress, siblingOrigin } from '../../worker/origins.ts';
import { isPath } from './addresses.ts';

/**
 * Follows for as long as this page lives.
 * @param origin the app's own.
 * @param frame the window of the app's frame, once there is one.
 */
export function followToOtherApps(origin: string, frame: () => Window | null | undefined): void {
  window.addEventListener('message', ({ origin: there, source, data }: MessageEvent<ToShell | null>) => {
    if (data?.latchkey !== 'other-app' || source !== frame() || there === origin) return;
    const service = labelOf(new URL(there));
    // Whoever else a page may show in the frame has no say; what an app says is no more than a link to itself.
    if (service === 'shell' || siblingOrigin(location, service) !== there) return;
    if (typeof data.path === 'string' && isPath(data.path)) location.assign(shellAddress(location, service, data.path));
  });
}
