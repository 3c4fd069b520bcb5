/** A stylesheet with all that it names made part of it, for a page whose own requests reach nothing. */

type FetchFile = (address: string) => Promise<Response>;
/** @returns an address of what it is given. */
type Make = (parts: BlobPart[], type: string) => string;

/** `url(…)` of each kind, and what an `@import` names without it (CSS Syntax Level 3). */
const named = /(@import\s+)?url\(\s*(?:"([^"]*)"|'([^']*)'|([^\s"')]*))\s*\)|(@import\s+)(?:"([^"]*)"|'([^']*)')/gi;
/** One that imports itself ends here. */
const maxDepth = 8;

/** @returns its text. What cannot be had keeps its address. @throws Error when the sheet itself cannot be had. */
export async function withFiles(address: string, fetchFile: FetchFile, make: Make, depth = 0): Promise<string> {
  const text = await (await fetchFile(address)).text();
  const made = new Map<string, Promise<string>>();
  const bring = async (url: string, isSheet: boolean): Promise<string> => {
    if (isSheet && depth === maxDepth) return url;
    if (isSheet) return make([await withFiles(url, fetchFile, make, depth + 1)], 'text/css');
    const file = await (await fetchFile(url)).blob();
    return make([file], file.type);
  };
  for (const match of text.matchAll(named)) {
    const { url, isSheet } = read(match, address);
    if (url?.origin !== origin || made.has(url.href)) continue;
    const brought = bring(url.href, isSheet).catch(() => url.href);
    made.set(url.href, brought);
  }
  const found = new Map(await Promise.all([...made].map(async ([url, brought]) => [url, await brought] as const)));
  return text.replace(named, (...match) => {
    const { url, hash, isSheet } = read(match, address);
    if (url === null || /^(?:data|blob):/.test(url.protocol)) return match[0];
    return `${isSheet ? '@import ' : ''}url("${found.get(url.href) ?? url.href}${hash}")`;
  });
}

interface Read {
  /** Without its fragment; null for none. */
  readonly url: URL | null;
  readonly hash: string;
  readonly isSheet: boolean;
}

function read(match: readonly (string | undefined)[], base: string): Read {
  const [, importing, double, single, bare, importingText, doubleText, singleText] = match;
  const url = URL.parse(double ?? single ?? bare ?? doubleText ?? singleText ?? '', base);
  const hash = url?.hash ?? '';
  if (url !== null) url.hash = '';
  return { url, hash, isSheet: importing !== undefined || importingText !== undefined };
}
