/**
 * What the exchange module has to know of its surroundings: one service, one person, the origins in force.
 * It is plain data, so that the module can run wherever the request is judged.
 */
import type { HostRule, ServiceRecord } from '../../channel/snapshot-content.ts';

/** Everything about one exchange that is not in the request itself. */
export interface ExchangeContext {
  readonly service: ServiceRecord;
  /** Origin of the app as the browser sees it, such as `http://wiki.apps.localhost:8700`. */
  readonly publicOrigin: string;
  /** Origin of the shell, the only stranger that may frame an app. */
  readonly shellOrigin: string;
  /** Who is calling, minted into the request; undefined where the service must not know. */
  readonly caller: Caller | undefined;
  /** The browser's address as the transport saw it. */
  readonly clientAddress: string;
  /** `public`: the app sees its label host. `upstream`: it sees the host of its own URL. */
  readonly hostRule: HostRule;
  /** Public origin of a published app by the `host[:port]` it has in the data plane. */
  readonly publishedAt: (scheme: string, host: string) => string | undefined;
}

/** A person at a device, as a service is told. */
export interface Caller {
  /** Ids, as policies and audit have them. */
  readonly user: string;
  readonly device: string;
  /** For people to read: any letters, not unique. */
  readonly name: string;
  readonly groups: readonly string[];
  /** The same as a signed JWT (RFC 7519). A bearer token: it must reach this service and nobody else. */
  readonly assertion: string;
}

/** What the service worker says about a request beside its headers. */
export interface RequestFacts {
  /** 32 bytes in base64url, or nothing: then cookies live in memory only. */
  readonly jarKey: string | undefined;
  /** Cookies that script can see, as `a=b; c=d`; undefined when the client has no view of its own. */
  readonly scriptCookies: string | undefined;
  /** Sec-Fetch-Dest, -Mode and -Site as the browser would have sent them. */
  readonly dest: string | undefined;
  readonly mode: string | undefined;
  readonly site: FetchSite;
  /** The page wants no cookies to go with it, nor to be kept of the answer (Fetch, credentials mode `omit`). */
  readonly isAnonymous?: true;
}

export type FetchSite = 'same-origin' | 'same-site' | 'cross-site' | 'none';

/** Host and port of an origin, as a Host header has it. */
export function hostOf(origin: string): string {
  return origin.slice(origin.indexOf('//') + 2);
}

/** Origin of the service as it knows itself. */
export function upstreamOrigin(service: ServiceRecord): string {
  return `${service.scheme === 'https' ? 'https' : 'http'}://${service.upstreamHost}`;
}

/** The origin that the service is told is its own. */
export function toldOrigin({ hostRule, publicOrigin, service }: ExchangeContext): string {
  return hostRule === 'public' ? publicOrigin : upstreamOrigin(service);
}
