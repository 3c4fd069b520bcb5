/**
 * Header fields as they cross the gateway: an ordered list of pairs, because order and repetition carry meaning.
 * RFC 9110 section 5 for the grammar, section 7.6.1 for what belongs to one hop only.
 * Everything that comes out of the tunnel is hostile until {@link checkHeaders} has seen it.
 */

/** Name in lower case, value as latin-1: one character a byte, as HTTP has them. */
export type Header = readonly [name: string, value: string];

export type HeaderErrorCode = 'bad_method' | 'bad_target' | 'bad_header';

/** A message that must not be passed on. It never repeats what it objects to. */
export class HeaderError extends Error {
  readonly code: HeaderErrorCode;
  constructor(code: HeaderErrorCode) {
    super(`http message refused: ${code}`);
    this.name = 'HeaderError';
    this.code = code;
  }
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// A value is visible latin-1 with blanks and tabs between: no CR, LF, NUL or any other control that could end a line.
const value = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const dotSegment = /\/(?:\.|%2e){1,2}(?:\/|$)/i;
const originForm = /^\/[\x21\x22\x24-\x7e]*$/;

/** RFC 9110 section 5.6.2. */
export const isToken = (text: string): boolean => token.test(text);

/**
 * Methods a browser cannot send anyway: CONNECT would turn the gateway into a proxy, TRACE would echo cookies and
 * minted identity back into the page.
 */
const refusedMethods = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** @throws HeaderError for a method that is no token or that no page may send. */
export function checkMethod(method: string): string {
  if (method.length > 32 || !isToken(method) || refusedMethods.has(method.toUpperCase()))
    throw new HeaderError('bad_method');
  return method;
}

/**
 * Policy judges the path as written, so no reader behind it may write it differently: URL parsers, that of `ws` among
 * them, resolve dot segments and turn backslashes (WHATWG URL, "path state"). Browsers have done both before they send.
 * @throws HeaderError unless the target is a path and query in visible ASCII, without a fragment, in that normal form.
 */
export function checkTarget(target: string): string {
  const path = target.replace(/\?.*$/s, '');
  if (!originForm.test(target) || path.includes('\\') || dotSegment.test(path)) throw new HeaderError('bad_target');
  return target;
}

/**
 * Names in lower case and values without the blanks around them.
 * @throws HeaderError for a name that is no token or a value with a control character in it.
 */
export function checkHeaders(headers: readonly Header[]): Header[] {
  return headers.map(([name, text]) => {
    const trimmed = text.replace(/^[\t ]+|[\t ]+$/g, '');
    if (!isToken(name) || !value.test(trimmed)) throw new HeaderError('bad_header');
    return [name.toLowerCase(), trimmed];
  });
}

const oneHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);

/** Drops what one connection says to its other end, and every field that `Connection` names. */
export function withoutHopByHop(headers: readonly Header[]): Header[] {
  const named = new Set(valuesOf(headers, 'connection').flatMap(listItems));
  // A message's length is not the connection's to remove: naming it there is a smuggler's trick.
  named.delete('content-length');
  return headers.filter(([name]) => !oneHop.has(name) && !named.has(name));
}

/** Every value of one field, in order. */
export function valuesOf(headers: readonly Header[], name: string): string[] {
  return headers.filter(([other]) => other === name).map(([, text]) => text);
}

/** The first value of one field. */
export function firstOf(headers: readonly Header[], name: string): string | undefined {
  return headers.find(([other]) => other === name)?.[1];
}

/** Members of a comma-separated list, in lower case; not for lists whose members may quote a comma. */
export function listItems(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '');
}

/**
 * The one length a message declares, or undefined for none.
 * @throws HeaderError for two different ones or for one that is no plain number (RFC 9112 section 6.3).
 */
export function contentLength(headers: readonly Header[]): number | undefined {
  const declared = new Set(valuesOf(headers, 'content-length').flatMap(listItems));
  const [only] = declared;
  if (only === undefined) return undefined;
  const length = Number(only);
  if (declared.size > 1 || !/^\d{1,15}$/.test(only)) throw new HeaderError('bad_header');
  return length;
}
