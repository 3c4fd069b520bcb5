/** What quiche's congestion window does after losses, on a connection that is idle between its bursts, as a browser's is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UdpProxy } from '../../support/udp-proxy.ts';
import { echoCarrier } from './support/echo.ts';
import { origin, startQuiche } from './support/engines.ts';
import { connectQuic } from './support/h3-client.ts';
import { record } from './support/random.ts';

const largest = record(new Uint8Array(16_000));
const mostRounds = 400;

test('BR-6: after losses the window opens again, though nothing is in flight between two bursts', async (t) => {
  const running = await startQuiche((carrier) => void echoCarrier(carrier));
  const path = await UdpProxy.start(running.port, 7);
  const carrier = await connectQuic(path.port, origin);
  const window = (): number => carrier.client.connection.native.pathStats()[0]?.cwnd ?? 0;
  try {
    const channel = carrier.open(2n);
    const burst = async (): Promise<void> => {
      await channel.send(largest);
      assert.equal((await channel.receive())?.length, largest.length);
    };
    path.faults = { loss: 0.2 };
    for (let rounds = 0; rounds < 12; rounds += 1) await burst();
    path.faults = {};
    const shrunk = window();
    let rounds = 0;
    for (; rounds < mostRounds && window() < 2 * shrunk; rounds += 1) await burst();
    t.diagnostic(`${shrunk} bytes after the losses, ${window()} after ${rounds} bursts`);
    assert.ok(window() >= 2 * shrunk);
  } finally {
    carrier.close();
    path[Symbol.dispose]();
    await running.stop();
  }
});
