/** Where the hub sends people: the shell, a sibling of every app, whose origins the control plane names. */
import { shellAddress as addressOf } from '../../worker/origins.ts';
import type { ServiceInfo } from './api.ts';

/** Where a service is opened. */
export function shellAddress(service: ServiceInfo): string {
  return addressOf(new URL(service.app), service.name);
}
