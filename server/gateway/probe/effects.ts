/** What becomes of each trait behind Latchkey, in a sentence for the operator. */
import type { Trait } from '../../channel/probe-report.ts';

export const effects: Readonly<Record<Trait, string>> = {
  csp: 'Kept as it is; one script may run in addition, and the shell may frame the page.',
  'cross-origin-isolation':
    'Passed on, and enforced by the browser. In the frame of the shell a Chromium isolates the page; in others it is isolated in a window of its own alone.',
  'frame-refusal': "The shell's origin alone is added to who may frame it; nobody else gains anything.",
  'frame-busting':
    'The page looks whether it is framed and may refuse. The shell then offers a window of its own for it.',
  websocket: 'Carried through the tunnel, in pages and workers.',
  'server-sent-events': 'Carried through the tunnel as a body that does not end.',
  'service-worker':
    "The app's origin has Latchkey's service worker; the app's own is not installed, so its offline use and push are not there.",
  worker: 'Workers load and fetch through the tunnel.',
  'synchronous-xhr':
    'Refused with a NetworkError: no browser sends one through a service worker. Parts of the app that need it fail.',
  'absolute-urls':
    "An address inside the network is written into the page and leads past the tunnel. Set the app's base URL to its public origin.",
  'other-origins': 'Loaded from there by the browser itself, past the tunnel, if it can reach it.',
  'host-check':
    'The service refuses its public host name: give it its own with --host upstream, or add the public name to its list.',
  'http-authentication':
    'Basic: the shell asks for user name and password, in each tab. Digest, Negotiate and NTLM are not spoken. X-Latchkey-Jwt needs no password.',
  'redirect-elsewhere': 'The browser goes there itself, past the tunnel.',
  cookies: 'Kept by the gateway; HttpOnly ones never reach the browser.',
  'cookies-refused': 'Dropped, as a browser drops them (RFC 6265bis).',
  hsts: 'Taken out: it would speak for every app of the domain.',
  'stripped-headers': 'Taken out: they would reach beyond this app.',
};
