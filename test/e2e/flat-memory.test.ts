/**
 * Bodies far larger than whoever carries them may hold: the page, its service worker and Worker, and the gateway. In a
 * browser whose pages have no debugger's network instrumentation, which keeps what passes.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inLong } from '../support/long.ts';
import { QuietChromium } from '../support/quiet-chromium.ts';
import { LocalPeer } from './support/browser-peer.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { FirefoxVisitor } from './support/firefox-visitor.ts';
import { browserGrowth, growthOf } from './support/memory.ts';
import { Product } from './support/product.ts';
import { fewerWays, settingsFor, type Way } from './support/visitor.ts';

const mebibyte = 2 ** 20;
const bytes = inLong(256, 2_048) * mebibyte;
/** Below any body: what a part holds is bounded by windows and credit, beside garbage that was not collected yet. */
const heldBytes = 200 * mebibyte;
/** Until engines have compiled, buffers have their size, and a part of that garbage is there. */
const warmUpBytes = 32 * mebibyte;

/** A browser with a service open in it. */
interface Open extends AsyncDisposable {
  /** Runs a function in the app; it sees nothing but its argument, and both are JSON. */
  inApp<A, R>(run: (argument: A) => Promise<R>, argument: A): Promise<R>;
  /** Uploads so many bytes as this browser can without having them all. */
  upload(length: number): Promise<number>;
}

async function openIn({ browser }: Way, product: Product): Promise<Open> {
  return browser === 'chromium' ? openInChromium(product) : openInFirefox(product);
}

async function openInChromium(product: Product): Promise<Open> {
  const chromium = await QuietChromium.start();
  await chromium.enrol(product.ready.enrol ?? '');
  const target = await chromium.open('depot');
  return {
    inApp: (run, argument) => chromium.inApp(target, run, argument),
    upload: (length) => chromium.inApp(target, uploadMade, length),
    [Symbol.asyncDispose]: () => chromium[Symbol.asyncDispose](),
  };
}

/** Which sends no body that is made meanwhile, but a file. */
async function openInFirefox(product: Product): Promise<Open> {
  const firefox = await FirefoxVisitor.arrive();
  await firefox.enrol(product.ready.enrol ?? '');
  const { app, chooseFile } = await firefox.open('depot');
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-file-'));
  const file = join(folder, 'large.bin');
  writeFileSync(file, '');
  truncateSync(file, bytes);
  await chooseFile(file);
  return {
    inApp: (run, argument) => app.evaluate(run, argument),
    upload: (length) => app.evaluate(uploadFile, length),
    [Symbol.asyncDispose]: async () => {
      await firefox[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

/** In the page. The first byte of each 64 KiB that says which one it is (server/connector/demo/transfers.ts) is looked at. */
async function download(length: number): Promise<{ at: number; wrong: number }> {
  const reader = (await fetch(`/download?bytes=${length}`)).body!.getReader();
  let at = 0;
  let wrong = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const inside = (65_536 + 7 - (at % 65_536)) % 65_536;
    for (let i = inside; i < next.value.byteLength; i += 65_536)
      if (next.value[i] !== (Math.floor((at + i) / 65_536) & 0xff)) wrong += 1;
    at += next.value.byteLength;
  }
  return { at, wrong };
}

/** In the page: a body that is made while it is sent. */
async function uploadMade(length: number): Promise<number> {
  let left = length;
  const body = new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      left -= 65_536;
      controller.enqueue(new Uint8Array(65_536));
    },
  });
  const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
  return (await (await fetch('/upload', init)).json()).bytes;
}

/** In the page: the beginning of the file that was chosen. */
async function uploadFile(length: number): Promise<number> {
  const file = document.querySelector<HTMLInputElement>('input[type=file]')?.files?.[0];
  return (await (await fetch('/upload', { method: 'POST', body: file?.slice(0, length) ?? null })).json()).bytes;
}

for (const way of fewerWays) {
  const where = `${way.browser}, ${way.transport}`;
  describe(where, () => {
    let product: Product;
    let peer: LocalPeer;
    let open: Open;

    before(async () => {
      product = await Product.start(settingsFor(way));
      peer = await LocalPeer.publish(product, 'depot');
      peer.serve(fidelityService());
      open = await openIn(way, product);
    });
    after(async () => {
      await open?.[Symbol.asyncDispose]();
      await peer?.[Symbol.asyncDispose]();
      await product?.[Symbol.asyncDispose]();
    });

    async function flat<R>(run: (length: number) => Promise<R>, say: (line: string) => void): Promise<R> {
      await run(warmUpBytes);
      const [parts, browser] = [growthOf(product), browserGrowth()];
      const outcome = await run(bytes);
      const grown = { ...(await parts.end()), ...(await browser.end()) };
      const most = Object.entries(grown).toSorted(([, one], [, other]) => other - one);
      say(most.map(([part, growth]) => `${part} ${Math.round(growth / mebibyte)}`).join(', '));
      for (const [part, growth] of most)
        assert.ok(growth <= heldBytes, `${part} grew by ${Math.round(growth / mebibyte)} MiB`);
      const watched = most.filter(([part]) => part.startsWith(way.browser)).length;
      // Firefox has a process for its pages, at least.
      assert.ok('gateway' in grown && watched > 1, 'both ends were watched');
      return outcome;
    }

    test(`BR-6: app-access: ${bytes / mebibyte} MiB down arrive in order and whole, held by nobody on the way (${where})`, async (t) => {
      const run = (length: number) => open.inApp(download, length);
      assert.deepEqual(await flat(run, (line) => t.diagnostic(line)), { at: bytes, wrong: 0 });
    });

    test(`BR-6: app-access: ${bytes / mebibyte} MiB up arrive whole, held by nobody (${where})`, async (t) => {
      assert.equal(await flat(open.upload, (line) => t.diagnostic(line)), bytes);
    });
  });
}
