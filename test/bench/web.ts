/**
 * `npm run bench -- web`: what a page gets through the whole of it (service worker, Worker, records sealed in Wasm,
 * gateway, WireGuard) beside the same bytes from the same server directly, and beside the bare transports.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { ensureBuilt } from '../../server/build.ts';
import { Product } from '../e2e/support/product.ts';
import { QuietChromium } from '../support/quiet-chromium.ts';
import type { Figure } from './figure.ts';
import { median } from './interleaved.ts';
import { type Browser, Control, type Job, type Place } from './web/control.ts';

const rounds = 3;
const coldOpens = 7;
const mebibyte = 2 ** 20;
const downloadBytes = 128 * mebibyte;
const uploadBytes = 32 * mebibyte;
const smallBytes = 2_048;
/** Enough for every engine to compile for speed. */
const warmUpBytes = 8 * mebibyte;
const service = 'bench';

/** Engines of the two products; where one has none its tunnels run over WebSocket. */
const engines = { webtransport: 'auto', websocket: 'off' } as const;

export async function* figures(): AsyncIterable<Figure> {
  await ensureBuilt();
  yield { name: 'web.client_brotli_kb', value: clientBytes() / 1_000, unit: 'kB' };
  const control = new Control();
  await using over = await World.start('webtransport', control);
  await using beside = await World.start('websocket', control);
  try {
    await over.open(control);
    await beside.open(control);
    for (const place of ['direct', 'passing'] as const) await over.visit(place, control);
    yield* transfers(control, over.pump);
    yield await firstByte(over, control);
  } finally {
    control.close();
  }
}

/** Everything a browser loads before an app's own first byte, and the shim in its page. */
function clientBytes(): number {
  const dist = join(import.meta.dirname, '../../dist');
  const files = globSync(['shell/index.html', 'shell/assets/*', 'app/{sw,shim,helper}.js'], { cwd: dist });
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  return files.reduce((sum, file) => sum + brotliCompressSync(readFileSync(join(dist, file)), options).length, 0);
}

/** A product, the measured service behind it, a pump that runs beside it, and a browser that opens the service. */
class World implements AsyncDisposable {
  readonly chromium: QuietChromium;
  readonly pump: ChildProcess;
  readonly #browser: Browser;
  readonly #direct: string;
  readonly #ends: AsyncDisposableStack;

  private constructor(
    browser: Browser,
    chromium: QuietChromium,
    pump: ChildProcess,
    direct: string,
    ends: AsyncDisposableStack,
  ) {
    this.#browser = browser;
    this.#direct = direct;
    this.chromium = chromium;
    this.pump = pump;
    this.#ends = ends;
  }

  static async start(browser: Browser, control: Control): Promise<World> {
    await using ends = new AsyncDisposableStack();
    const product = ends.use(await Product.start({ LATCHKEY_WEBTRANSPORT: engines[browser] }));
    const origin = `http://${service}.apps.localhost:${product.ready.port}`;
    const pump = fork(join(import.meta.dirname, 'web/pump.ts'), [origin]);
    ends.defer(() => pump.disconnect());
    const settings = JSON.stringify({ place: browser, control: await control.listen(), pump: await said(pump) });
    const { publicKey, port } = product.ready.wireguard;
    const child = fork(join(import.meta.dirname, 'web/far.ts'), [publicKey, String(port), settings]);
    ends.defer(() => child.disconnect());
    const far = await said(child);
    await publish(product, far);
    const chromium = ends.use(await QuietChromium.start());
    await chromium.enrol(product.ready.enrol ?? '');
    return new World(browser, chromium, pump, `http://127.0.0.1:${far['direct']}`, ends.move());
  }

  /** Opens the service. @returns the shell's target, and when the page's first byte came, in ms since the epoch. */
  async open(control: Control): Promise<{ readonly target: string; readonly first: number }> {
    const target = await this.chromium.open(service);
    return { target, first: await control.arrived(this.#browser) };
  }

  /** A page of the service past the product, in the same browser. */
  async visit(place: 'direct' | 'passing', control: Control): Promise<void> {
    await this.chromium.visit(`${this.#direct}/${place === 'passing' ? 'passing/' : place}`);
    await control.arrived(place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ends.disposeAsync();
  }
}

async function publish(product: Product, far: Record<string, unknown>): Promise<void> {
  await product.cliJson(
    ...['wg', 'add-peer', '--public-key', String(far['publicKey']), '--allowed-ips', String(far['allowedIps'])],
    ...['--endpoint', `127.0.0.1:${far['udp']}`, '--name', service],
  );
  await product.cliJson('service', 'add', service, String(far['far']));
}

/** A path for one connection to the pump. */
async function pathOf(pump: ChildProcess): Promise<string> {
  pump.send('path');
  return String((await said(pump))['path']);
}

async function said(child: ChildProcess): Promise<Record<string, unknown>> {
  return (await once(child, 'message'))[0] as Record<string, unknown>;
}

type Way = `${Job['kind']} ${Job['over']} ${Place}`;

/** All contenders in every round, in turns; the ratios are taken within a round. */
async function* transfers(control: Control, pump: ChildProcess): AsyncIterable<Figure> {
  const times = new Map<Way, number[]>();
  let isWarm = false;
  const run = async (kind: Job['kind'], over: Job['over'], place: Place) => {
    const full = { download: downloadBytes, upload: uploadBytes, small: smallBytes }[kind];
    const bytes = isWarm ? full : Math.min(full, warmUpBytes);
    const path = over === 'raw-webtransport' ? await pathOf(pump) : '';
    const ms = await control.perform(place, { kind, over, bytes, path });
    const way: Way = `${kind} ${over} ${place}`;
    times.set(way, [...(times.get(way) ?? []), ms]);
  };
  const contenders: Parameters<typeof run>[] = [
    ['small', 'service', 'direct'],
    ['small', 'service', 'passing'],
    ['small', 'service', 'webtransport'],
    ['download', 'service', 'direct'],
    ['download', 'service', 'webtransport'],
    ['download', 'raw-webtransport', 'webtransport'],
    ['upload', 'service', 'webtransport'],
    ['upload', 'raw-webtransport', 'webtransport'],
    ['download', 'service', 'websocket'],
    ['download', 'raw-websocket', 'websocket'],
    ['upload', 'service', 'websocket'],
    ['upload', 'raw-websocket', 'websocket'],
  ];
  for (let round = 0; round <= rounds; round += 1) {
    // The first round warms up and is not counted.
    if (round === 1) times.clear();
    isWarm = round > 0;
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) await run(...contender);
  }
  const each = (way: Way) => times.get(way) ?? [];
  const ratio = (name: string, fast: Way, slow: Way): Figure => ({
    name: `web.${name}`,
    value: median(each(fast).map((ms, round) => ms / each(slow)[round]!)),
    unit: 'x',
  });
  const rate = (name: string, way: Way, bytes: number): Figure => ({
    name: `web.${name}`,
    value: median(each(way).map((ms) => bytes / ms / 1_000)),
    unit: 'MB/s',
  });
  const down = 'download service webtransport';
  yield ratio('download_128mib_over_raw_transport', 'download raw-webtransport webtransport', down);
  yield ratio('upload_32mib_over_raw_transport', 'upload raw-webtransport webtransport', 'upload service webtransport');
  yield ratio(
    'download_128mib_over_raw_transport.ws',
    'download raw-websocket websocket',
    'download service websocket',
  );
  yield ratio('upload_32mib_over_raw_transport.ws', 'upload raw-websocket websocket', 'upload service websocket');
  yield ratio('download_128mib_over_direct', 'download service direct', down);
  yield ratio('small_get_p50_over_direct', 'small service webtransport', 'small service direct');
  // What is left of the last one's time when all that is Latchkey's takes none: every request goes by a service worker.
  yield ratio('small_get_p50_service_worker_alone_over_direct', 'small service passing', 'small service direct');
  yield rate('download_128mib', down, downloadBytes);
  yield rate('download_128mib_direct', 'download service direct', downloadBytes);
  yield rate('download_128mib_raw', 'download raw-webtransport webtransport', downloadBytes);
  yield rate('upload_32mib', 'upload service webtransport', uploadBytes);
  yield rate('download_128mib.ws', 'download service websocket', downloadBytes);
}

/** From the start of the shell's script to the first byte of the app, in tabs opened anew. */
async function firstByte(world: World, control: Control): Promise<Figure> {
  const times: number[] = [];
  for (let i = 0; i < coldOpens; i += 1) {
    const { target, first } = await world.open(control);
    times.push(first - Number(await world.chromium.ask(target, scriptStart)));
    await world.chromium.close(target);
  }
  return { name: 'web.first_byte_cold_ms', value: median(times), unit: 'ms' };
}

/** When the shell's script was there: what a module does begins no earlier. */
const scriptStart = `performance.timeOrigin + performance.getEntriesByType('resource')
  .find(({ name }) => name.endsWith('.js')).responseEnd`;
