/** What can be told from the configuration alone. */
import { getPublicSuffix } from 'tough-cookie';
import type { Config } from '../config.ts';
import { type Finding, fail, ok } from './finding.ts';

export function checkSettings({ scheme, hubHost, appsDomain }: Config): Finding[] {
  return [checkScheme(scheme, [hubHost, appsDomain]), checkSites(hubHost, appsDomain)];
}

export function isLocal(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

/** Passkeys, service workers and WebTransport exist in secure contexts alone (W3C Secure Contexts, 3.1). */
function checkScheme(scheme: string, hosts: readonly string[]): Finding {
  if (scheme === 'https') return ok('scheme', 'Pages are served over https.');
  if (hosts.every(isLocal)) return ok('scheme', 'Pages are served over http to this machine alone.');
  return fail(
    'scheme',
    'Pages are served over http, where browsers have no passkeys and no service workers.',
    'Set tls: with certificate files, or scheme: https and trustedProxies: behind a proxy that ends TLS.',
  );
}

/** On one site an app's page could be taken for the hub's by cookies and passkeys. */
function checkSites(hubHost: string, appsDomain: string): Finding {
  if (isLocal(hubHost) && isLocal(appsDomain)) return ok('sites', 'Hub and apps are different sites on this machine.');
  const [hub, apps] = [siteOf(hubHost), siteOf(appsDomain)];
  if (hub !== apps) return ok('sites', `The hub's site is ${hub}, the apps' is ${apps}.`);
  return fail(
    'sites',
    `Hub and apps are on one site, ${hub}, so an app's page could reach for what is the hub's.`,
    'Give the apps a domain that is registered separately, and set appsDomain: to a name below it.',
  );
}

/** The registrable domain, by the public suffix list. */
function siteOf(host: string): string {
  return getPublicSuffix(host, { ignoreError: true, allowSpecialUseDomain: true }) ?? host;
}
