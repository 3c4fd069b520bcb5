/**
 * What an exchange has to know of the services in force: its own, and where the others are published, for redirects
 * from one app to another. Built once for each policy snapshot.
 */
import type { ServiceRecord } from '../../channel/snapshot-content.ts';
import { type Config, origins } from '../../config.ts';
import type { Caller, ExchangeContext } from '../exchange/context.ts';
import { withoutStandardPort } from '../exchange/locations.ts';
import type { PolicyInForce } from '../state/policy-state.ts';

const published = new WeakMap<PolicyInForce, Map<string, string>>();

/** The context of one exchange of this person with this service. */
export function exchangeContext(
  config: Config,
  policy: PolicyInForce,
  service: ServiceRecord,
  caller: Caller | undefined,
  clientAddress: string,
): ExchangeContext {
  const places = placesOf(config, policy);
  return {
    service,
    publicOrigin: origins.app(config, service.name),
    shellOrigin: origins.shell(config),
    caller,
    clientAddress,
    hostRule: service.host ?? 'public',
    publishedAt: (scheme, host) => places.get(`${scheme} ${host}`),
  };
}

/** Public origins by scheme and host, both as the URL has the host and as the data plane has the address. */
function placesOf(config: Config, policy: PolicyInForce): Map<string, string> {
  const known = published.get(policy);
  if (known !== undefined) return known;
  const places = new Map<string, string>();
  for (const service of policy.services.values()) {
    if (service.scheme !== 'http' && service.scheme !== 'https') continue;
    for (const host of [service.upstreamHost.toLowerCase(), addressOf(service)])
      places.set(`${service.scheme} ${withoutStandardPort(service.scheme, host)}`, origins.app(config, service.name));
  }
  published.set(policy, places);
  return places;
}

function addressOf({ address, port }: ServiceRecord): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether two records lead to the same place in the same way, so that open connections may stay. */
export function samePlace(a: ServiceRecord, b: ServiceRecord): boolean {
  return (
    a.scheme === b.scheme &&
    a.address === b.address &&
    a.port === b.port &&
    a.wireguardKey === b.wireguardKey &&
    a.innerTls === b.innerTls &&
    a.farId === b.farId &&
    // Which names of others are believed depends on the namespace, which is in ours.
    (a.farId === undefined || a.spiffeId === b.spiffeId) &&
    a.upstreamHost === b.upstreamHost
  );
}
