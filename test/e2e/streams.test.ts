/** Bodies that are cut, and a service worker that is stopped again and again under all that a page can have under way. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { CDPSession } from 'playwright-core';
import { inLong } from '../support/long.ts';
import { LocalPeer } from './support/browser-peer.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { type OpenService, Person } from './support/person.ts';
import { Product } from './support/product.ts';
import { answerUpgrade } from './support/shim-service.ts';
import { answered, beginDownload, beginUse, endOfDownload, endUse } from './support/stopped-worker-use.ts';

const stops = inLong(2, 60);
const stopEveryMs = 2_000;
const mebibyte = 2 ** 20;

let product: Product;
let person: Person;
let peer: LocalPeer;
let tab: OpenService;

before(async () => {
  product = await Product.start();
  peer = await LocalPeer.publish(product, 'depot');
  peer.serve(fidelityService(), answerUpgrade);
  person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');
  tab = await person.open('depot');
});
after(async () => {
  await person?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

/** Stops the app's service worker, and resolves when it is. */
async function stopServiceWorkers(cdp: CDPSession): Promise<void> {
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const look = ({ versions }: { versions: { runningStatus: string }[] }) => {
    if (versions.some(({ runningStatus }) => runningStatus === 'stopped')) resolve();
  };
  cdp.on('ServiceWorker.workerVersionUpdated', look);
  await cdp.send('ServiceWorker.stopAllWorkers');
  await stopped;
  cdp.off('ServiceWorker.workerVersionUpdated', look);
}

test('app-access: a service worker that is stopped every 2 s: reads succeed, bodies are whole or an error, the rest goes on', async (t) => {
  const { shell, app } = tab;
  const cdp = await person.context.newCDPSession(shell);
  await cdp.send('ServiceWorker.enable');
  await beginUse(app);
  const cuts: string[] = [];
  for (let round = 0; round < stops; round += 1) {
    await pause(stopEveryMs);
    await beginDownload(app);
    await stopServiceWorkers(cdp);
    cuts.push(await endOfDownload(app));
    await answered(app);
  }
  const seen = await endUse(app);
  t.diagnostic(JSON.stringify(seen));
  assert.deepEqual(cuts, Array(stops).fill('TypeError'), 'what was under way is cut, and says so');
  assert.deepEqual(seen.failedReads, []);
  assert.ok(seen.reads > 0 && seen.writes > 0);
  // A request with a body is the browser's to send again when its service worker was stopped; it may have been seen twice.
  assert.ok(seen.written >= seen.writes);
  assert.deepEqual([seen.shortDownloads, seen.wrongUploads], [0, 0], 'no short file, to the page or the service');
  assert.ok(seen.wholeDownloads > 0 && seen.wholeUploads > 0);
  // An event stream is cut with the service worker. The browser comes again by itself, or tells the page that it does not.
  assert.ok(seen.events > stops, `${seen.events} events`);
  // A WebSocket does not go through the service worker at all.
  assert.ok(seen.echoes > stops);
  assert.equal(seen.socketEnds, 0);
});

test('BR-6: a gateway that is killed cuts bodies as errors, in fetch and in files; a source comes again, and the app goes on', async () => {
  const { shell, app } = tab;
  await beginDownload(app);
  await app.evaluate(async () => {
    const source = new EventSource('/ticks');
    await new Promise((resolve) => source.addEventListener('message', resolve, { once: true }));
    Object.assign(window, { source });
  });
  const uploaded = app.evaluate(() => {
    const body = new ReadableStream({
      async pull(controller) {
        controller.enqueue(new Uint8Array(65_536));
        await new Promise((resolve) => setTimeout(resolve, 20));
      },
    });
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    return fetch('/upload', init).then(
      () => 'answered',
      (error) => error.name,
    );
  });
  const downloading = shell.waitForEvent('download');
  await app.evaluate(
    (target) => {
      const link = document.createElement('a');
      Object.assign(link, { href: target, download: 'cut.bin' });
      document.body.append(link);
      link.click();
    },
    `/download?bytes=${512 * mebibyte}&ranges=none`,
  );
  const download = await downloading;
  const restarted = product.restarted('gateway');
  process.kill(product.ready.pids.gateway!, 'SIGKILL');
  await restarted;
  assert.deepEqual(await Promise.all([endOfDownload(app), uploaded]), ['TypeError', 'TypeError']);
  assert.notEqual(await download.failure(), null);
  assert.equal(await app.evaluate(async () => (await fetch('/echo')).status), 200);
  const again = await app.evaluate(async () => {
    const { source } = window as unknown as { source: EventSource };
    if (source.readyState === EventSource.CLOSED) return 'given up';
    await new Promise((resolve) => source.addEventListener('message', resolve, { once: true }));
    source.close();
    return 'there again';
  });
  assert.equal(again, 'there again');
});
