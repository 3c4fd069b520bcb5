/** The gateway's process under a flood, and struck dumb: its supervisor ends it, says why, and people come in again. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
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
const clientsAtATime = 24;

/** Connections that never ask for a session and send all they may, one group after the other, until told to stop. */
async function flood(port: number, stopped: () => boolean): Promise<number> {
  const clients: H3Client[] = [];
  while (!stopped()) {
    const client = await H3Client.dial(port);
    clients.push(client);
    await Promise.race([client.established, client.closed]).catch(() => undefined);
    for (let i = 0; i < streamsEach; i++) sendAll(client);
    // The kernel's buffer is the narrow place: each group has time to arrive.
    if (clients.length % clientsAtATime === 0) await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await Promise.all(clients.map((client) => client.close()));
  return clients.length;
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

const unlike = process.platform === 'linux' ? false : 'reads the memory of a process from /proc';

test('QPT-9: a flood ends the gateway at its memory limit, silence at its own; both are told, and people come in again', {
  skip: unlike,
}, async (t) => {
  const limit = Math.ceil(await usualMemory()) + 64;
  await using world = await World.start({
    LATCHKEY_GATEWAY_MEMORY_MIB: String(limit),
    LATCHKEY_GATEWAY_SILENT_S: '15',
  });
  await assertServes(world);

  let over = false;
  const ended = world.product.restarted('gateway').finally(() => {
    over = true;
  });
  const flooding = flood(world.port, () => over);
  const flooded = await ended;
  assert.equal(flooded['after'], 'memory');
  t.diagnostic(`${await flooding} connections without a session, limit ${limit} MiB`);
  await assertServes(world);

  const silenced = world.product.restarted('gateway');
  process.kill(Number(flooded['pid']), 'SIGSTOP');
  assert.equal((await silenced)['after'], 'stalled');
  await assertServes(world);

  for (const reason of ['memory', 'stalled'])
    await eventAfter(world.product, 0, (event) => event.type === 'gateway.restart' && event.reason === reason);
  assert.match(world.product.log, /"reason":"memory".*"msg":"process exceeds its limits; ending it"/);
});
