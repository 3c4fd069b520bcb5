/** What the shell's own address says: the service to open, where in it, and the hub of this installation. */

/** `/open/NAME#/path` */
export function wanted(): { readonly service: string; readonly path: string } | undefined {
  const service = /^\/open\/([a-z0-9][a-z0-9-]{0,62})$/.exec(location.pathname)?.[1];
  return service === undefined ? undefined : { service, path: deepLink(location.hash) };
}

/** Only a path of the app: a whole address here would let a link choose the frame's origin. */
function deepLink(hash: string): string {
  let path: string;
  try {
    path = decodeURIComponent(hash.slice(1));
  } catch {
    return '/';
  }
  return /^\/(?![/\\])/.test(path) ? path : '/';
}
