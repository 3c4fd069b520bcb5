/** The shim's realm, a window's or a worker's, and the means that a page may replace later, as they were at first. */

export const { apply, construct, deleteProperty } = Reflect;
export const { addEventListener } = EventTarget.prototype;
export const { defineProperty, getOwnPropertyDescriptor } = Object;
/** These would go past the tunnel to where nothing is; an app does without them, as in most browsers. */
const bypasses = ['WebSocketStream', 'fetchLater'];
/** These a browser refuses in a frame of another origin, as the shell's is; an app knows what to do where they are not. */
const pickers = ['showOpenFilePicker', 'showSaveFilePicker', 'showDirectoryPicker'];
export const dropUnusable = (realm: object) =>
  [...bypasses, ...(self.top === self ? [] : pickers)].map((name) => deleteProperty(realm, name));
export const isWindow = 'document' in self;

/** What an address means here; null for one that is none. */
export function resolve(address: unknown): URL | null {
  return URL.parse(String(address), isWindow ? document.baseURI : location.href);
}

/** Of the service, and no blob. An SVG link's address is no text, and none of these. */
export const isOwn = (address: string | undefined): boolean => !!address?.startsWith?.(`${origin}/`);
