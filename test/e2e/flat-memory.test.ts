/**
 * Bodies far larger than whoever carries them may hold: the page, its service worker and Worker, and the gateway. In a
 * browser whose pages have no debugger's network instrumentation, which keeps what passes.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inLong } from '../support/long.ts';
import { QuietChromium } from '../support/quiet-chromium.ts';
import { LocalPeer } from './support/browser-peer.ts';
import { fidelityService } from './support/fidelity-service.ts';
import { browserGrowth, growthOf } from './support/memory.ts';
import { Product } from './support/product.ts';

const mebibyte = 2 ** 20;
const bytes = inLong(256, 2_048) * mebibyte;
/** Below any body: what a part holds is bounded by windows and credit, beside garbage that was not collected yet. */
const heldBytes = 200 * mebibyte;
/** Until engines have compiled, buffers have their size, and a part of that garbage is there. */
const warmUpBytes = 32 * mebibyte;

let product: Product;
let peer: LocalPeer;
let chromium: QuietChromium;
let target: string;

before(async () => {
  product = await Product.start();
  peer = await LocalPeer.publish(product, 'depot');
  peer.serve(fidelityService());
  chromium = await QuietChromium.start();
  await chromium.enrol(product.ready.enrol ?? '');
  target = await chromium.open('depot');
});
after(async () => {
  await chromium?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await product?.[Symbol.asyncDispose]();
});

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
async function upload(length: number): Promise<number> {
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

async function flat<R>(run: (length: number) => Promise<R>, say: (line: string) => void): Promise<R> {
  await chromium.inApp(target, run, warmUpBytes);
  const [parts, browser] = [growthOf(product), browserGrowth()];
  const outcome = await chromium.inApp(target, run, bytes);
  const grown = { ...(await parts.end()), ...(await browser.end()) };
  const most = Object.entries(grown).toSorted(([, one], [, other]) => other - one);
  say(most.map(([part, growth]) => `${part} ${Math.round(growth / mebibyte)}`).join(', '));
  for (const [part, growth] of most)
    assert.ok(growth <= heldBytes, `${part} grew by ${Math.round(growth / mebibyte)} MiB`);
  assert.ok('gateway' in grown && most.some(([part]) => part.startsWith('chromium')), 'both ends were watched');
  return outcome;
}

test(`BR-6: app-access: ${bytes / mebibyte} MiB down arrive in order and whole, held by nobody on the way`, async (t) => {
  assert.deepEqual(await flat(download, (line) => t.diagnostic(line)), { at: bytes, wrong: 0 });
});

test(`BR-6: app-access: ${bytes / mebibyte} MiB up, made while they are sent, arrive whole, held by nobody`, async (t) => {
  assert.equal(await flat(upload, (line) => t.diagnostic(line)), bytes);
});
