/** Whether what the gateway sends to services can leave by its interface alone, where the system's carries it. */
import type { Config } from '../config.ts';
import { lookAtGuard } from '../wireguard/system/guard.ts';
import { guardSettings } from '../wireguard/system/guard-rules.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

export async function checkDataPlane(config: Config): Promise<Finding[]> {
  const settings = guardSettings(config);
  if (settings === undefined) return [ok('dataplane', 'WireGuard is embedded: packets have no other way to take.')];
  const { problems, safe } = await lookAtGuard(settings);
  const { interfaceName, addresses } = settings;
  const findings = problems.map(({ code, message, advice, leaks }) =>
    // What leaks is refused by the gateway; what is merely absent may be meant so, as IPv6 may.
    (leaks || safe.length === 0 ? fail : warn)(`dataplane.${code}`, message, advice),
  );
  if (safe.length === 0) return findings;
  const all = safe.length === addresses.length ? '' : `, and nothing is carried from ${missing(addresses, safe)}`;
  return [
    ok('dataplane', `Packets from ${safe.join(' and ')} leave by ${interfaceName} or not at all${all}.`),
    ...findings,
  ];
}

function missing(addresses: readonly string[], safe: readonly string[]): string {
  return addresses.filter((address) => !safe.includes(address)).join(' and ');
}
