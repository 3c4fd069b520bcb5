/** Basic authentication as HTTP spells it: the challenge of an answer (RFC 9110 section 11.6.1) and what is said to it (RFC 7617). */
import type { Header } from '../../protocol/exchange/http.ts';

/** @returns the realm of the first Basic challenge among the headers of a 401; undefined when there is none. */
export function basicRealm(headers: readonly Header[]): string | undefined {
  let scheme = '';
  for (const part of headers.filter(([name]) => name.toLowerCase() === 'www-authenticate').flatMap(parts)) {
    // A comma stands between challenges and between the parameters of one; only a scheme is not followed by `=`.
    const [, named = '', rest = part] = /^([^\s="]+)(?:\s+(?!=)(.*))?$/s.exec(part) ?? [];
    // RFC 7617 section 2 wants a realm; browsers ask without one too.
    if (named !== '' && scheme === 'basic') return '';
    if (named !== '') scheme = named.toLowerCase();
    if (scheme !== 'basic') continue;
    const realm = /^realm\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s"]*))$/is.exec(rest);
    if (realm !== null) return (realm[1] ?? realm[2] ?? '').replace(/\\(.)/gs, '$1');
  }
  return scheme === 'basic' ? '' : undefined;
}

/** The list's members; a comma inside of quotes is text. */
function parts([, value]: Header): string[] {
  return (value.match(/(?:[^,"]|"(?:\\.|[^"\\])*")+/gs) ?? []).map((part) => part.trim()).filter((part) => part !== '');
}

/** The value of an Authorization header, in UTF-8. @throws TypeError for a user with a colon, which no service could read. */
export function basicAuthorization(user: string, password: string): string {
  if (user.includes(':')) throw new TypeError('a user name has no colon');
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}
