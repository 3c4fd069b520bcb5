/**
 * What keeps the data plane's plaintext on its interface. A socket bound to the interface's address leaves by whatever
 * route there is: with the route or the interface gone, by the default route. Three things together close that, each by
 * itself enough while the others are in order:
 *
 *     1  a rule: packets from our address look in a table of their own (ip-rule(8))
 *     2  that table: the interface, and under it an `unreachable` that stays when the interface goes
 *     3  nftables: packets from our address leave by the interface alone, and packets for it come by it alone
 *
 * The operator sets them up, by the script of guard-rules.ts or otherwise; we look, and carry nothing without them.
 */
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { CommandError, run, runJson } from './commands.ts';
import { filterRules, filterTable, type GuardSettings, hostPrefix } from './guard-rules.ts';

/** What is not as it should be. `leaks`: packets might leave by another way; otherwise they do not leave at all. */
export interface GuardProblem {
  readonly code:
    | 'tools_missing'
    | 'interface_missing'
    | 'interface_down'
    | 'address_missing'
    | 'rule_missing'
    | 'table_open'
    | 'route_missing'
    | 'filter_missing';
  readonly message: string;
  readonly advice: string;
  readonly leaks: boolean;
}

export interface GuardReport {
  readonly problems: readonly GuardProblem[];
  /** Addresses that sockets may be bound to. */
  readonly safe: readonly string[];
}

const byScript = 'Run "latchkey wg guard | sh" as root, and let it run whenever the interface comes up.';

/** Addresses of documentation (RFC 5737, RFC 3849): nobody has a route of their own for them. */
const [somewhere4, somewhere6] = ['192.0.2.1', '2001:db8::1'];

const links = z.array(
  z.object({ flags: z.array(z.string()).default([]), addr_info: z.array(z.object({ local: z.string().optional() })) }),
);
const rules = z.array(
  z.object({ src: z.string().optional(), srclen: z.number().optional(), table: z.string().optional() }).loose(),
);
const routes = z.array(z.object({ type: z.string().optional(), dst: z.string(), dev: z.string().optional() }));
const ruleset = z.object({
  nftables: z.array(
    z.object({
      rule: z.object({ chain: z.string(), expr: z.array(z.json()) }).optional(),
      chain: z.object({ name: z.string(), hook: z.string().optional() }).optional(),
    }),
  ),
});

/** Looks at the system; never throws, and takes what it cannot see for missing. */
export async function lookAtGuard(settings: GuardSettings): Promise<GuardReport> {
  const { interfaceName, addresses } = settings;
  try {
    await run('ip', ['-V']);
    await run('nft', ['-v']);
  } catch (error) {
    const message = error instanceof CommandError ? error.message : 'ip or nft cannot be run.';
    const advice = 'Install iproute2 and nftables, and run Latchkey with the right to see their rules.';
    return { problems: [{ code: 'tools_missing', message, advice, leaks: true }], safe: [] };
  }
  const present = await lookAtInterface(interfaceName, addresses);
  const ways = await Promise.all(addresses.map((address) => lookAtWay(interfaceName, address)));
  const filter = await lookAtFilter(settings);
  const problems = [...present, ...ways.flat(), ...filter];
  const isSafe = (at: number) => filter.length === 0 && ways[at]?.some(({ leaks }) => leaks) === false;
  return { problems, safe: addresses.filter((_, at) => isSafe(at)) };
}

async function lookAtInterface(name: string, addresses: readonly string[]): Promise<GuardProblem[]> {
  const [link] = (await read(links, 'ip', ['-j', 'addr', 'show', 'dev', name])) ?? [];
  if (link === undefined)
    return [
      problem(
        'interface_missing',
        `There is no interface ${name}.`,
        `Make it: "ip link add ${name} type wireguard", or "wireguard-go ${name}".`,
      ),
    ];
  const has = new Set(link.addr_info.map(({ local }) => local));
  const missing = addresses.filter((address) => !has.has(address));
  return [
    ...missing.map((address) =>
      problem(
        'address_missing',
        `${name} has no address ${address}.`,
        `Give it: "ip addr add ${hostPrefix(address)} dev ${name}".`,
      ),
    ),
    ...(link.flags.includes('UP') ? [] : [problem('interface_down', `${name} is down.`, `"ip link set ${name} up"`)]),
  ];
}

async function lookAtWay(name: string, address: string): Promise<GuardProblem[]> {
  const family = isIPv6(address) ? '-6' : '-4';
  const all = (await read(rules, 'ip', ['-j', family, 'rule', 'show'])) ?? [];
  const table = all.find((rule) => isRuleOf(rule, address))?.table;
  if (table === undefined || table === 'main')
    return [leak('rule_missing', `Packets from ${address} look in the main routing table.`)];
  const found = (await read(routes, 'ip', ['-j', family, 'route', 'show', 'table', table])) ?? [];
  const stray = found.some(({ type, dev }) => !isRefusal(type) && dev !== name);
  const closed = found.some(({ type, dst }) => isRefusal(type) && dst === 'default');
  if (stray || !closed)
    return [leak('table_open', `Packets from ${address} leave by another way when ${name} is gone (table ${table}).`)];
  const taken = await read(routes, 'ip', [
    '-j',
    'route',
    'get',
    isIPv6(address) ? somewhere6 : somewhere4,
    'from',
    address,
  ]);
  // An earlier rule may lead elsewhere.
  if (taken?.some(({ type, dev }) => !isRefusal(type) && dev !== name))
    return [leak('rule_missing', `Packets from ${address} do not leave by ${name}: another rule comes first.`)];
  const isThere = found.some(({ dev }) => dev === name);
  return isThere
    ? []
    : [problem('route_missing', `Table ${table} has no route by ${name}: services do not answer.`, byScript)];
}

/** `from ADDRESS lookup TABLE` and no other condition, which might let packets through to the next rule. */
function isRuleOf({ src, srclen, table, ...rest }: z.infer<typeof rules>[number], address: string): boolean {
  const others = Object.keys(rest).filter((key) => !['priority', 'protocol', 'flags'].includes(key));
  return src === address && srclen === undefined && table !== undefined && others.length === 0;
}

const isRefusal = (type: string | undefined): boolean =>
  type === 'unreachable' || type === 'blackhole' || type === 'prohibit';

async function lookAtFilter({ interfaceName, addresses }: GuardSettings): Promise<GuardProblem[]> {
  const table = filterTable(interfaceName);
  const { nftables } = (await read(ruleset, 'nft', ['-j', 'list', 'table', 'inet', table])) ?? { nftables: [] };
  const hooks = new Map(nftables.flatMap(({ chain }) => (chain?.hook === undefined ? [] : [[chain.name, chain.hook]])));
  const there = new Set(
    nftables.flatMap(({ rule }) => (rule === undefined ? [] : [shape(hooks.get(rule.chain), rule.expr)])),
  );
  const wanted = addresses.flatMap((address) => filterRules(interfaceName, address));
  if (wanted.every(({ hook, expression }) => there.has(shape(hook, expression)))) return [];
  return [
    leak(
      'filter_missing',
      `nftables does not hold packets of ${interfaceName} back from other ways (table inet ${table}).`,
    ),
  ];
}

/** Without counters, which change. */
function shape(hook: string | undefined, expression: readonly unknown[]): string {
  const judged = expression.filter((part) => typeof part !== 'object' || part === null || !('counter' in part));
  return JSON.stringify([hook, judged]);
}

function problem(code: GuardProblem['code'], message: string, advice: string): GuardProblem {
  return { code, message, advice, leaks: false };
}

function leak(code: GuardProblem['code'], message: string): GuardProblem {
  return { code, message, advice: byScript, leaks: true };
}

/** What a tool prints, when it is of this shape; otherwise as if nothing were there. */
async function read<T>(schema: z.ZodType<T>, command: string, args: readonly string[]): Promise<T | undefined> {
  const printed = await runJson(command, args).catch(() => undefined);
  return schema.safeParse(printed).data;
}
