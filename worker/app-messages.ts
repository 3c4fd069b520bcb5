/**
 * What crosses the MessagePorts between an app's origin and the tunnel's Worker. The app's side is not trusted with
 * anything but its own service: the Worker opens streams to the one service it was launched for, whatever it is asked.
 *
 * A body crosses in chunks under credit: its receiver grants bytes, its sender never has more under way.
 */

/** Whose port it is. A service worker has one at a time: with the next, the one before is dead. */
export type PortKind = 'service-worker' | 'websocket';

/** What is told with a port on its way to the tunnel. */
export interface PortNote {
  readonly kind: PortKind;
  /** Of a WebSocket of a worker: the Web Lock that the worker holds as long as it lives, for nothing else tells of its end. */
  readonly lock?: string | undefined;
}

/** Bytes a body's sender may send before the first `credit`. */
export const firstCreditBytes = 512 * 1024;
/** The largest chunk; a sender may overdraw its credit by less than this. */
export const maxChunkBytes = 256 * 1024;
/** Bytes of WebSocket messages under way to a page that it has not `taken`; then the service is read no more. */
export const messageWindowBytes = 4 * 1024 * 1024;

/** A page's request as the service worker saw it. */
export interface RequestMessage {
  readonly t: 'request';
  readonly id: number;
  readonly method: string;
  /** Path and query; the origin is the app's own. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly hasBody: boolean;
  /** Fetch metadata, for the gateway to know what it answers. */
  readonly dest: string;
  readonly mode: string;
  readonly site: string;
  /** Script-visible cookies as the page has them. */
  readonly cookies: string;
  /** A page calls another app across origins; the gateway decides whether it may, and keeps the rules of CORS. */
  readonly call?: { readonly service: string; readonly credentials: boolean };
  /** The page wants neither cookies nor a password to go with it (Fetch, credentials mode `omit`). */
  readonly anonymous?: true;
  /** User and password of the request's own address, which `XMLHttpRequest.open` puts there. */
  readonly login?: { readonly user: string; readonly password: string };
}

/** Service worker → Worker, after a request. */
export type ExchangeMessage =
  | { readonly t: 'body'; readonly id: number; readonly chunk: Uint8Array }
  /** Each direction says how long it was: what arrived shorter was cut, wherever that was, and is no body. */
  | { readonly t: 'body-end'; readonly id: number; readonly length: number }
  | { readonly t: 'credit'; readonly id: number; readonly bytes: number }
  | { readonly t: 'cancel'; readonly id: number };

/** Service worker → Worker: what was asked by a {@link CookieQuestion} of this id; nothing for one that only tells. */
export type CookieAnswer = { readonly t: 'cookies'; readonly id: number; readonly text: string };

/** Service worker → Worker. */
export type ToTunnel = RequestMessage | ExchangeMessage | CookieAnswer;

/** Worker → service worker, for a WebSocket, whose handshake does not pass it. Ids are a count of their own. */
export type CookieQuestion =
  /** What do scripts see at this target? */
  | { readonly t: 'read-cookies'; readonly id: number; readonly target: string }
  /** Set-Cookie lines of cookies that scripts may see; answered when they do. */
  | { readonly t: 'write-cookies'; readonly id: number; readonly lines: readonly string[] };

/** Worker → service worker. */
export type FromTunnel = { readonly t: 'ready' } | CookieQuestion | FromExchange;

/** Worker → service worker, of a request. */
export type FromExchange =
  | {
      readonly t: 'head';
      readonly id: number;
      readonly status: number;
      /** The service's own words for the status; often empty. */
      readonly reason: string;
      readonly headers: readonly (readonly [string, string])[];
      /** Set-Cookie lines of cookies that scripts may see. */
      readonly setCookies: readonly string[];
    }
  | { readonly t: 'chunk'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly t: 'end'; readonly id: number; readonly length: number }
  | { readonly t: 'error'; readonly id: number; readonly code: string; readonly correlation: string }
  | { readonly t: 'credit'; readonly id: number; readonly bytes: number };

/** Page shim → Worker, on a port of its own for each WebSocket. */
export type WebSocketToTunnel =
  | { readonly t: 'connect'; readonly target: string; readonly protocols: readonly string[] }
  | { readonly t: 'send'; readonly data: string | ArrayBuffer }
  /** The page has seen a message of this size; more may come. */
  | { readonly t: 'taken'; readonly bytes: number }
  | { readonly t: 'close'; readonly code: number | undefined; readonly reason: string };

/** Worker → page shim. `sent` counts bytes that have left, for bufferedAmount. */
export type WebSocketFromTunnel =
  | { readonly t: 'open'; readonly protocol: string }
  | { readonly t: 'message'; readonly data: string | ArrayBuffer }
  | { readonly t: 'sent'; readonly bytes: number }
  /** By itself: it failed, or broke. */
  | { readonly t: 'closed'; readonly code?: number; readonly reason?: string; readonly clean?: boolean };

/** What the app's origin says to the shell by window messages; a port rides with `port`. */
export type ToShell =
  | { readonly latchkey: 'ready' }
  | { readonly latchkey: 'failed'; readonly reason: string }
  /** After a kiosk's visit: how much of it is left on this origin, -1 where that is not known. */
  | { readonly latchkey: 'wiped'; readonly left: number }
  | ({ readonly latchkey: 'port' } & PortNote)
  /** Nobody holds the lock of a worker any more. */
  | { readonly latchkey: 'worker-gone'; readonly lock: string }
  | ({ readonly latchkey: 'page' } & AppPage)
  | LedMessage
  /** The app's frame was led to this one's path, of another app. */
  | { readonly latchkey: 'other-app'; readonly path: string }
  /** The icon that was asked for; no bytes when there is none. */
  | { readonly latchkey: 'icon'; readonly path: string; readonly type: string; readonly bytes: Uint8Array };

/**
 * A page of the app led the tab of the shell to a page of the app, and the tab stayed: from the service worker to the
 * helper frame of that tab, and on to the shell.
 */
export interface LedMessage {
  readonly latchkey: 'led';
  /** Path, query and fragment. */
  readonly path: string;
  /** A page led the tab to its own address: where the frame is, it would be loaded anew. */
  readonly toItself: boolean;
}

/** What a page of the app says of itself. */
export interface AppPage {
  readonly title: string;
  /** Path, query and fragment. */
  readonly path: string;
  /** Path and query of its icon, on its own origin. */
  readonly icon: string;
}

/** What the shell says to its helper frame. */
export type IconRequest = { readonly latchkey: 'icon'; readonly path: string };

/** What the service worker says to a helper frame. */
export type ToHelper =
  /** A port rides with it. */
  | ({ readonly latchkey: 'need-port' } & PortNote)
  /** The windows of its tab are to say whose they are. @see Here */
  | { readonly latchkey: 'roll-call'; readonly helper: string }
  /** Is its tab about to show another page? A port for the answer, true or false, rides with it. */
  | { readonly latchkey: 'leaving' }
  /** What do scripts see at this path? A port for the answer, as `document.cookie` would say it, rides with it. */
  | { readonly latchkey: 'read-cookies'; readonly path: string }
  /** Lines as `document.cookie` takes them, each with its path. A port for the answer, anything, rides with it. */
  | { readonly latchkey: 'write-cookies'; readonly lines: readonly string[] }
  | LedMessage;

/** What the service worker says to a page of the app; a port for the answer, {@link Initiated} or nothing, rides with it. */
export type ToPage = { readonly latchkey: 'initiated' };

/** The newest navigation that a page of the app's origin began in the window of the page that is asked, since it was last asked. */
export interface Initiated {
  /** Where to. */
  readonly url: string;
  /** With a body, by POST. */
  readonly isForm: boolean;
}

/** What a helper frame says to the service worker. */
export type ToServiceWorker =
  | { readonly latchkey: 'ping' }
  /** The Web Lock that the frame holds as long as it lives. */
  | { readonly latchkey: 'lock'; readonly name: string }
  /** How much of the body of the request with this mark has the tunnel taken? A port for the answers, numbers of bytes, rides with it. */
  | { readonly latchkey: 'upload'; readonly id: string };

/** Begins the fragment of a request whose page wants to hear of its upload; an id follows. */
export const uploadMark = 'latchkey-upload-';

/** What a window says to the service worker in a roll call, made to by the helper of its tab. */
export interface Here {
  readonly latchkey: 'here';
  /** The helper's client id. */
  readonly helper: string;
}

/** What a page's shim says to the service worker; a port rides with it. */
export interface WebSocketPort {
  readonly latchkey: 'websocket';
  /** @see PortNote */
  readonly lock?: string | undefined;
}

/** What a page says to a worker it starts, before anything else; the port that rides with it leads back to the page. */
export interface WayIn {
  readonly latchkey: 'way';
}

/** Paths on an app's origin that are Latchkey's own and never go to the service. */
export const ownPaths = '/.latchkey/';

/** The page that registers the service worker and passes its ports on. */
export const helperPath = '/.latchkey/helper.html';
/** By this one the service worker sees whether its cookie store is of any use; it stands where no page of the app sees it. */
export const sightName = '__latchkey_sight';
export const sightCookie = `${sightName}=1; Path=${ownPaths}; SameSite=Lax`;

/** Where the service worker serves the app's icon, or an empty answer: `?target=/path`. Asked for by the helper frame. */
export const iconPath = '/.latchkey/icon';
/** A larger icon is none for a tab. */
export const maxIconBytes = 128 * 1024;

/** Where the service worker serves a download that a link asked for: `?target=/path&name=file`. */
export const downloadPath = '/.latchkey/download';

/** What a page asks its service worker before it opens a WebSocket, for the page's `connect-src` to judge. */
export const connectPath = '/.latchkey/connect';

/**
 * Of a synchronous request where no window can be asked: its page's cookies, percent-encoded; and of its answer, what the page
 * is to write, as JSON. The gateway passes it on to nobody.
 */
export const cookiesHeader = 'x-latchkey-cookies';

/** Where the Worker of the helper says what has come for a page that waits: `?id=uuid&at=uuid`. */
export const arrivalPath = '/.latchkey/arrived';
/** The cookie that tells the page, of our own path. */
export const arrivalName = (id: string): string => `__latchkey_arrived_${id}`;

/** What a page asks synchronously, from the helper frame to its Worker. */
export interface Errand {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: readonly [string, string][];
  /** A form by its entries. */
  readonly body:
    | string
    | Blob
    | ArrayBuffer
    | ArrayBufferView<ArrayBuffer>
    | [string, FormDataEntryValue][]
    | undefined;
  /** Address of the page. */
  readonly from: string;
}

/** What came of it: the head, and the address of a blob for the body. */
export interface Parcel {
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly headers: readonly [string, string][];
  readonly body: string;
}

/** Script of the Worker of the helper frame. */
export const courierPath = '/.latchkey/courier.js';
/** Answered after a moment: what a thread that waits can sleep on. */
export const restPath = '/.latchkey/rest';

/** The Worker of the helper frame. */
export interface Courier {
  postMessage(errand: Errand): void;
}
