/**
 * Connections that stop on their way into a running product, wherever that is: all are gone soon, descriptors and memory
 * are back, and meanwhile somebody comes in. Those that stop in the middle of QUIC, which has no descriptors, are in
 * test/server/transport/stalled.test.ts; in-process and without sockets, test/server/gateway/sessions/slowloris.test.ts.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposableSync, readFileSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StealthTarget } from '../../protocol/init.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { ProcessWatch } from '../endurance/process-watch.ts';
import { quicSession, rest } from '../endurance/quic-session.ts';
import { inLong } from '../support/long.ts';
import { initMessage, upgradeRequest } from '../support/raw-tunnel.ts';
import { fetchThrough, trustedGateway } from './support/node-client.ts';
import { serviceA, World } from './support/node-world.ts';

const count = inLong(100, 2_000);
/** So many begin at one time: a queue that is full makes those wait who are to stall. */
const atOnce = 100;
/** Each point has addresses of its own, as strangers do. */
const addressesEach = 50;
const mostMebibytes = 24;
const lookMs = 50;

interface Target {
  readonly port: number;
  readonly host: string;
  readonly origin: string;
  readonly gateway: StealthTarget;
}

/** Where to stop: what is sent, and whether an answer comes before it stops. */
const points: Record<string, (target: Target) => { sent: Buffer; answers: number }> = {
  'connected, and silent': () => ({ sent: Buffer.alloc(0), answers: 0 }),
  'in the middle of the request’s head': ({ host, origin }) => ({
    sent: upgradeRequest(host, origin).subarray(0, 60),
    answers: 0,
  }),
  'with a WebSocket and no message': ({ host, origin }) => ({ sent: upgradeRequest(host, origin), answers: 1 }),
  'in the middle of INIT': (target) => ({ sent: begun(target).subarray(0, -500), answers: 1 }),
  'with what answers INIT, and nothing more': (target) => ({ sent: begun(target), answers: 2 }),
};

const { share } = nodeCrypto.offer();

function begun({ host, origin, gateway }: Target): Buffer {
  return Buffer.concat([upgradeRequest(host, origin), initMessage(gateway, share)]);
}

/** One that stops there. Resolves when it stalls. */
async function stall(target: Target, where: string, localAddress: string): Promise<Socket> {
  const { sent, answers } = points[where]!(target);
  const socket = connect({ port: target.port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  await Promise.race([once(socket, 'connect'), closed]);
  if (sent.length > 0) socket.write(sent);
  let heard = 0;
  // RESP is larger than the answer to an upgrade, RETRY is in a packet of its own: that something came is enough here.
  while (answers > heard && !socket.closed) {
    await Promise.race([once(socket, 'data'), closed]);
    heard += answers;
  }
  socket.resume();
  return socket;
}

async function stallAll(target: Target, where: string, net: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const addressOf = (n: number) => `127.${net}.0.${1 + (n % addressesEach)}`;
    const more = Array.from({ length: atOnce }, (_, n) => stall(target, where, addressOf(n)));
    sockets.push(...(await Promise.all(more)));
  }
  return sockets;
}

/** What the two processes that strangers reach hold. */
class Held {
  readonly #folder: string;
  readonly #pids: readonly number[];

  constructor(folder: string, { product }: World) {
    this.#folder = folder;
    this.#pids = [product.pid, product.ready.pids.gateway ?? 0];
  }

  descriptors(): number[] {
    return this.#pids.map((pid) => new ProcessWatch(pid).sample().fds);
  }

  /** Bytes of each process, after a collection that comes from now on. */
  async bytes(): Promise<number[]> {
    const now = Date.now();
    return Promise.all(this.#pids.map((pid) => this.#after(join(this.#folder, String(pid)), now)));
  }

  async #after(file: string, time: number): Promise<number> {
    const writtenAt = () => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    while (writtenAt() <= time) await rest(lookMs);
    const { heapUsed, external } = JSON.parse(readFileSync(file, 'utf8')) as { heapUsed: number; external: number };
    return heapUsed + external;
  }
}

async function comeIn(world: World): Promise<void> {
  for (const session of [await world.session(), await quicSession(world, await world.admin.launch(serviceA))]) {
    assert.equal((await fetchThrough(session, serviceA, '/whoami')).status, 200);
    session.close('done');
    await session.closed;
  }
}

async function targetOf(world: World): Promise<Target> {
  const { answer } = await world.admin.launch(serviceA);
  const { publicKey, stealthKey } = await trustedGateway(answer, world.fingerprint);
  const host = `shell.apps.localhost:${world.port}`;
  const gateway = { stealthKey, gatewayKeyHash: nodeCrypto.sha256(publicKey) };
  return { port: world.port, host, origin: `http://${host}`, gateway };
}

test(`QPT-9: ${count} connections that stop at each of ${Object.keys(points).length} points are gone, with what they took, and keep nobody out`, async (context) => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'latchkey-heap-'));
  const probe = new URL('../endurance/heap-probe.ts', import.meta.url).href;
  await using world = await World.start({ LATCHKEY_HEAP_PROBE: folder.path, NODE_OPTIONS: `--import=${probe}` });
  const held = new Held(folder.path, world);
  const target = await targetOf(world);
  await comeIn(world); // what a first client opens for good is no leak
  const before = { descriptors: held.descriptors(), bytes: await held.bytes() };
  const stalled = await Promise.all(Object.keys(points).map((where, n) => stallAll(target, where, n + 1)));
  const sockets = stalled.flat();
  const since = performance.now();
  context.diagnostic(
    `${sockets.filter(({ closed }) => !closed).length} of ${sockets.length} stand when the last one stalls`,
  );
  assert.ok(sockets.some(({ closed }) => !closed));
  await comeIn(world);
  await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
  context.diagnostic(`gone ${((performance.now() - since) / 1_000).toFixed(1)} s after that`);
  const isBack = () => held.descriptors().every((now, n) => now <= before.descriptors[n]! + 2);
  while (!isBack()) await rest(lookMs);
  const grown = (await held.bytes()).map((bytes, n) => (bytes - before.bytes[n]!) / 2 ** 20);
  context.diagnostic(
    `heaps of the front door and the gateway: ${grown.map((mib) => mib.toFixed(1)).join(' and ')} MiB more`,
  );
  assert.ok(Math.max(...grown) < mostMebibytes, `${grown} MiB`);
});
