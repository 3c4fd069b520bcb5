/** The tunnel under way in a real browser: across rekeys, and where a network lets no UDP through. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerDownload } from '../../server/connector/demo/transfers.ts';
import {
  beginDownload,
  continueDownload,
  digestOfDownload,
  download,
  echoed,
  expectedDigest,
  startEcho,
  stopEcho,
} from './support/browser-app.ts';
import { beginFile, LocalPeer } from './support/browser-peer.ts';
import { statusSeen, untilEpoch, untilTransport, watchStatus } from './support/browser-shell.ts';
import { needsNft, UdpBlock } from './support/browser-udp.ts';
import { Person, statusOf } from './support/person.ts';
import { Product } from './support/product.ts';

const mebibyte = 2 ** 20;
/** Chromium keeps trying QUIC for longer than that; a person does not wait so long. */
const fallbackLimitMs = 10_000;

test('QZ-17: a download and a WebSocket cross two rekeys without loss', async () => {
  await using product = await Product.start({ LATCHKEY_REKEY_AFTER_S: '3' });
  await using person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');
  const { shell, app } = await person.open('demo');
  await watchStatus(shell);
  const first = (await statusOf(shell)).epoch;
  await startEcho(app);
  await beginDownload(app, 64 * mebibyte);

  // A fast machine is held up halfway, so that each part of the download is sealed in another epoch.
  const counts: number[] = [];
  for (const [rekeys, upTo] of [
    [1, 20 * mebibyte],
    [2, 40 * mebibyte],
  ] as const) {
    await continueDownload(app, upTo);
    await untilEpoch(shell, first + rekeys);
    counts.push(await echoed(app));
  }
  await continueDownload(app, Number.MAX_SAFE_INTEGER);

  const bytes = 64 * mebibyte;
  assert.deepEqual(await digestOfDownload(app), { length: bytes, sha256: expectedDigest(bytes) });
  const echo = await stopEcho(app);
  assert.ok(echo !== undefined);
  assert.deepEqual({ code: echo.code, clean: echo.clean }, { code: 1_000, clean: true });
  const [early = 0, late = 0] = counts;
  assert.ok(0 < early && early < late && late < echo.answered, `echoed ${early}, ${late}, ${echo.answered}`);

  const seen = await statusSeen(shell);
  const epochs = seen.map(({ epoch }) => epoch);
  assert.deepEqual(
    epochs,
    epochs.toSorted((one, other) => one - other),
  );
  assert.ok((epochs.at(-1) ?? 0) >= first + 2, `epochs ${epochs}`);
  assert.deepEqual(
    seen.filter(({ state }) => state !== 'open' && state !== 'rekeying'),
    [],
    'the session was never lost',
  );
});

test('BR-6: where UDP is dropped everything works over WebSocket, with nothing configured', needsNft, async () => {
  await using product = await Product.start();
  using block = new UdpBlock(product.ready.port);
  await using person = await Person.arrive();
  await person.enrol(product.ready.enrol ?? '');

  const opened = person.context.waitForEvent('page');
  await person.hub.getByRole('link', { name: 'demo', exact: true }).click();
  const tab = await opened;
  await tab.waitForSelector('[role=status][data-state=open]', { timeout: fallbackLimitMs });
  const { shell, app } = await person.appOf(tab, 'demo');
  assert.deepEqual(await statusOf(shell), { state: 'open', transport: 'websocket', epoch: 0 });
  assert.ok(block.dropped > 0, 'UDP was tried and dropped');

  await app.getByRole('heading', { name: 'Field notes' }).waitFor();
  assert.equal(await app.evaluate(async () => (await fetch('/whoami')).status), 200);
  const bytes = 16 * mebibyte;
  assert.deepEqual(await download(app, bytes), { length: bytes, sha256: expectedDigest(bytes) });
  await startEcho(app);
  const echo = await stopEcho(app);
  assert.ok(echo !== undefined && echo.answered > 0 && echo.code === 1_000 && echo.clean);
  const counts = await shell.evaluate(() =>
    (document.querySelector('lk-shell') as unknown as { counts(): Promise<Record<string, number>> }).counts(),
  );
  assert.ok((counts['recordsSent'] ?? 0) > 10);
  assert.equal(counts['sealedInWasm'], counts['recordsSent'], 'the same cryptography inside');
  assert.equal((await statusOf(shell)).transport, 'websocket');
});

test(
  'QZ-17: UDP that is taken away in mid-transfer: what can go on does over WebSocket, and WebTransport comes back',
  needsNft,
  async () => {
    await using product = await Product.start();
    await using peer = await LocalPeer.publish(product, 'depot');
    const bytes = 24 * mebibyte;
    const asked = { slow: 0, order: 0, file: 0 };
    peer.serve((request, response) => {
      const url = new URL(request.url ?? '/', 'http://depot');
      if (url.pathname === '/download') {
        asked.file += 1;
        void answerDownload(request, response, url).catch(() => response.destroy());
      } else if (url.pathname === '/plain') void beginFile(response, bytes, mebibyte);
      else if (url.pathname === '/slow') {
        asked.slow += 1;
        // The first is never answered.
        if (asked.slow > 1) response.end('answered');
      } else if (url.pathname === '/order') asked.order += 1;
      else response.setHeader('content-type', 'text/html').end('<!doctype html><h1>Depot</h1>');
    });
    await using person = await Person.arrive();
    await person.enrol(product.ready.enrol ?? '');
    const { shell, app } = await person.open('depot');
    await watchStatus(shell);
    await untilTransport(shell, 'webtransport');

    await beginDownload(app, bytes);
    await continueDownload(app, 4 * mebibyte);
    await app.evaluate(() => {
      const failed = (error: Error) => error.name;
      Object.assign(window, {
        under: {
          slow: fetch('/slow').then((answer) => answer.text(), failed),
          order: fetch('/order', { method: 'POST', body: 'one piece' }).then(() => 'answered', failed),
          plain: fetch('/plain').then((answer) => answer.arrayBuffer().then(() => 'whole', failed), failed),
        },
      });
    });
    const outcome = (which: 'slow' | 'order' | 'plain') =>
      app.evaluate((name) => (window as unknown as { under: Record<string, string> }).under[name], which);
    while (asked.slow === 0 || asked.order === 0) await app.evaluate(() => fetch('/'));

    const block = new UdpBlock(product.ready.port);
    try {
      await untilTransport(shell, 'websocket');
      assert.equal(await app.evaluate(async () => (await fetch('/')).status), 200, 'new requests go on at once');
      assert.deepEqual(
        { slow: await outcome('slow'), order: await outcome('order'), plain: await outcome('plain') },
        { slow: 'answered', order: 'TypeError', plain: 'TypeError' },
      );
      await continueDownload(app, Number.MAX_SAFE_INTEGER);
      assert.deepEqual(await digestOfDownload(app), { length: bytes, sha256: expectedDigest(bytes) });
      assert.deepEqual(
        asked,
        { slow: 2, order: 1, file: 2 },
        'nothing that may have had an effect was asked for twice',
      );
    } finally {
      block[Symbol.dispose]();
    }
    await untilTransport(shell, 'webtransport');
    assert.deepEqual(await download(app, mebibyte), { length: mebibyte, sha256: expectedDigest(mebibyte) });
    const states = (await statusSeen(shell)).map(({ state, transport }) => `${state} ${transport ?? ''}`);
    assert.ok(!states.some((state) => /refused|closed/.test(state)), states.join(', '));
  },
);
