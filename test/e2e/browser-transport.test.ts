/** The tunnel under way in a real browser: across rekeys, and where a network lets no UDP through. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
import { statusSeen, untilEpoch, watchStatus } from './support/browser-shell.ts';
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
