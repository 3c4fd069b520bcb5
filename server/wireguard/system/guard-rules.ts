/** The rules that keep the data plane on its interface (guard.ts says why), as nftables lists them and as a script that sets them up. */
import { isIPv6 } from 'node:net';
import type { Config } from '../../config.ts';
import { formatAddress, parseAddress } from '../../netstack/address.ts';

/** Of the routing table and the rule, which comes before `main` (32766); any other will do as well. */
const guardTable = 51_870;
const guardPriority = 5_187;
/** Behind every route of the table. */
const lastMetric = 4_278_198_272;

export interface GuardSettings {
  readonly interfaceName: string;
  /** The gateway's addresses on it: IP literals in their shortest form. */
  readonly addresses: readonly string[];
}

/** The guard's settings. @returns undefined where the embedded stack needs none */
export function guardSettings({ wireguard }: Pick<Config, 'wireguard'>): GuardSettings | undefined {
  const { driver, interface: interfaceName = '', address4, address6 } = wireguard;
  if (driver === 'embedded') return undefined;
  return { interfaceName, addresses: [address4, address6].map((text) => formatAddress(parseAddress(text))) };
}

/** One rule of nftables. */
interface FilterRule {
  /** Of its chain. */
  readonly hook: string;
  readonly text: string;
  /** As `nft -j` lists it, without the counter. */
  readonly expression: readonly unknown[];
}

/** What holds packets of one address back from every way but the interface. */
export function filterRules(name: string, address: string): FilterRule[] {
  const protocol = isIPv6(address) ? 'ip6' : 'ip';
  const sides = [
    { hook: 'output', field: 'saddr', key: 'oifname' },
    { hook: 'input', field: 'daddr', key: 'iifname' },
  ];
  return sides.map(({ hook, field, key }) => ({
    hook,
    text: `${protocol} ${field} ${address} ${key} != "${name}" counter drop`,
    expression: [
      { match: { op: '==', left: { payload: { protocol, field } }, right: address } },
      { match: { op: '!=', left: { meta: { key } }, right: name } },
      { drop: null },
    ],
  }));
}

/** A shell script that sets up all three; it may run again and again. */
export function guardScript({ interfaceName: name, addresses }: GuardSettings): string {
  const table = filterTable(name);
  const chain = (hook: string) => {
    const texts = addresses.flatMap((address) => filterRules(name, address)).filter((rule) => rule.hook === hook);
    return [
      `  chain ${hook} {`,
      `    type filter hook ${hook} priority 0; policy accept;`,
      ...texts.map(({ text }) => `    ${text}`),
      '  }',
    ];
  };
  return [
    '#!/bin/sh',
    `# Keeps what Latchkey sends from its address on ${name} from leaving by another way. May run again and again.`,
    'set -e',
    "nft -f - <<'END'",
    `table inet ${table} {}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    ...chain('output'),
    ...chain('input'),
    '}',
    'END',
    ...addresses.flatMap((address) => wayLines(name, address)),
  ].join('\n');
}

function wayLines(name: string, address: string): string[] {
  const is6 = isIPv6(address);
  const ip = is6 ? 'ip -6' : 'ip';
  const rule = `from ${address} lookup ${guardTable} priority ${guardPriority}`;
  return [
    ...(is6 ? ['test -e /proc/net/if_inet6 || exit 0'] : []),
    `${ip} route replace unreachable default metric ${lastMetric} table ${guardTable}`,
    `${ip} rule del ${rule} 2>/dev/null || true`,
    `${ip} rule add ${rule}`,
    `${ip} link show dev ${name} >/dev/null 2>&1 && ${ip} route replace default dev ${name} table ${guardTable} || true`,
  ];
}

/** The characters of an identifier of nftables. */
export function filterTable(interfaceName: string): string {
  return `latchkey_${interfaceName.replace(/[^a-zA-Z0-9]/g, '_')}`;
}

export function hostPrefix(address: string): string {
  return `${address}/${isIPv6(address) ? 128 : 32}`;
}
