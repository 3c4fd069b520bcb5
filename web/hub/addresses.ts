/**
 * The shell's origin. The bundle is the same for every installation, so it is read off the apps' origins, which the
 * control plane names: the shell is their sibling.
 */
import type { ServiceInfo } from './api.ts';

/** @param app the origin of any service. */
export function shellOrigin(app: string): string {
  const url = new URL(app);
  const [, ...domain] = url.host.split('.');
  return `${url.protocol}//shell.${domain.join('.')}`;
}

/** Where a service is opened. */
export function shellAddress(service: ServiceInfo): string {
  return `${shellOrigin(service.app)}/open/${encodeURIComponent(service.name)}`;
}
