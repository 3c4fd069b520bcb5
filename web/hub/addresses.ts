/** Where the hub sends people: the shell, a sibling of every app, whose origins the control plane names. */
import { shellAddress as addressOf, siblingOrigin } from '../../worker/origins.ts';
import type { ServiceInfo } from './api.ts';

/** @param app the origin of any service. */
export function shellOrigin(app: string): string {
  return siblingOrigin(new URL(app), 'shell');
}

/** Where a service is opened. */
export function shellAddress(service: ServiceInfo): string {
  return addressOf(new URL(service.app), service.name);
}
