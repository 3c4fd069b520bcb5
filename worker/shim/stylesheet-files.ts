/** A stylesheet with all that it names made part of it, for a page whose own requests reach nothing. */

export interface Means {
  /** @throws Error where the page may not ask for it, or it is of no such type. */
  fetchFile(address: string, type?: RegExp): Promise<Blob>;
  /** @returns an address of what it is given. */
  make(file: Blob): string;
}

export const stylesheet = /^text\/css(?:;|$)/;

/** Comments, strings, and what names a file: `url(…)` of each kind and a string behind `@import` (CSS Syntax Level 3). */
const tokens =
  /\/\*.*?\*\/|(@import\s+)?(?:url\(\s*("[^"\\]*"|'[^'\\]*'|[^\s"'()\\]*)\s*\)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))/gis;

/** @param above the sheets that import this one. @returns it; what cannot be had keeps its address. */
export async function withFiles(sheet: Blob, address: string, means: Means, above: string[] = []): Promise<Blob> {
  const text = await sheet.text();
  const within = [...above, address];
  const bring = async (url: string, isSheet: boolean): Promise<string> => {
    const file = await means.fetchFile(url, isSheet ? stylesheet : undefined);
    return means.make(isSheet ? await withFiles(file, url, means, within) : file);
  };
  const made = new Map<string, Promise<string>>();
  const put = async (url: URL, importing: string): Promise<string> => {
    const { hash } = url;
    url.hash = '';
    const { href } = url;
    const isOurs = url.origin === origin && !within.includes(href);
    if (isOurs && !made.has(href))
      made.set(
        href,
        bring(href, importing !== '').catch(() => href),
      );
    return `${importing}url("${(await made.get(href)) ?? href}${hash}")`;
  };
  const parts: (string | Promise<string>)[] = [];
  let end = 0;
  for (const match of text.matchAll(tokens)) {
    const url = named(match, address);
    if (url === undefined) continue;
    parts.push(text.slice(end, match.index), put(url, match[1] ?? ''));
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  // Said here, it goes before what a `@charset` of it says.
  return new Blob(await Promise.all(parts), { type: 'text/css;charset=utf-8' });
}

/** Of http alone, whose addresses hold neither quotes nor backslashes. A fragment by itself is a place in the page. */
function named([, importing, inUrl, text]: RegExpMatchArray, base: string): URL | undefined {
  const given = inUrl ?? (importing === undefined ? undefined : text);
  const address = given?.replace(/^["']|["']$/g, '') ?? '';
  if (/^(?:#|$)|\\/.test(address)) return undefined;
  const url = URL.parse(address, base);
  return url !== null && /^https?:/.test(url.protocol) ? url : undefined;
}
