/**
 * Documents whose service does not say what they are: the browser looks at the first bytes and shows a page all the same
 * (MIME Sniffing, sections 5.1 and 7.1), so the same is done here to know one.
 */
import { firstOf, type Header } from './headers.ts';

/** "Determining the supplied MIME type": what counts as no word at all. */
const unknown = /^\s*(?:unknown\/unknown|application\/unknown|\*\/\*)?\s*$/i;
/** Each is followed by a byte that ends a tag. */
const tags = ['!doctype html', 'html', 'head', 'script', 'iframe', 'h1', 'div', 'font', 'table', 'a', 'style', 'title']
  .concat(['b', 'body', 'br', 'p'])
  .map((name) => `<${name}`);
const comment = '<!--';
/** MIME Sniffing, "resource header": no browser looks further, so nothing is held back for longer. */
const lookedAtBytes = 1_445;
const longest = Math.max(...tags.map((tag) => tag.length)) + 1;

/** @param contentType of the response; '' for none. */
export function isUnknownType(contentType: string): boolean {
  return unknown.test(contentType);
}

/** Whether a browser would look, too. */
export function isSniffed(headers: readonly Header[]): boolean {
  const isForbidden = /^\s*nosniff\s*(?:,|$)/i.test(firstOf(headers, 'x-content-type-options') ?? '');
  return !isForbidden && isUnknownType(firstOf(headers, 'content-type') ?? '');
}

/** @returns undefined while the bytes may still become either. */
export function looksLikeHtml(bytes: Uint8Array): boolean | undefined {
  const begin = bytes.findIndex((byte) => !isBlank(byte));
  if (begin < 0 || begin >= lookedAtBytes) return bytes.length < lookedAtBytes ? undefined : false;
  const text = String.fromCharCode(...bytes.subarray(begin, begin + longest)).toLowerCase();
  if (text.startsWith(comment) || tags.some((tag) => text.startsWith(tag) && /^[ >]/.test(text.slice(tag.length))))
    return true;
  return [comment, ...tags].some((tag) => tag.startsWith(text)) ? undefined : false;
}

const isBlank = (byte: number): boolean => [0x09, 0x0a, 0x0c, 0x0d, 0x20].includes(byte);
