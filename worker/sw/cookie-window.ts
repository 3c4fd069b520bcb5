/** The hidden windows in which the helper looks at cookies of other paths (worker/shim/cookie-windows.ts): empty pages. */
import { helperPath } from '../app-messages.ts';

/** A page of the app that says it came from there gets nothing but an empty page. */
export function isCookieWindow({ mode, referrer }: Request): boolean {
  return mode === 'navigate' && referrer === self.location.origin + helperPath;
}

export function cookieWindow(): Response {
  const headers = { 'content-type': 'text/html', 'content-security-policy': "default-src 'none'" };
  return new Response('<!doctype html>', { headers });
}
