/** Who may open a tunnel: the header section of an extended CONNECT (RFC 9220) for WebTransport, judged. */
import { tunnelPath } from '../session.ts';
import { Http3Error } from './error.ts';
import type { FieldLine } from './qpack.ts';

export type ConnectVerdict =
  | { readonly status: '200'; readonly origin: string }
  | { readonly status: '400' | '403' | '404' | '405' };

const requestPseudo: ReadonlySet<string> = new Set([':method', ':scheme', ':authority', ':path', ':protocol']);

/**
 * The status a request gets. The origin must be one of `origins`, byte for byte; a request without one comes from no browser.
 * @throws Http3Error 'message_error' for a section that is no request at all
 */
export function judgeConnect(fields: readonly FieldLine[], origins: readonly string[]): ConnectVerdict {
  const request = single(fields);
  if (request.get(':method') === undefined) throw new Http3Error('message_error');
  if (request.get(':method') !== 'CONNECT') return { status: '405' };
  if (request.get(':protocol') !== 'webtransport' || request.get(':scheme') !== 'https') return { status: '400' };
  if (request.get(':path') !== tunnelPath) return { status: '404' };
  const origin = request.get('origin');
  if (origin === undefined || !origins.includes(origin)) return { status: '403' };
  return { status: '200', origin };
}

/** The lines that decide, each at most once, pseudo-headers first (RFC 9114, section 4.3). */
function single(fields: readonly FieldLine[]): Map<string, string> {
  const found = new Map<string, string>();
  let regular = false;
  for (const [name, value] of fields) {
    const pseudo = name.startsWith(':');
    if (name === '' || /[A-Z]/.test(name)) throw new Http3Error('message_error');
    if (pseudo && (regular || !requestPseudo.has(name))) throw new Http3Error('message_error');
    regular ||= !pseudo;
    if (!pseudo && name !== 'origin') continue;
    if (found.has(name)) throw new Http3Error('message_error');
    found.set(name, value);
  }
  return found;
}
