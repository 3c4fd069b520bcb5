/**
 * Where datagrams come from and go to: the outer side of a device. {@link Wire} is the seam that lets tests put a lossy
 * network in memory where udp.ts has sockets.
 */
import { isIPv6 } from 'node:net';
import { addressOrNull } from '../netstack/address.ts';
import { addressBytes } from '../source-address.ts';
import { WireGuardError } from './errors.ts';

/** An outer address. */
export interface Endpoint {
  /** IP literal; an IPv6 link-local one may carry a zone. */
  readonly address: string;
  readonly port: number;
}

export interface ListenOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** IP literal; without it both families on all addresses. */
  readonly host?: string;
}

export interface WireEvents {
  /** The datagram is the receiver's to keep. */
  receive(datagram: Uint8Array, from: Endpoint): void;
  /** One datagram was not sent; the names are those of counters.ts. */
  lost(why: 'socketFailed' | 'socketFull'): void;
}

export interface Wire {
  open(options: ListenOptions, events: WireEvents): Promise<{ port: number }>;
  /** Never throws; a datagram that cannot be sent is lost, as datagrams are. */
  send(datagram: Uint8Array, to: Endpoint): void;
  close(): Promise<void>;
}

/** Reads `host:port` or `[v6]:port`; the host may be a name that has yet to be resolved. */
export function parseEndpoint(text: string): { host: string; port: number; literal: boolean } {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})?)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  const bracketsHoldIpv6 = match?.[1] === undefined || isIPv6(match[1]);
  if (host === '' || !bracketsHoldIpv6 || !(port >= 1 && port <= 65_535)) {
    throw new WireGuardError('endpoint_malformed', 'An endpoint is host:port or [IPv6]:port.');
  }
  return { host, port, literal: match?.[1] !== undefined || addressOrNull(host) !== null };
}

export function formatEndpoint({ address, port }: Endpoint): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

export function sameEndpoint(a: Endpoint | undefined, b: Endpoint): boolean {
  return a !== undefined && a.port === b.port && a.address === b.address;
}

/** What a cookie is bound to: address and port (paper section 5.4.7). */
export function endpointBytes({ address, port }: Endpoint): Uint8Array {
  return Uint8Array.from([...addressBytes(address), port >> 8, port & 0xff]);
}
