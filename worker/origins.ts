/**
 * Where things are, read off any address beside them: shell and apps are siblings, `shell.<domain>` and
 * `<service>.<domain>`. The bundle is the same for every installation, so no address is written into it.
 */

/** An address as `location` and URL have it. */
export interface Place {
  readonly protocol: string;
  /** With the port. */
  readonly host: string;
}

/** The origin of a sibling. @param beside any address of the shell or of an app. @param label its first label. */
export function siblingOrigin(beside: Place, label: string): string {
  const [, ...domain] = beside.host.split('.');
  return `${beside.protocol}//${label}.${domain.join('.')}`;
}

/** Which service an app's own address is of. */
export function labelOf(place: Place): string {
  return place.host.split('.')[0] ?? '';
}

/** Where the shell opens a service. @param path with query and fragment; nothing for the service's start. */
export function shellAddress(beside: Place, service: string, path = ''): string {
  const deep = path === '' ? '' : `#${encodeURIComponent(path)}`;
  return `${siblingOrigin(beside, 'shell')}/open/${encodeURIComponent(service)}${deep}`;
}
