/** The worker's transports in a real Chromium against every engine that loads: BR-6 as a person's browser does it. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import type { Carrier } from '../../../protocol/carrier.ts';
import type { Clock } from '../../../protocol/clock.ts';
import { QuicheTransport } from '../../../server/transport/quiche/quiche-transport.ts';
import { QuinnTransport } from '../../../server/transport/quinn/quinn-transport.ts';
import type { CarrierSource, TransportServer } from '../../../server/transport/session.ts';
import { WebSocketTransport } from '../../../server/transport/websocket.ts';
import type { PlainEndpoint } from '../../browser/transport/worker.ts';
import { BrowserWorker, launchChromium, servePages } from './support/browser-page.ts';
import { ManualClock, realClock } from './support/clock.ts';
import { echoCarrier } from './support/echo.ts';
import { quinn, ticketPath } from './support/engines.ts';
import { Random, record } from './support/random.ts';

const webtransport = 1;
const websocket = 2;
const dayMs = 86_400_000;
const mebibyte = 1 << 20;
type QuicEngine = 'quinn' | 'quiche';
type Name = QuicEngine | 'websocket';
const quicEngines: readonly QuicEngine[] = 'module' in quinn ? ['quinn', 'quiche'] : ['quiche'];

describe('Chromium', () => {
  let browser: Browser;
  let web: Server;
  let origin: string;
  const servers: Partial<Record<Name, CarrierSource>> = {};
  /** Made anew for each connection: a ticket is good for one. */
  const endpoints: Partial<Record<Name, () => PlainEndpoint>> = {};
  let onCarrier: (carrier: Carrier) => void;

  before(async () => {
    const pages = await servePages();
    web = pages.server;
    origin = `http://shell.apps.localhost:${pages.port}`;
    const webSocket = new WebSocketTransport({ origins: [origin] });
    web.on('upgrade', (request, socket, head) => webSocket.handleUpgrade(request, socket, head));
    servers.websocket = webSocket;
    const url = `ws://shell.apps.localhost:${pages.port}/tunnel`;
    endpoints.websocket = () => ({ url, transport: 'websocket', certHashes: [] });
    for (const name of quicEngines) {
      const server = newEngine(name, origin, realClock);
      const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
      servers[name] = server;
      endpoints[name] = () => quicEndpoint(port, server);
    }
    for (const server of Object.values(servers)) server.onCarrier = (carrier) => onCarrier(carrier);
    browser = await launchChromium();
  });

  after(async () => {
    await browser?.close();
    for (const server of Object.values(servers)) await server.close();
    web?.closeAllConnections();
    await new Promise((resolve) => web?.close(resolve));
  });

  /** Opens the tunnel's page, runs `body`, closes the page. */
  async function inWorker(body: (worker: BrowserWorker) => Promise<void>, from = origin): Promise<void> {
    onCarrier = (carrier) => void echoCarrier(carrier);
    const worker = await BrowserWorker.open(browser, from);
    try {
      await body(worker);
    } finally {
      await worker.close();
    }
  }

  for (const name of [...quicEngines, 'websocket'] as const) {
    const transport = name === 'websocket' ? websocket : webtransport;
    it(`BR-6: a Worker exchanges 32 MiB each way over 16 streams at once by ${name}, equal by SHA-256`, async (test) => {
      await inWorker(async (worker) => {
        assert.equal(await worker.perform({ task: 'connect', endpoints: [endpoints[name]!()] }), transport);
        const { digests, ms } = await worker.perform<EchoResult>({
          task: 'echo',
          streams: 16,
          bytesPerStream: 2 * mebibyte,
        });
        assert.equal(digests.length, 16);
        for (const { sent, received, bytes } of digests) {
          assert.equal(bytes, 128 * 16_388);
          assert.equal(received, sent);
        }
        test.diagnostic(
          `32 MiB each way by ${name} in ${Math.round(ms)} ms: ${((32 * 1_000) / ms).toFixed(1)} MiB/s each way`,
        );
        assert.equal(await worker.perform({ task: 'close' }), true);
      });
    });

    it(`BR-6: the server opens a stream to a Worker by ${name}`, async () => {
      await inWorker(async (worker) => {
        onCarrier = (carrier) => void carrier.open(1n).send(record(new Uint8Array(20)));
        await worker.perform({ task: 'connect', endpoints: [endpoints[name]!()] });
        assert.deepEqual(await worker.perform({ task: 'accept' }), { id: 1, length: 24 });
      });
    });

    it(`BR-6: a Worker of another origin is refused by ${name}`, async () => {
      // It has no ticket: the answer to a launch is not for its origin.
      const endpoint = endpoints[name]!();
      const withoutTicket = { ...endpoint, url: endpoint.url.replace(/\/tunnel\/.*$/, '/tunnel/') };
      const { counters } = servers[name]!;
      const before = counters.refused;
      const evil = origin.replace('shell.apps', 'evil.apps');
      await inWorker(async (worker) => {
        onCarrier = () => assert.fail('a carrier was made');
        await assert.rejects(worker.perform({ task: 'connect', endpoints: [withoutTicket] }), {
          code: 'unreachable',
        });
      }, evil);
      assert.equal(counters.refused, before + 1);
    });

    it(`BR-6: a Worker learns by ${name} that the server closed`, async () => {
      await inWorker(async (worker) => {
        const arrived = Promise.withResolvers<Carrier>();
        onCarrier = (carrier) => arrived.resolve(carrier);
        await worker.perform({ task: 'connect', endpoints: [endpoints[name]!()] });
        (await arrived.promise).close();
        assert.equal(await worker.perform({ task: 'closed' }), true);
      });
    });

    it(`BR-6: the server learns by ${name} that the page is gone`, async () => {
      const arrived = Promise.withResolvers<Carrier>();
      await inWorker(async (worker) => {
        onCarrier = (carrier) => arrived.resolve(carrier);
        await worker.perform({ task: 'connect', endpoints: [endpoints[name]!()] });
      });
      await (await arrived.promise).closed;
    });
  }

  for (const name of quicEngines) {
    it(`BR-6: a Worker refuses a certificate of ${name} that is not pinned`, async () => {
      const random = new Random();
      const pinned = { ...endpoints[name]!(), certHashes: [[...random.bytes(32)]] };
      await inWorker(async (worker) => {
        onCarrier = () => assert.fail('a carrier was made');
        await assert.rejects(worker.perform({ task: 'connect', endpoints: [pinned] }), { code: 'unreachable' });
      });
    });

    it(`BR-6: hashes learned before the certificate of ${name} changed still fit afterwards`, async () => {
      const clock = new ManualClock(Date.now() - 12 * dayMs - 3_600_000);
      const aging = newEngine(name, origin, clock);
      aging.onCarrier = (carrier) => void echoCarrier(carrier);
      const { port } = await aging.listen({ host: '127.0.0.1', port: 0 });
      const { certHashes } = quicEndpoint(port, aging);
      const changed = new Promise<void>((resolve) => {
        aging.onCertHashes = resolve;
      });
      clock.advance(12 * dayMs + 3_600_000);
      await changed;
      try {
        await inWorker(async (worker) => {
          const learned = { ...quicEndpoint(port, aging), certHashes };
          assert.equal(await worker.perform({ task: 'connect', endpoints: [learned] }), webtransport);
        });
      } finally {
        await aging.close();
      }
    });

    it(`BR-6: the race is won by WebTransport of ${name} where UDP gets through`, async () => {
      await inWorker(async (worker) => {
        const both = [endpoints.websocket!(), endpoints[name]!()];
        assert.equal(await worker.perform({ task: 'race', endpoints: both }), webtransport);
      });
    });
  }

  it('BR-6: the race falls back to WebSocket where UDP vanishes', async () => {
    const hole = createSocket('udp4');
    await new Promise<void>((resolve) => hole.bind(0, '127.0.0.1', resolve));
    const silent = { ...endpoints.quiche!(), url: `https://127.0.0.1:${(hole.address() as AddressInfo).port}/tunnel` };
    await inWorker(async (worker) => {
      assert.equal(await worker.perform({ task: 'race', endpoints: [silent, endpoints.websocket!()] }), websocket);
      const { digests } = await worker.perform<EchoResult>({ task: 'echo', streams: 2, bytesPerStream: 100_000 });
      for (const { sent, received } of digests) assert.equal(received, sent);
    });
    hole.close();
  });

  it('BR-6: the race falls back to WebSocket at once where nothing listens on UDP', async () => {
    const closed = { ...endpoints.quiche!(), url: 'https://127.0.0.1:9/tunnel' };
    await inWorker(async (worker) => {
      assert.equal(await worker.perform({ task: 'race', endpoints: [closed, endpoints.websocket!()] }), websocket);
    });
  });

  it('the race is lost when nothing is reachable', async () => {
    const nowhere: PlainEndpoint[] = [
      { ...endpoints.quiche!(), url: 'https://127.0.0.1:9/tunnel' },
      { ...endpoints.websocket!(), url: 'ws://127.0.0.1:9/tunnel' },
    ];
    await inWorker(async (worker) => {
      await assert.rejects(worker.perform({ task: 'race', endpoints: nowhere }), { code: 'unreachable' });
    });
  });
});

interface EchoResult {
  readonly digests: readonly { sent: string; received: string; bytes: number }[];
  readonly ms: number;
}

/** An engine by name that does not listen yet. */
function newEngine(name: QuicEngine, from: string, clock: Clock): TransportServer {
  if (name === 'quinn' && 'module' in quinn) return new QuinnTransport({ native: quinn.module, clock });
  return new QuicheTransport({ origins: [from], clock });
}

function quicEndpoint(port: number, transport: TransportServer): PlainEndpoint {
  const certHashes = transport.certHashes().map((hash) => [...hash]);
  return { url: `https://127.0.0.1:${port}${ticketPath(transport)}`, transport: 'webtransport', certHashes };
}
