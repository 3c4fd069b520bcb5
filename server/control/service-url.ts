/**
 * The URL an operator writes for a service: `scheme://host[:port][/path]`, with a host inside the data plane. Parsed
 * once, here; what comes out has no part left that could be read in two ways.
 */
import { isIP } from 'node:net';
import { type ServiceScheme, serviceSchemes } from '../channel/snapshot-content.ts';
import { ApiError } from './api-error.ts';

export interface ServiceUrl {
  readonly scheme: ServiceScheme;
  /** An address, or the name of the connector that answers for it. */
  readonly host: { readonly address: string } | { readonly connector: string };
  readonly port: number;
  readonly path: string;
  /** Host as written, with the port when it is not the scheme's own. */
  readonly upstreamHost: string;
}

const standardPorts: Partial<Record<ServiceScheme, number>> = { http: 80, https: 443, ssh: 22, vnc: 5_900, rdp: 3_389 };
const maxUrlLength = 2_048;

/** @throws ApiError `url_malformed`, `url_scheme`, `url_host`, `url_port` */
export function parseServiceUrl(text: string): ServiceUrl {
  const url = parse(text);
  const scheme = serviceSchemes.find((one) => `${one}:` === url.protocol);
  if (scheme === undefined) throw new ApiError('url_scheme');
  const bare = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  const http = scheme === 'http' || scheme === 'https';
  if (!bare || (!http && url.pathname !== '' && url.pathname !== '/')) throw new ApiError('url_malformed');
  const port = url.port === '' ? standardPorts[scheme] : Number(url.port);
  if (port === undefined || port === 0) throw new ApiError('url_port');
  const host = hostOf(url.hostname);
  const shown = port === standardPorts[scheme] ? url.hostname : `${url.hostname}:${port}`;
  return { scheme, host, port, path: http ? url.pathname : '/', upstreamHost: shown };
}

function parse(text: string): URL {
  // The URL parser drops tabs, line ends and outer spaces; a URL that needs that was not meant.
  if (text.length > maxUrlLength || !/^[\x21-\x7e]+$/.test(text)) throw new ApiError('url_malformed');
  try {
    return new URL(text);
  } catch (cause) {
    throw new ApiError(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? 'url_malformed' : 'url_scheme', { cause });
  }
}

function hostOf(hostname: string): ServiceUrl['host'] {
  const address = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  if (isIP(address) !== 0) return { address };
  const connector = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.wg$/.exec(hostname)?.[1];
  if (connector === undefined) throw new ApiError('url_host');
  return { connector };
}
