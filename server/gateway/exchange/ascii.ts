/**
 * What services write into fields as bare UTF-8, and browsers read as that, in the ASCII that means the same. Chromium
 * encodes each such byte once more when the field comes of a service worker.
 * Text is as heads carry it: one character a byte.
 */

const beyondAscii = /[\x80-\xff]/g;

/** A URL: percent-encoded, as the browser itself would do (RFC 3986 section 2.1). */
export function asciiUrl(url: string): string {
  return url.replace(beyondAscii, percentEncoded);
}

/** @param char one byte, from U+0010 on */
function percentEncoded(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** One that begins inside of another's quotes is none. Each `;` is looked at once, however much blank follows it. */
const parameter = /;[ \t]*([^\s=;"]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;"]*)/g;

/** Content-Disposition: the name of a file in its extended notation (RFC 6266 section 4.3). What is no UTF-8 stays. */
export function asciiDisposition(text: string): string {
  const parameters = [...text.matchAll(parameter)];
  const named = (wanted: string) => parameters.find(([, name]) => name?.toLowerCase() === wanted);
  const plain = named('filename');
  if (plain === undefined || plain[0].search(beyondAscii) < 0 || named('filename*') !== undefined) return text;
  const [whole, , value = ''] = plain;
  const name = utf8(value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value.trim());
  if (name === undefined) return text;
  return `${text.slice(0, plain.index)}; filename*=UTF-8''${extended(name)}${text.slice(plain.index + whole.length)}`;
}

function utf8(bytes: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}

/** RFC 8187 section 3.2.1. */
function extended(name: string): string {
  return encodeURIComponent(name).replace(/['()*]/g, percentEncoded);
}
