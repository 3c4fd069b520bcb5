/** A far end that vanished without a word is noticed: the idle timeout of QUIC, the close of a TCP connection. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import type { PlainEndpoint } from '../../browser/transport/worker.ts';
import { BrowserWorker, launchChromium, servePages } from './support/browser-page.ts';
import { origin, startQuiche } from './support/engines.ts';
import { connectQuic } from './support/h3-client.ts';
import { connectWs } from './support/ws-client.ts';

interface Ports {
  readonly quic: number;
  readonly ws: number;
  readonly certHashes: readonly number[][];
}

const children = new Set<ChildProcess>();

/** A server process with both engines that echoes. */
async function startChild(from: string): Promise<{ child: ChildProcess; ports: Ports }> {
  const child = forkEcho(from, '0');
  const [ports] = await once(child, 'message');
  return { child, ports: ports as Ports };
}

/** A server process that has loaded everything and takes a port when it is told to. */
async function standby(from: string): Promise<ChildProcess> {
  const child = forkEcho(from, 'standby');
  await once(child, 'message');
  return child;
}

async function takeOver(child: ChildProcess, port: number): Promise<void> {
  child.send(port);
  await once(child, 'message');
}

function forkEcho(from: string, port: string): ChildProcess {
  const child = fork(new URL('./support/echo-process.ts', import.meta.url), [from, port]);
  children.add(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
  children.delete(child);
}

after(() => {
  for (const child of children) child.kill('SIGKILL');
});

// Most of each is waiting, so they wait together.
describe('a lost far end', { concurrency: true }, () => {
  it('BR-6: a Node client notices a server that was killed', async () => {
    const { child, ports } = await startChild(origin);
    const quic = await connectQuic(ports.quic, origin);
    const ws = await connectWs(ports.ws, origin);
    await kill(child);
    await Promise.all([quic.closed, ws.closed]);
    assert.equal(await quic.accept(), null);
    assert.equal(await ws.accept(), null);
  });

  it('BR-6: a Worker notices a server that was killed, and one that only fell silent', async (test) => {
    const { server: web, port } = await servePages();
    const page = `http://shell.apps.localhost:${port}`;
    const { child, ports } = await startChild(page);
    const endpoints: PlainEndpoint[] = [
      { url: `https://127.0.0.1:${ports.quic}/tunnel`, transport: 'webtransport', certHashes: ports.certHashes },
      { url: `ws://127.0.0.1:${ports.ws}/tunnel`, transport: 'websocket', certHashes: [] },
    ];
    let browser: Browser | undefined;
    try {
      browser = await launchChromium();
      const silenced = await connected(browser, page, endpoints[0]!);
      // Stopped, it keeps its ports and answers nothing: only the silence shows.
      child.kill('SIGSTOP');
      const stopped = performance.now();
      assert.equal(await silenced.perform({ task: 'closed' }), true);
      test.diagnostic(`silence noticed after ${Math.round(performance.now() - stopped)} ms`);
      child.kill('SIGCONT');
      const workers = await Promise.all(endpoints.map((endpoint) => connected(browser!, page, endpoint)));
      await kill(child);
      const killed = performance.now();
      for (const worker of workers) assert.equal(await worker.perform({ task: 'closed' }), true);
      test.diagnostic(`death noticed after ${Math.round(performance.now() - killed)} ms`);
    } finally {
      await browser?.close();
      web.closeAllConnections();
      web.close();
    }
  });

  it('BR-6: a Node client that speaks to a server which was restarted learns at once that its session is gone', async () => {
    // On a busy machine a client may have given up before the successor was there; then another one tries.
    let replies = 0;
    for (let attempt = 1; attempt <= 5 && replies === 0; attempt++) replies = await repliesOfSuccessor();
    // An idle timeout would have come without a word; a client that was slow to read has asked twice.
    assert.ok(replies >= 1);
  });

  it('BR-6: the server notices a client that fell silent', async () => {
    const closed = Promise.withResolvers<void>();
    const server = await startQuiche((carrier) => void carrier.closed.then(closed.resolve));
    let muted = false;
    const client = await connectQuic(server.port, origin, { mute: () => muted });
    muted = true;
    await closed.promise;
    assert.equal(server.transport.connections, 0);
    await client.client.close();
    await server.stop();
  });

  it('an idle session stays', async () => {
    const { child, ports } = await startChild(origin);
    const quic = await connectQuic(ports.quic, origin);
    const idle = new Promise((resolve) => setTimeout(resolve, 8_000, 'idle'));
    assert.equal(await Promise.race([quic.closed, idle]), 'idle');
    quic.close();
    await kill(child);
  });
});

/** Datagrams that a client gets after its server was killed and another, in its place, was spoken to. */
async function repliesOfSuccessor(): Promise<number> {
  const first = await startChild(origin);
  const successor = await standby(origin);
  let replies = 0;
  const quic = await connectQuic(first.ports.quic, origin, { onReceive: () => (replies += 1) });
  await kill(first.child);
  await takeOver(successor, first.ports.quic);
  replies = 0;
  quic.open(2n);
  await quic.closed;
  await kill(successor);
  return replies;
}

async function connected(browser: Browser, page: string, endpoint: PlainEndpoint): Promise<BrowserWorker> {
  const worker = await BrowserWorker.open(browser, page);
  await worker.perform({ task: 'connect', endpoints: [endpoint] });
  return worker;
}
