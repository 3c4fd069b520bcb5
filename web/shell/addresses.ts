/** What the shell's own address says: the service to open, and where in it. */

/** What `/open/NAME#/path` asks for. */
export interface Target {
  readonly service: string;
  /** Inside the app. */
  readonly path: string;
}

/** @returns undefined for an address that names no service. */
export function wanted({ pathname, hash }: Pick<Location, 'pathname' | 'hash'>): Target | undefined {
  const service = /^\/open\/([a-z0-9][a-z0-9-]{0,62})$/.exec(pathname)?.[1];
  return service === undefined ? undefined : { service, path: deepLink(hash) };
}

/** Only a path of the app: a whole address here would let a link choose the frame's origin. */
function deepLink(hash: string): string {
  let path: string;
  try {
    path = decodeURIComponent(hash.slice(1));
  } catch {
    return '/';
  }
  return isPath(path) ? path : '/';
}

/** Of an app: two slashes at the start would be a host. */
export function isPath(text: string): boolean {
  return /^\/(?![/\\])/.test(text);
}
