/**
 * A flood of handshakes against a gateway in a process of its own, over loopback: who knows nothing costs no key
 * operation, who knows the stealth key costs few, and everybody else gets in.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { hex, unbase64url } from '../../../protocol/bytes.ts';
import type { Carrier } from '../../../protocol/carrier.ts';
import type { Session } from '../../../protocol/session.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { halfOpenAtEase, handshakesAtEasePerSecond } from '../../../server/gateway/limits.ts';
import { inLong } from '../../support/long.ts';
import { ticketPath } from '../transport/support/engines.ts';
import { connectQuic } from '../transport/support/h3-client.ts';
import { FarGateway } from './world/far-gateway.ts';
import type { Flooded, FloodPlan } from './world/flooder.ts';
import type { GatewayCount } from './world/gateway-child.ts';
import { connectWebSocket } from './world/web-socket.ts';
import { World } from './world/world.ts';

const seconds = inLong(2, 20);
const badPerSecond = inLong(600, 5_000);
const goodPerSecond = inLong(300, 500);

let world: World;
let gateway: FarGateway;
before(async () => {
  world = await World.open((_request, response) => response.end('ok'));
  gateway = await FarGateway.replace(world);
});
after(async () => {
  await gateway.close();
  await world.close();
});

/** Each address has a share of tunnels at the front door, so a flood from few is another one than a flood from many. */
const few = 8;
const many = 2_000;

/** Policy that is older than a minute lets nobody in, and here only the tests renew it. */
beforeEach(() => world.authority.publish());

const addresses = (net: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `127.${net}.${i >> 7}.${(i & 127) + 1}`);

/** Runs one flooder to its end. */
async function flood(perSecond: number, from: number, knows: 'the stealth key' | 'nothing'): Promise<Flooded> {
  const { publicKey, stealthKey } = world.authority.hello!;
  const plan: FloodPlan = {
    port: gateway.tcpPort,
    host: new URL(world.shellOrigin).host,
    origin: world.shellOrigin,
    perSecond,
    seconds,
    gatewayKeyHash: hex(nodeCrypto.sha256(unbase64url(publicKey))),
    sources: addresses(knows === 'nothing' ? 1 : 2, from),
    atOnce: 1_500,
    ...(knows === 'nothing' ? {} : { stealthKey: hex(unbase64url(stealthKey)) }),
  };
  const script = join(import.meta.dirname, 'world/flooder.ts');
  const child = spawn(process.execPath, [script, JSON.stringify(plan)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  await once(child, 'exit');
  return JSON.parse(output) as Flooded;
}

/** One after another, until the floods are over: each by a device of its own. */
async function comeInDuring(floods: Promise<unknown>) {
  const result = { tried: 0, opened: 0, failures: 0, ms: [] as number[], rssBytes: 0 };
  let isOver = false;
  void floods.then(() => (isOver = true));
  while (!isOver || result.tried < 6) {
    const began = performance.now();
    const spiffeId = `spiffe://latchkey.local/user/ada/device/d${result.tried++}`;
    // As a tab does it: an attempt that fails is made again, twice here.
    for (let attempt = 0; attempt < 3; attempt++) {
      const session = await enter(result.tried, spiffeId);
      if (session === undefined) {
        result.failures++;
        continue;
      }
      result.opened++;
      result.ms.push(performance.now() - began);
      session.close('done');
      break;
    }
    if (result.tried % 5 === 0) result.rssBytes = Math.max(result.rssBytes, (await gateway.count()).rssBytes);
    await setImmediate();
  }
  result.ms.sort((a, b) => a - b);
  return result;
}

async function enter(n: number, spiffeId: string): Promise<Session | undefined> {
  try {
    return await world.client({ carrier: await carrier(n), svid: { spiffeId } });
  } catch (error) {
    console.log(`not in: ${error}`);
    return undefined;
  }
}

/** Every other one by WebTransport, where it is. */
function carrier(n: number): Promise<Carrier> {
  if (n % 2 === 0 && gateway.udpPort !== undefined)
    return connectQuic(gateway.udpPort, world.shellOrigin, { path: ticketPath(gateway) });
  return connectWebSocket({ tcpPort: gateway.tcpPort, shellOrigin: world.shellOrigin });
}

const said = (
  what: string,
  came: Awaited<ReturnType<typeof comeInDuring>>,
  { sent, letIn }: Flooded,
  { first, last }: { first: GatewayCount; last: GatewayCount },
): void =>
  console.log(
    `${what}: ${sent} INITs in ${seconds} s, ${letIn} let in; ${came.opened} of ${came.tried} got in (${came.failures} attempts failed), p95 ` +
      `${came.ms[Math.floor(came.ms.length * 0.95)]?.toFixed(0)} ms; RSS + ${((came.rssBytes - first.rssBytes) / 2 ** 20).toFixed(1)} MiB, ` +
      // The gateway's own time, which no other load on the machine makes longer, the sessions that came in included.
      `${(((last.cpuMs - first.cpuMs) * 1_000) / sent).toFixed(0)} µs of its processor for each`,
  );

for (const [from, where] of [
  [few, 'few'],
  [many, 'many'],
] as const)
  test(`QHX-4: a flood with a wrong mac1 from ${where} addresses costs no key operation and keeps nobody out`, async () => {
    await comeInDuring(Promise.resolve()); // what the process allocates once is allocated
    const first = await gateway.count();
    const floods = flood(badPerSecond, from, 'nothing');
    const came = await comeInDuring(floods);
    const last = await gateway.count();
    said(`wrong mac1, ${from} addresses`, came, await floods, { first, last });
    assert.ok((await floods).letIn > 0, 'the gateway let some of them in, to look at their INIT');
    assert.ok(came.opened >= 0.99 * came.tried, `${came.opened} of ${came.tried}`);
    const answers = last.answers - first.answers;
    const theirs = came.opened + came.failures;
    assert.ok(answers >= came.opened && answers <= theirs, 'key exchanges of those who came in, and no other');
    assert.ok(came.rssBytes - first.rssBytes < 64 * 2 ** 20);
  });

test('QHX-4: a flood that knows the stealth key as well is asked for cookies, and keeps nobody out', async () => {
  const [first, began] = [await gateway.count(), performance.now()];
  const floods = [flood(badPerSecond, many, 'nothing'), flood(goodPerSecond, many, 'the stealth key')] as const;
  const came = await comeInDuring(Promise.all(floods));
  const [bad, good] = await Promise.all(floods);
  const last = await gateway.count();
  const both = { sent: bad.sent + good.sent, letIn: bad.letIn + good.letIn };
  said('wrong and right mac1', came, both, { first, last });
  assert.ok(came.opened >= 0.99 * came.tried, `${came.opened} of ${came.tried}`);
  assert.ok(bad.letIn > 0 && good.letIn > 0, `${bad.letIn} and ${good.letIn} were let in`);
  const theirs = last.answers - first.answers - came.opened;
  // Each attempt of ours that failed may have cost one.
  assert.ok(theirs > came.failures, 'who knows the stealth key costs key exchanges');
  // None of them goes on, so what is answered is half open for ten seconds and then makes room for as many again.
  const turns = 1 + Math.ceil((performance.now() - began) / 10_000);
  assert.ok(
    theirs <= (1.5 * halfOpenAtEase + handshakesAtEasePerSecond) * turns,
    `${theirs} key exchanges for ${good.letIn} INITs`,
  );
  assert.ok(came.rssBytes - first.rssBytes < 64 * 2 ** 20);
});
