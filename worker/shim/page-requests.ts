/** The XMLHttpRequests of a page, as the helper frame of its tab takes them in hand. */

/** The window of a page of the app, and what it has. */
export type Page = Window & typeof globalThis;

type Names = 'open' | 'send' | 'setRequestHeader' | 'overrideMimeType';
type By = (native: () => void, xhr: XMLHttpRequest, given: string[]) => void;

/** To look at it is the browser's function still. */
export function replace({ XMLHttpRequest: { prototype }, Proxy: PageProxy }: Page, name: Names, by: By): void {
  const native = prototype[name] as () => void;
  prototype[name] = new PageProxy(native, { apply: by }) as never;
}

/** @param given to `open` */
export const isSynchronous = (given: readonly unknown[]): boolean => given.length > 2 && !given[2];

/** @returns where an address of the app's own origin leads; undefined for any other. */
export function ownAddress({ document }: Page, address: unknown): URL | undefined {
  const url = URL.parse(String(address), document.baseURI);
  return url?.origin === origin && url.protocol !== 'blob:' ? url : undefined;
}
