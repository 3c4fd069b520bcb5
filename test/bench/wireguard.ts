/**
 * `npm run bench -- wireguard`: our WireGuard and TCP in this process beside a wireguard-go with the kernel's TCP, over the
 * same veth pair to the same wireguard-go and web server, in interleaved rounds. The medians of the ratios within a round
 * are the figures; above 1 ours is faster, except for get_p50, which compares times. Needs what the tests in
 * test/interop/wireguard need.
 */
import type { Figure } from './figure.ts';
import { median } from './interleaved.ts';
import { handshakesPerSecond } from './wireguard/handshakes.ts';
import { type Link, newLink } from './wireguard/link.ts';
import { type Client, download, parallel, upload } from './wireguard/transfers.ts';

const rounds = 7;
const transferBytes = 16 * 1_048_576;
const gets = 200;
const getBytes = 1_000;
const parallelCount = 100;
const parallelBytes = 1_048_576;

export async function* figures(): AsyncIterable<Figure> {
  const link = await newLink();
  try {
    const down = await compare(link, (client) => elapsed(() => download(client, transferBytes)));
    yield { name: 'wireguard.down_over_wireguard_go', value: over(down), unit: 'x' };
    yield { name: 'wireguard.down_mb_per_s', value: transferBytes / 1_000 / median(down.ours), unit: 'MB/s' };
    const up = await compare(link, (client) => elapsed(() => upload(client, transferBytes)));
    yield { name: 'wireguard.up_over_wireguard_go', value: over(up), unit: 'x' };
    yield { name: 'wireguard.up_mb_per_s', value: transferBytes / 1_000 / median(up.ours), unit: 'MB/s' };
    const get = await compare(link, medianGet);
    yield { name: 'wireguard.get_p50_over_wireguard_go', value: 1 / over(get), unit: 'x' };
    const many = await compare(link, (client) => elapsed(() => parallel(client, parallelCount, parallelBytes)));
    yield { name: 'wireguard.parallel_100x1mib_over_wireguard_go', value: over(many), unit: 'x' };
    yield { name: 'wireguard.us_per_segment', value: await processorTimePerSegment(link), unit: 'us' };
  } finally {
    await link.close();
  }
  yield { name: 'wireguard.handshakes_per_s', value: await handshakesPerSecond(), unit: '1/s' };
}

interface Pairs {
  readonly ours: number[];
  readonly theirs: number[];
}

/** Milliseconds of both, one entry a round; who goes first changes. */
async function compare(link: Link, measure: (client: Client) => Promise<number>): Promise<Pairs> {
  const pairs: Pairs = { ours: [], theirs: [] };
  for (const client of [link.ours, link.wireguardGo]) await measure(client); // compiled, and windows open
  const sides = [
    [pairs.ours, link.ours],
    [pairs.theirs, link.wireguardGo],
  ] as const;
  for (let round = 0; round < rounds; round++) {
    for (const [times, client] of round % 2 === 0 ? sides : sides.toReversed()) times.push(await measure(client));
  }
  return pairs;
}

/** How many times faster ours was. */
function over({ ours, theirs }: Pairs): number {
  return median(ours.map((time, round) => theirs[round]! / time));
}

async function elapsed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function medianGet(client: Client): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < gets; n++) times.push(await elapsed(() => download(client, getBytes)));
  return median(times);
}

/** What this process spends, system calls and HTTP included, for each segment that arrives in a download. */
async function processorTimePerSegment({ ours, stack }: Link): Promise<number> {
  const each: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const segments = stack.stats().packetsIn;
    const before = process.cpuUsage();
    await download(ours, transferBytes);
    const { user, system } = process.cpuUsage(before);
    each.push((user + system) / (stack.stats().packetsIn - segments));
  }
  return median(each);
}
