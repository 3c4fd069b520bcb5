/**
 * A gateway in use for long: sessions come and go twice a second, each does a few things and stays for some epochs of five
 * seconds. At the end nothing may have been lost, and heap and descriptors may not have grown.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from '../bench/figure.ts';
import { expectedDigest } from '../e2e/support/browser-app.ts';
import { type ChainedEvent, endOf, eventAfter } from '../e2e/support/node-audit.ts';
import { begin, connect, digestOf, fetchThrough, keepAlive } from '../e2e/support/node-client.ts';
import type { Launched } from '../e2e/support/node-person.ts';
import { serviceA, World } from '../e2e/support/node-world.ts';
import { ProcessWatch, type Sample, slope } from './process-watch.ts';
import { quicSession, rest } from './quic-session.ts';

export interface SoakOptions {
  readonly minutes: number;
  /** Sessions at a time. A machine that is too busy for two a second gets fewer, and the figures say how many. */
  readonly mostAlive?: number;
}

const epochS = 5;
const churnMs = 500;
/** A session's life: two rekeys and a bit. */
const lifeMs = 13_000;
const sampleMs = 10_000;
const launchMs = 60_000;
const bytes = 256 * 1_024;
const sha256 = expectedDigest(bytes);
/** Caches and compiled code grow at first. */
const warmUp = { share: 1 / 4, mostMs: 600_000 };
/** A longer run must be flat; in a shorter one the slope is noise and only told. */
const judgedMinutes = 20;
const mostHeapMibPerHour = 1;
const mostFds = 2;
/** How long the gateway may take to let go of what was closed, on a machine that is busy. */
const letGoMs = 60_000;

interface Point extends Sample {
  readonly atMs: number;
  readonly heapBytes: number;
}

export async function soak({ minutes, mostAlive = 40 }: SoakOptions): Promise<Figure[]> {
  // Removed after the processes that write to it have ended.
  using folder = mkdtempDisposableSync(join(tmpdir(), 'latchkey-heap-'));
  const probe = new URL('./heap-probe.ts', import.meta.url).href;
  await using world = await World.start({
    LATCHKEY_REKEY_AFTER_S: String(epochS),
    LATCHKEY_HEAP_PROBE: folder.path,
    NODE_OPTIONS: `--import=${probe}`,
  });
  const run = new Soak(world, folder.path);
  await run.go(minutes * 60_000, mostAlive);
  return run.figures(minutes);
}

class Soak {
  readonly #world: World;
  readonly #folder: string;
  readonly #watch: ProcessWatch;
  readonly #lives = new Set<Promise<void>>();
  readonly #points: Point[] = [];
  readonly #faults: unknown[] = [];
  #launched: Launched | undefined;
  /** Descriptors when a session by each transport had come and gone. */
  #fdsBefore = 0;
  #count = 0;
  #rekeys = 0;

  constructor(world: World, folder: string) {
    this.#world = world;
    this.#folder = folder;
    this.#watch = new ProcessWatch(world.product.ready.pids.gateway ?? 0);
  }

  async go(ms: number, mostAlive: number): Promise<void> {
    await this.#warmUp();
    const began = performance.now();
    let [launchedAt, sampledAt] = [Number.NEGATIVE_INFINITY, began];
    for (let now = began; now < began + ms; now = performance.now()) {
      if (now - launchedAt > launchMs) {
        this.#launched = await this.#world.admin.launch(serviceA);
        launchedAt = now;
      }
      if (now - sampledAt > sampleMs) {
        this.#sample(now - began);
        sampledAt = now;
      }
      if (this.#lives.size < mostAlive) this.#begin();
      await rest(churnMs);
    }
    await Promise.all(this.#lives);
    // By then the far end has collected, and noticed every close.
    await rest(sampleMs);
    const ends = performance.now() + letGoMs;
    while (this.#fdsGrown() > mostFds && performance.now() < ends) await rest(churnMs);
    this.#sample(performance.now() - began);
  }

  /** What the first session by each transport opens for good is no leak. */
  async #warmUp(): Promise<void> {
    this.#launched = await this.#world.admin.launch(serviceA);
    const from = await endOf(this.#world.product);
    const closed: ChainedEvent[] = [];
    for (const byQuic of [true, false]) {
      await this.#live(byQuic, 0);
      const isNew = ({ type, seq }: ChainedEvent) => type === 'session.close' && closed.every((one) => one.seq !== seq);
      closed.push(await eventAfter(this.#world.product, from, isNew));
    }
    this.#fdsBefore = this.#watch.sample().fds;
  }

  #fdsGrown(): number {
    return this.#watch.sample().fds - this.#fdsBefore;
  }

  /** Every other one by WebSocket. */
  #begin(): void {
    this.#count += 1;
    const life = this.#live(this.#count % 2 === 0, lifeMs)
      .catch((error: unknown) => this.#faults.push(error))
      .then(() => void this.#lives.delete(life));
    this.#lives.add(life);
  }

  async #live(byQuic: boolean, forMs: number): Promise<void> {
    const launched = this.#launched;
    if (launched === undefined) return;
    const session = byQuic
      ? await quicSession(this.#world, launched)
      : await connect(this.#world.port, this.#world.fingerprint, launched);
    keepAlive(this.#world.admin, session, launched);
    const ends = performance.now() + forMs;
    do {
      assert.equal((await fetchThrough(session, serviceA, '/whoami')).status, 200);
      const exchange = await begin(session, serviceA, { target: `/download?bytes=${bytes}` });
      assert.deepEqual(await digestOf(exchange), { bytes, sha256 });
      await rest(forMs / 4);
    } while (performance.now() < ends);
    this.#rekeys += session.state.epoch;
    session.close('done');
    assert.deepEqual(await session.closed, { code: 'done', byPeer: false, cut: false });
  }

  #sample(atMs: number): void {
    const file = join(this.#folder, String(this.#world.product.ready.pids.gateway));
    const { heapUsed } = JSON.parse(readFileSync(file, 'utf8')) as { heapUsed: number };
    this.#points.push({ ...this.#watch.sample(), atMs, heapBytes: heapUsed });
  }

  figures(minutes: number): Figure[] {
    assert.deepEqual(this.#faults, []);
    assert.ok(this.#rekeys >= this.#count, `${this.#rekeys} rekeys of ${this.#count} sessions`);
    const from = Math.min(minutes * 60_000 * warmUp.share, warmUp.mostMs);
    const steady = this.#points.filter(({ atMs }) => atMs >= from);
    const hours = (ms: number) => ms / 3_600_000;
    const heap = slope(steady.map(({ atMs, heapBytes }) => [hours(atMs), heapBytes / 2 ** 20] as const));
    const fds = (this.#points.at(-1)?.fds ?? 0) - this.#fdsBefore;
    assert.ok(fds <= mostFds, `${fds} descriptors more than at the beginning`);
    if (minutes >= judgedMinutes) assert.ok(heap < mostHeapMibPerHour, `the heap grows by ${heap} MiB an hour`);
    return [
      { name: 'soak.minutes', value: minutes, unit: 'min' },
      { name: 'soak.sessions', value: this.#count, unit: 'sessions' },
      { name: 'soak.rekeys', value: this.#rekeys, unit: 'rekeys' },
      { name: 'soak.heap_slope', value: heap, unit: 'MiB/h' },
      { name: 'soak.heap_end', value: (this.#points.at(-1)?.heapBytes ?? 0) / 2 ** 20, unit: 'MiB' },
      { name: 'soak.resident_end', value: (this.#points.at(-1)?.residentBytes ?? 0) / 2 ** 20, unit: 'MiB' },
      { name: 'soak.fds_grown', value: fds, unit: 'descriptors' },
    ];
  }
}
