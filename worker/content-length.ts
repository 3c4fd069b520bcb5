/** What the head of an answer says of the length of its body (RFC 9110 section 8.6). */
import type { Header } from '../protocol/exchange/http.ts';

/** @returns undefined where it says nothing, or nothing that is one number */
export function declaredLength(headers: readonly Header[]): number | undefined {
  const said = headers.filter(([name]) => name.toLowerCase() === 'content-length').map(([, text]) => text.trim());
  const [length] = said;
  return said.length === 1 && length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
