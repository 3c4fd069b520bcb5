/**
 * Cross-origin isolation (HTML, "cross-origin isolated capability") of a page in the shell's frame. By COOP and COEP it is the
 * window's own page that decides, and that is the shell's. Document-Isolation-Policy gives a page the same for itself
 * under the same conditions, where a browser knows it; to any other it says nothing.
 */
import type { RequestFacts } from './context.ts';
import { firstOf, type Header } from './headers.ts';

const field = 'document-isolation-policy';

/** What a COEP asks of the page's resources, in the other field's words. */
const sameAsEmbedderPolicy: Readonly<Record<string, string>> = {
  'require-corp': 'isolate-and-require-corp',
  credentialless: 'isolate-and-credentialless',
};

/** Adds the field for a page in a frame that would be isolated as a window's own. */
export function isolateInFrame(headers: readonly Header[], { dest }: Pick<RequestFacts, 'dest'>): Header[] {
  const policy = sameAsEmbedderPolicy[itemOf(headers, 'cross-origin-embedder-policy')];
  const isAsked = itemOf(headers, 'cross-origin-opener-policy') === 'same-origin' && policy !== undefined;
  const isFramed = dest === 'iframe' || dest === 'frame';
  if (!isAsked || !isFramed || firstOf(headers, field) !== undefined) return [...headers];
  return [...headers, [field, policy]];
}

/** The token of a structured field's item, without its parameters (RFC 9651 section 3.3). */
function itemOf(headers: readonly Header[], name: string): string {
  return firstOf(headers, name)?.replace(/;.*$/s, '').trim() ?? '';
}
