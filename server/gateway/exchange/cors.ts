/**
 * A page of one app calls another app: the CORS protocol (Fetch standard, sections 3.3 and 4.8 to 4.10), which the
 * browser leaves to whoever answers in its place. It stands here and not in the service worker, because an app's script
 * could speak past that one. Pure. Who may call whom at all is the operator's word (docs/decisions/0009).
 */
import { type Header, listItems, valuesOf } from './headers.ts';

/** A request across origins, as the calling page made it. */
export interface CrossOrigin {
  /** Public origin of the page. */
  readonly origin: string;
  /** The request was to carry who is calling. */
  readonly credentials: boolean;
}

const simpleMethods = new Set(['GET', 'HEAD', 'POST']);
const simpleTypes = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']);
/** What any page may send, or the browser sends itself. */
const simpleNames = new Set([
  'accept',
  'accept-language',
  'content-language',
  'user-agent',
  'referer',
  'accept-encoding',
]);

/** Header names that a preflight has to ask for, sorted; CORS-safelisted ones are not among them. */
export function unsafeNames(headers: readonly Header[]): string[] {
  const unsafe = headers
    .map(([name, text]) => [name.toLowerCase(), text] as const)
    .filter(([name, text]) => {
      if (name.startsWith(':') || name.startsWith('sec-') || simpleNames.has(name)) return false;
      if (name === 'origin' || name === 'content-length') return false;
      if (name === 'range') return !/^bytes=\d+-\d*$/.test(text);
      return name !== 'content-type' || !simpleTypes.has(text.replace(/;.*$/s, '').trim().toLowerCase());
    });
  return [...new Set(unsafe.map(([name]) => name))].sort();
}

/** Whether the service is asked first. */
export function needsPreflight(method: string, unsafe: readonly string[]): boolean {
  return !simpleMethods.has(method) || unsafe.length > 0;
}

/** The preflight's own fields. */
export function preflightHeaders(method: string, unsafe: readonly string[]): Header[] {
  const names: Header[] = unsafe.length > 0 ? [['access-control-request-headers', unsafe.join(',')]] : [];
  return [['accept', '*/*'], ['access-control-request-method', method], ...names];
}

/** What a preflight was answered lets this request go. */
export function preflightAllows(
  answer: { readonly status: number; readonly headers: readonly Header[] },
  request: CrossOrigin & { readonly method: string; readonly unsafe: readonly string[] },
): boolean {
  const { status, headers } = answer;
  const methods = valuesOf(headers, 'access-control-allow-methods')
    .flatMap((text) => text.split(','))
    .map((text) => text.trim());
  const names = valuesOf(headers, 'access-control-allow-headers').flatMap(listItems);
  const anything = (list: readonly string[]) => !request.credentials && list.includes('*');
  return (
    status >= 200 &&
    status <= 299 &&
    allowsOrigin(headers, request) &&
    (simpleMethods.has(request.method) || methods.includes(request.method) || anything(methods)) &&
    // A star does not stand for Authorization (Fetch standard, section 4.9).
    request.unsafe.every((name) => names.includes(name) || (name !== 'authorization' && anything(names)))
  );
}

/** The service lets this page read the response ("CORS check"). */
export function allowsOrigin(headers: readonly Header[], { origin, credentials }: CrossOrigin): boolean {
  const [said, ...more] = valuesOf(headers, 'access-control-allow-origin');
  if (said === undefined || more.length > 0) return false;
  if (!credentials) return said === '*' || said === origin;
  return said === origin && valuesOf(headers, 'access-control-allow-credentials').join() === 'true';
}

const simpleResponseNames = new Set([
  ...['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma'],
  // Not readable by script, but the browser needs it to decode.
  'content-encoding',
]);

/** The fields a page of another origin may see; what is meant for Latchkey itself only where it tells nothing. */
export function exposed(headers: readonly Header[], { credentials }: CrossOrigin): Header[] {
  const named = new Set(valuesOf(headers, 'access-control-expose-headers').flatMap(listItems));
  const all = !credentials && named.has('*');
  return headers.filter(([name]) => {
    if (name.startsWith(':') || name === 'set-cookie') return name === ':reason';
    return all || simpleResponseNames.has(name) || named.has(name);
  });
}
