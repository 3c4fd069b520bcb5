/** The gateway's process under a flood, and struck dumb: its supervisor ends it, says why, and people come in again. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { transportLimits } from '../../server/transport/limits.ts';
import { webtransportStream } from '../../server/transport/quiche/http3.ts';
import { encodeVarint } from '../../server/transport/quiche/varint.ts';
import { H3Client } from '../server/transport/support/h3-client.ts';
import { eventAfter } from './support/node-audit.ts';
import { fetchThrough } from './support/node-client.ts';
import { serviceA, World } from './support/node-world.ts';
import { Product } from './support/product.ts';

const mebibyte = 2 ** 20;
/** What a client without a session may have us keep: a stream's credit, for each of a few streams. */
const hoard = Buffer.concat([encodeVarint(webtransportStream), encodeVarint(0), Buffer.alloc(mebibyte)]);
const streamsEach = 3;
/** All that a client's streams get credit for. */
const creditBytes = Math.min(streamsEach * transportLimits.streamWindowBytes, transportLimits.connectionWindowBytes);
/** Many times what it takes. */
const mostClients = 500;

/** Connections that never ask for a session and send all they may, one after the other, until the gateway has ended. */
async function flood(port: number, ended: Promise<unknown>): Promise<number> {
  let isOver = false;
  const over = ended.then(() => {
    isOver = true;
  });
  const clients: H3Client[] = [];
  try {
    while (!isOver) {
      assert.ok(clients.length < mostClients, `${mostClients} connections, and the gateway goes on`);
      const arrived = Promise.withResolvers<void>();
      // Each acknowledgement is a look at how far it is.
      const onReceive = () => {
        if (client.connection.established && sentBytes(client) >= creditBytes) arrived.resolve();
      };
      const client: H3Client = await H3Client.dial(port, { onReceive });
      clients.push(client);
      await Promise.race([client.established, client.closed, over]).catch(() => undefined);
      for (let i = 0; i < streamsEach; i++) sendAll(client);
      await Promise.race([arrived.promise, client.closed, over]);
    }
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
  return clients.length;
}

/** What the gateway was sent and was not lost on the way. */
function sentBytes({ connection }: H3Client): number {
  const { sentBytes, lostBytes } = connection.native.stats();
  return sentBytes - lostBytes;
}

function sendAll(client: H3Client): void {
  try {
    client.connection.open('bidi', hoard);
  } catch {
    // The server has closed it already.
  }
}

function memoryOf(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1_024;
}

/** What a gateway that nobody uses has here, in MiB. */
async function usualMemory(): Promise<number> {
  await using idle = await Product.start();
  return memoryOf(idle.ready.pids['gateway']!);
}

async function assertServes(world: World): Promise<void> {
  const session = await world.session();
  assert.equal((await fetchThrough(session, serviceA, '/whoami')).status, 200);
  session.close('done');
}

async function assertTold(world: World, reason: string): Promise<void> {
  await eventAfter(world.product, 0, (event) => event.type === 'gateway.restart' && event.reason === reason);
}

const unlike = process.platform === 'linux' ? false : 'reads the memory of a process from /proc';

test('QPT-9: a flood ends the gateway at its memory limit; it is told, and people come in again', {
  skip: unlike,
}, async (t) => {
  const limit = Math.ceil(await usualMemory()) + 64;
  await using world = await World.start({ LATCHKEY_GATEWAY_MEMORY_MIB: String(limit) });
  await assertServes(world);
  const ended = world.product.restarted('gateway');
  const [flooded, clients] = await Promise.all([ended, flood(world.port, ended)]);
  assert.equal(flooded['after'], 'memory');
  t.diagnostic(`${clients} connections without a session, limit ${limit} MiB`);
  await assertServes(world);
  await assertTold(world, 'memory');
  assert.match(world.product.log, /"reason":"memory".*"msg":"process exceeds its limits; ending it"/);
});

test('QPT-9: silence ends the gateway at its limit; it is told, and people come in again', {
  skip: unlike,
}, async () => {
  await using world = await World.start({ LATCHKEY_GATEWAY_SILENT_S: '15' });
  await assertServes(world);
  const ended = world.product.restarted('gateway');
  process.kill(world.product.ready.pids['gateway']!, 'SIGSTOP');
  assert.equal((await ended)['after'], 'stalled');
  await assertServes(world);
  await assertTold(world, 'stalled');
});
