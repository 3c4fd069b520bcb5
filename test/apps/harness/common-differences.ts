/** What differs in every app, and why. */
import type { Difference } from './app.ts';

export const common: readonly Difference[] = [
  {
    part: 'dom',
    pattern: /<script src="\/\.latchkey\/[^>]*><\/script>/g,
    why: 'the one tag that the gateway puts in',
  },
  {
    part: 'header',
    pattern: /^.*: x-(?:forwarded|latchkey)-[a-z]+: .*$/,
    why: 'who asks and by which way, in the gateway’s words',
  },
  {
    part: 'header',
    pattern: /^.*: accept-encoding: .*$/,
    why: 'a service worker’s answer is not decoded by the browser, so nothing is encoded on the way to it',
  },
  {
    part: 'header',
    pattern: /^.*: (?:sec-fetch-dest: (?:document|iframe)|sec-fetch-user: .*)$/,
    why: 'the app’s window is a frame of the shell, and a service worker does not hear of a click',
  },
  {
    part: 'header',
    pattern: /^.*: (?:if-none-match|if-modified-since|cache-control|pragma): .*$/,
    why: 'the browser’s cache lies below a service worker: through Latchkey nothing is kept, so nothing is revalidated',
  },
  {
    part: 'header',
    pattern: /^(?!PO|PU|PA)\S+ .*: content-length: 0$/,
    why: 'a request without a body need not say so, but for POST, PUT and PATCH (RFC 9110 section 8.6)',
  },
  {
    part: 'header',
    pattern: /^.*: (?:sec-websocket-key|sec-websocket-version|connection|transfer-encoding): .*$/,
    why: 'they belong to one hop (RFC 9110 section 7.6.1)',
  },
];
