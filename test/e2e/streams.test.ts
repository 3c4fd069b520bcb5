/** Bodies that are cut, and a service worker that is stopped again and again under all that a page can have under way. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { inLong } from '../support/long.ts';
import { arrive } from './support/arrive.ts';
import { LocalPeer } from './support/browser-peer.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { Product } from './support/product.ts';
import { answerUpgrade } from './support/shim-service.ts';
import { answered, beginDownload, beginUse, endOfDownload, endUse, goOn, rest } from './support/stopped-worker-use.ts';
import { fewerWays, type Realm, settingsFor, type Visit, type Visitor } from './support/visitor.ts';

const stops = inLong(2, 60);
const stopEveryMs = 2_000;
const mebibyte = 2 ** 20;

for (const way of fewerWays) {
  const where = `${way.browser}, ${way.transport}`;
  /**
   * Firefox stops one by itself only when it has been idle, which ours is not while a body is under way (e2e/shim). One that
   * is stopped by force ends its bodies there as if they were whole, and nobody can tell the page: README, "What does not work".
   */
  const isStoppedAtRest = way.browser === 'firefox';
  describe(where, () => {
    let product: Product;
    let visitor: Visitor;
    let peer: LocalPeer;
    let tab: Visit;

    before(async () => {
      product = await Product.start(settingsFor(way));
      peer = await LocalPeer.publish(product, 'depot');
      peer.serve(fidelityService(), answerUpgrade);
      visitor = await arrive(way.browser);
      await visitor.enrol(product.ready.enrol ?? '');
      tab = await visitor.open('depot');
    });
    after(async () => {
      await visitor?.[Symbol.asyncDispose]();
      await peer?.[Symbol.asyncDispose]();
      await product?.[Symbol.asyncDispose]();
    });

    test(`app-access: a service worker that is stopped every 2 s: reads succeed, bodies are whole or an error, the rest goes on (${where})`, async (t) => {
      const { app } = tab;
      await beginUse(app);
      const cuts: string[] = [];
      for (let round = 0; round < stops; round += 1) {
        await pause(stopEveryMs);
        if (isStoppedAtRest) await rest(app);
        else await beginDownload(app);
        await visitor.stopServiceWorkers();
        if (isStoppedAtRest) await goOn(app);
        else cuts.push(await endOfDownload(app));
        await answered(app);
      }
      const seen = await endUse(app);
      t.diagnostic(JSON.stringify(seen));
      assert.deepEqual(
        cuts,
        Array(isStoppedAtRest ? 0 : stops).fill('TypeError'),
        'what was under way is cut, and says so',
      );
      assert.deepEqual(seen.failedReads, []);
      assert.ok(seen.reads > 0 && seen.writes > 0);
      // A request with a body is the browser's to send again when its service worker was stopped; it may have been seen twice.
      assert.ok(seen.written >= seen.writes);
      assert.deepEqual([seen.shortDownloads, seen.wrongUploads], [0, 0], 'no short file, to the page or the service');
      assert.ok(seen.wholeDownloads > 0 && seen.wholeUploads > 0);
      if (isStoppedAtRest)
        assert.deepEqual([seen.cutReads, seen.lostWrites, seen.cutDownloads, seen.cutUploads], [0, 0, 0, 0]);
      // An event stream is cut with the service worker. The browser comes again by itself, or tells the page that it does not.
      assert.ok(seen.events > stops, `${seen.events} events`);
      // A WebSocket does not go through the service worker at all.
      assert.ok(seen.echoes > stops);
      assert.equal(seen.socketEnds, 0);
    });

    test(`BR-6: a gateway that is killed cuts bodies as errors, in fetch and in files; a source comes again, and the app goes on (${where})`, async () => {
      const { app } = tab;
      await beginDownload(app);
      await app.evaluate(async () => {
        const source = new EventSource('/ticks');
        await new Promise((resolve) => source.addEventListener('message', resolve, { once: true }));
        Object.assign(window, { source });
      });
      // The service takes its first part and no more.
      await app.evaluate(async () => {
        const body = new Blob([new Uint8Array(50 * 1_048_576)]);
        const uploaded = fetch('/hold-upload?key=cut', { method: 'POST', body }).then(
          () => 'answered',
          (error) => error.name,
        );
        Object.assign(window, { uploaded });
        while ((await (await fetch('/count?key=cut')).json()).count === 0);
      });
      const file = await tab.save(`/download?bytes=${512 * mebibyte}&ranges=none`);
      const restarted = product.restarted('gateway');
      process.kill(product.ready.pids.gateway!, 'SIGKILL');
      await restarted;
      assert.deepEqual(await Promise.all([endOfDownload(app), endOfUpload(app)]), ['TypeError', 'TypeError']);
      assert.equal(await file.end(), 'failed');
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
  });
}

const endOfUpload = (app: Realm): Promise<string> =>
  app.evaluate(() => (window as unknown as { uploaded: Promise<string> }).uploaded);
