/**
 * Whether a Content-Security-Policy source list lets the app load a script of its own origin
 * (CSP level 3, section 6.7.2, "Does url match source list").
 */

const hash = /^'(?:sha256|sha384|sha512)-[A-Za-z0-9+/_-]+={0,2}'$/i;
const nonce = /^'nonce-[A-Za-z0-9+/_-]+={0,2}'$/i;
const hostSource =
  /^(?:([a-z][a-z0-9+.-]*):\/\/)?(\*|(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.?|\[[0-9a-f:.]+\])(?::(\d+|\*))?(\/.*)?$/i;

const has = (sources: readonly string[], keyword: string): boolean =>
  sources.some((source) => source.toLowerCase() === keyword);

/** An expression that switches `'unsafe-inline'` off. */
function restrictsInline(sources: readonly string[]): boolean {
  return has(sources, "'strict-dynamic'") || sources.some((source) => hash.test(source) || nonce.test(source));
}

export function allowsInline(sources: readonly string[]): boolean {
  return has(sources, "'unsafe-inline'") && !restrictsInline(sources);
}

/** A script element of the parser that loads `url`, which is on the page's own origin. */
export function allowsOwnScript(sources: readonly string[], url: URL): boolean {
  // strict-dynamic switches every source off that is not a nonce or a hash.
  if (has(sources, "'strict-dynamic'")) return false;
  return has(sources, "'self'") || sources.some((source) => matchesUrl(source, url));
}

function matchesUrl(source: string, url: URL): boolean {
  if (source === '*') return true;
  if (/^[a-z][a-z0-9+.-]*:$/i.test(source)) return schemeMatches(source.slice(0, -1).toLowerCase(), url);
  const match = hostSource.exec(source);
  if (match === null) return false;
  const [, scheme, host = '', port, path] = match;
  const own = url.protocol.slice(0, -1);
  return (
    schemeMatches(scheme?.toLowerCase() ?? own, url) &&
    hostMatches(host.toLowerCase(), url.hostname) &&
    portMatches(port, url) &&
    pathMatches(path, url.pathname)
  );
}

/** A source of http covers https, never the other way round. */
function schemeMatches(scheme: string, url: URL): boolean {
  const own = url.protocol.slice(0, -1);
  return scheme === own || (scheme === 'http' && own === 'https');
}

function hostMatches(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : pattern === host;
}

function portMatches(port: string | undefined, url: URL): boolean {
  if (port === '*') return true;
  const standard = url.protocol === 'https:' ? '443' : '80';
  return (port ?? standard) === (url.port === '' ? standard : url.port);
}

function pathMatches(pattern: string | undefined, path: string): boolean {
  if (pattern === undefined || pattern === '/') return true;
  return pattern.endsWith('/') ? path.startsWith(pattern) : path === pattern;
}
