/**
 * Where a PostgreSQL store is, as a URL. TLS that verifies the server is what a server on another machine gets unless the
 * URL says `sslmode=disable`; the modes in between, which fall back or do not look whose certificate it is, are refused.
 *
 *     postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=ca.pem
 *     postgres:///database?host=/run/postgresql&user=latchkey
 *
 * A password may be left out: `pg` then asks PGPASSWORD and ~/.pgpass.
 */

const parameters = new Set(['host', 'user', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey']);
const modes = new Set([null, 'verify-full', 'disable']);
const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|)$/;

/** What is wrong with it, in words that repeat nothing of it; undefined when it can be used. */
export function postgresUrlFault(text: string): string | undefined {
  const url = parsed(text);
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) return 'is neither "sqlite" nor a postgres:// URL';
  if (url.pathname.length < 2) return 'names no database';
  if ([...url.searchParams.keys()].some((name) => !parameters.has(name)))
    return `knows the parameters ${[...parameters].join(', ')} alone`;
  if (!modes.has(url.searchParams.get('sslmode'))) return 'takes sslmode=verify-full or sslmode=disable';
  return undefined;
}

/** For the driver, with TLS where nothing else was said. @param text one without a fault */
export function withSafeTransport(text: string): string {
  const url = new URL(text);
  const { searchParams, hostname } = url;
  const isLocal = loopback.test(hostname) && (searchParams.get('host') ?? '/').startsWith('/');
  if (!isLocal && !searchParams.has('sslmode')) searchParams.set('sslmode', 'verify-full');
  return url.href;
}

/** For people to read: without the password. */
export function withoutPassword(text: string): string {
  const url = parsed(text);
  if (url === undefined || url.password === '') return text;
  url.password = '***';
  return url.href;
}

/** Node's own error would carry the whole text, password included. */
function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
