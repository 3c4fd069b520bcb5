/** A path that loses, repeats, reorders and damages datagrams: both directions arrive whole, and how much slower. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { downloadBytes } from '../../server/connector/demo/transfers.ts';
import type { Figure } from '../bench/figure.ts';
import { expectedDigest } from '../e2e/support/browser-app.ts';
import { begin, digestOf, fetchThrough, keepAlive } from '../e2e/support/node-client.ts';
import { serviceA, World } from '../e2e/support/node-world.ts';
import { UdpProxy } from '../support/udp-proxy.ts';
import { quicSession } from './quic-session.ts';

export interface LossOptions {
  readonly bytes: number;
  readonly seed: number;
  /** Shares of datagrams, each a run of its own. The first is what the others are compared with. */
  readonly losses: readonly number[];
}

const others = { duplicate: 0.02, reorder: 0.1, corrupt: 0.001 };

export async function lossyPath({ bytes, seed, losses }: LossOptions): Promise<Figure[]> {
  await using world = await World.start();
  const sha256 = expectedDigest(bytes);
  const body = Buffer.concat([...downloadBytes(bytes)]);
  assert.equal(createHash('sha256').update(body).digest('hex'), sha256);
  const figures: Figure[] = [];
  let clean: Took | undefined;
  for (const loss of losses) {
    const ms = await overPath(world, { bytes: body, sha256 }, loss, seed);
    clean ??= ms;
    const name = `loss.${Math.round(loss * 100)}`;
    figures.push({ name: `${name}.down_over_clean`, value: clean.down / ms.down, unit: 'x' });
    figures.push({ name: `${name}.up_over_clean`, value: clean.up / ms.up, unit: 'x' });
  }
  return figures;
}

interface Took {
  readonly down: number;
  readonly up: number;
}

/** Both directions, one after the other. @returns milliseconds */
async function overPath(
  world: World,
  { bytes: body, sha256 }: { bytes: Buffer; sha256: string },
  loss: number,
  seed: number,
): Promise<Took> {
  const bytes = body.length;
  using path = await UdpProxy.start(world.port, seed, loss === 0 ? {} : { ...others, loss });
  const launched = await world.admin.launch(serviceA);
  const session = await quicSession(world, launched, { port: path.port });
  keepAlive(world.admin, session, launched);
  try {
    const began = performance.now();
    const exchange = await begin(session, serviceA, { target: `/download?bytes=${bytes}` });
    assert.deepEqual(await digestOf(exchange), { bytes, sha256 }, 'down');
    const turned = performance.now();
    const upload = await fetchThrough(session, serviceA, { method: 'POST', target: '/upload', body });
    assert.deepEqual(JSON.parse(String(upload.body)), { bytes, sha256 }, 'up');
    const ended = performance.now();
    assert.ok(loss === 0 || path.counts.lost > 0);
    session.close('done');
    await session.closed;
    return { down: turned - began, up: ended - turned };
  } catch (cause) {
    throw new Error(`loss ${loss}, seed ${seed}, ${JSON.stringify({ ...path.counts, ...session.state })}`, { cause });
  }
}
