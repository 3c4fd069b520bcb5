/**
 * Rekeys under load: streams that never stop, over a path that loses, with epochs of two seconds. Every byte is counted,
 * and the longest time without any is compared with that of a session which does not rekey, in turns on one machine.
 */
import assert from 'node:assert/strict';
import type { Session } from '../../protocol/session.ts';
import type { Figure } from '../bench/figure.ts';
import { expectedDigest } from '../e2e/support/browser-app.ts';
import { begin, digestOf, keepAlive } from '../e2e/support/node-client.ts';
import { serviceA, World } from '../e2e/support/node-world.ts';
import { UdpProxy } from '../support/udp-proxy.ts';
import { quicSession } from './quic-session.ts';

export interface RekeyOptions {
  /** The run ends when there were so many. */
  readonly rekeys: number;
  readonly seed: number;
  readonly streams?: number;
  readonly loss?: number;
  /** Each side's turn. */
  readonly turnMs?: number;
  /** Without a session that does not rekey to compare with. */
  readonly isAlone?: boolean;
}

const epochS = 2;

const bytes = 128 * 1024;
const sha256 = expectedDigest(bytes);

/** One session with its installation and its path. */
class Side implements AsyncDisposable {
  readonly session: Session;
  longestGapMs = 0;
  downloads = 0;
  readonly #world: World;
  readonly #path: UdpProxy;

  private constructor(world: World, path: UdpProxy, session: Session) {
    [this.#world, this.#path, this.session] = [world, path, session];
  }

  static async start(environment: Record<string, string>, seed: number, loss: number): Promise<Side> {
    const world = await World.start(environment);
    const path = await UdpProxy.start(world.port, seed, { loss });
    const launched = await world.admin.launch(serviceA);
    const session = await quicSession(world, launched, { port: path.port });
    keepAlive(world.admin, session, launched);
    return new Side(world, path, session);
  }

  /** Downloads on so many streams until the time is over. */
  async turn(streams: number, ms: number): Promise<void> {
    const until = performance.now() + ms;
    let heardAt = performance.now();
    const heard = () => {
      const now = performance.now();
      this.longestGapMs = Math.max(this.longestGapMs, now - heardAt);
      heardAt = now;
    };
    const stream = async () => {
      while (performance.now() < until) {
        const exchange = await begin(this.session, serviceA, { target: `/download?bytes=${bytes}` });
        assert.deepEqual(await digestOf(exchange, heard), { bytes, sha256 });
        this.downloads += 1;
      }
    };
    try {
      await Promise.all(Array.from({ length: streams }, stream));
    } catch (cause) {
      throw new Error(`${JSON.stringify({ ...this.session.state, ...this.#path.counts })}`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.close('done');
    await this.session.closed;
    this.#path[Symbol.dispose]();
    await this.#world[Symbol.asyncDispose]();
  }
}

export async function rekeyUnderLoad(options: RekeyOptions): Promise<Figure[]> {
  const { rekeys, seed, streams = 8, loss = 0.02, turnMs = 10_000, isAlone = false } = options;
  await using steady = isAlone ? undefined : await Side.start({}, seed, loss);
  await using rekeying = await Side.start({ LATCHKEY_REKEY_AFTER_S: String(epochS) }, seed, loss);
  while (rekeying.session.state.epoch < rekeys) {
    await steady?.turn(streams, turnMs);
    await rekeying.turn(streams, turnMs);
    for (const side of [steady, rekeying]) assert.equal(side?.session.state.code, undefined);
  }
  assert.ok(rekeying.downloads > 0);
  const figures = [
    { name: 'rekey.epochs', value: rekeying.session.state.epoch, unit: 'rekeys' },
    { name: 'rekey.downloads_whole', value: rekeying.downloads, unit: 'downloads' },
    { name: 'rekey.longest_gap', value: rekeying.longestGapMs, unit: 'ms' },
  ];
  if (steady === undefined) return figures;
  const over = rekeying.longestGapMs - steady.longestGapMs;
  return [...figures, { name: 'rekey.longest_gap_over_steady', value: over, unit: 'ms' }];
}
