/**
 * What a page may give to `WebSocket`, judged as the WHATWG standard and Web IDL do: same conversions, same exceptions.
 */
import { resolve } from './realm.ts';

/** RFC 9110 section 5.6.2, which Sec-WebSocket-Protocol takes its elements from. */
const token = /^[!#$%&'*+\-.^`|~\w]+$/;
const maxReasonBytes = 123;

/** @throws DOMException SyntaxError */
export function parseUrl(url: string | URL): URL {
  const parsed = resolve(url);
  // Not `hash`: it is empty for an empty fragment, which counts too.
  if (!parsed || !/^(http|ws)s?:[^#]*$/.test(parsed.href)) throw syntaxError('Bad address.');
  parsed.protocol = parsed.protocol.replace('http', 'ws');
  return parsed;
}

/** `(DOMString or sequence<DOMString>)`. @throws DOMException SyntaxError */
export function parseProtocols(given: unknown): string[] {
  const protocols = isIterable(given) ? Array.from(given, String) : given === undefined ? [] : [String(given)];
  if (new Set(protocols).size !== protocols.length || protocols.some((name) => !token.test(name)))
    throw syntaxError('Bad protocols.');
  return protocols;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return Object(value) === value && Symbol.iterator in (value as object);
}

/** `[Clamp] unsigned short`. @throws DOMException InvalidAccessError */
export function parseCloseCode(given: unknown): number | undefined {
  if (given === undefined) return undefined;
  // NaN counts as 0.
  const code = Math.round(Math.min(Math.max(Number(given) || 0, 0), 0xffff));
  if (code !== 1000 && (code < 3000 || code > 4999)) throw new DOMException('1000, 3000-4999.', 'InvalidAccessError');
  return code;
}

/** @throws DOMException SyntaxError */
export function parseReason(given: unknown): string {
  const reason = String(given).toWellFormed();
  if (bytesOf(reason) > maxReasonBytes) throw syntaxError('Over 123 bytes.');
  return reason;
}

const syntaxError = (message: string): DOMException => new DOMException(message, 'SyntaxError');

/** How many bytes a text has as UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** A page may change its buffer after `send`; what is sent is what it was then. */
export function copyOf(data: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  if (data instanceof ArrayBuffer) return data.slice(0);
  return new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).buffer;
}
