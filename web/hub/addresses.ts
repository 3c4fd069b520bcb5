/** Where the hub sends people: the shell, a sibling of every app, whose origins the control plane names. */
import { shellAddress as addressOf } from '../../worker/origins.ts';
import type { ServiceInfo } from './api.ts';

/** Where a service is opened. @param path inside the app, when the person came for one. */
export function shellAddress(service: ServiceInfo, path = ''): string {
  return addressOf(new URL(service.app), service.name, path);
}

/** A service that a shell without a hub sent the person here for. */
export interface Wish {
  readonly service: string;
  /** Inside the app; empty for its start. */
  readonly path: string;
}

/** `/launch?service=NAME#/path`. What it says is shown and looked up, and nothing else: a link can say anything. */
export function wishOf({ pathname, search, hash }: Pick<Location, 'pathname' | 'search' | 'hash'>): Wish | undefined {
  const service = pathname === '/launch' ? new URLSearchParams(search).get('service') : null;
  if (service === null || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(service)) return undefined;
  return { service, path: pathOf(hash) };
}

function pathOf(hash: string): string {
  try {
    const path = decodeURIComponent(hash.slice(1));
    return /^\/(?![/\\])/.test(path) ? path : '';
  } catch {
    return '';
  }
}
