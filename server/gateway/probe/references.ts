/** Which further files of the service a page or script names: what a frame would load next, as far as text tells. */

const maxReferences = 40;
// Every repetition has a bound: the text is a stranger's, and this process carries everybody's traffic.
const value = /(?:"([^"]{0,2000})"|'([^']{0,2000})'|([^\s"'>]{1,2000}))/.source;
const elements = new RegExp(
  `<(script|link|iframe|frame)\\b[^<>]{0,1000}?\\s(?:src|href)\\s{0,8}=\\s{0,8}${value}`,
  'gi',
);
const base = new RegExp(`<base\\b[^<>]{0,1000}?\\shref\\s{0,8}=\\s{0,8}${value}`, 'i');
const imports = /\bimport\s{0,4}(?:[\w*{},$ ]{0,300}\bfrom\s{0,4})?\(?\s{0,4}["']([./][^"'\s]{1,300})["']/g;
const workers = /\bnew\s{1,4}(?:Shared)?Worker\(\s{0,8}(?:new URL\(\s{0,8})?["']([^"'\s]{1,300})["']/g;

export interface Reference {
  /** Path and query on the service. */
  readonly target: string;
  readonly dest: 'script' | 'style' | 'iframe' | 'worker';
}

/** @param origin of the service as the page sees it. @returns its own files, and the origins of everybody else's. */
export function referencesOf(page: { target: string; text: string; isPage: boolean }, origin: string) {
  const own = new Map<string, Reference>();
  const others = new Set<string>();
  const start = new URL(page.target, origin);
  const declared = page.isPage ? base.exec(page.text) : null;
  const from = declared === null ? start : (urlOf(declared[1] ?? declared[2] ?? declared[3] ?? '', start) ?? start);
  const add = (text: string, dest: Reference['dest']) => {
    const url = urlOf(text.replaceAll('&amp;', '&'), from);
    if (url === undefined || own.size >= maxReferences) return;
    if (url.origin === origin) own.set(url.pathname + url.search, { target: url.pathname + url.search, dest });
    else if (others.size < maxReferences) others.add(url.origin);
  };
  if (page.isPage)
    for (const [, name = '', double, single, bare] of page.text.matchAll(elements))
      add(double ?? single ?? bare ?? '', destOf(name.toLowerCase()));
  for (const [, path = ''] of page.text.matchAll(imports)) add(path, 'script');
  for (const [, path = ''] of page.text.matchAll(workers)) add(path, 'worker');
  return { own: [...own.values()], others: [...others] };
}

function destOf(element: string): Reference['dest'] {
  if (element === 'script') return 'script';
  return element === 'link' ? 'style' : 'iframe';
}

function urlOf(text: string, from: URL): URL | undefined {
  const url = URL.parse(text, from);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url : undefined;
}
