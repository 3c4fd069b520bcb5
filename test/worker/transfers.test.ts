import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transfers as Counted } from '../../worker/api.ts';
import { HttpExchange } from '../../worker/tunnel/http-exchange.ts';
import { Transfers } from '../../worker/tunnel/transfers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { answer, readHead, readRest, request, Said, TestTunnel } from './app-side.ts';

const mib = 2 ** 20;

function counting() {
  const clock = new FakeClock();
  const told: Counted[] = [];
  return { clock, told, transfers: new Transfers(clock, (counted) => told.push(counted)) };
}

test('BR-11: bodies of known length are told together with their sum, and the last word is that none is left', async () => {
  const { clock, told, transfers } = counting();
  const [one, two] = [transfers.begin(), transfers.begin()];
  one.expect(4 * mib);
  two.expect(2 * mib);
  one.moved(mib);
  two.moved(mib);
  await clock.advance(250);
  assert.deepEqual(told, [{ bodies: 2, movedBytes: 2 * mib, totalBytes: 6 * mib }]);
  one.end();
  two.end();
  await clock.advance(250);
  assert.deepEqual(told.at(-1), { bodies: 0, movedBytes: 0, totalBytes: undefined });
  await clock.advance(10_000);
  assert.equal(told.length, 2, 'nothing moves, nothing is said');
  assert.equal(clock.pending, 0);
});

test('BR-11: however many chunks cross, a page is told at most four times a second', async () => {
  const { clock, told, transfers } = counting();
  const body = transfers.begin();
  body.expect(100 * mib);
  for (let i = 0; i < 100; i += 1) {
    body.moved(64 * 1024);
    await clock.advance(10);
  }
  assert.ok(told.length <= 4, `${told.length} in a second`);
});

test('BR-11: a small answer has no bar, and neither has a stream of events that stands still', async () => {
  const { clock, told, transfers } = counting();
  const small = transfers.begin();
  small.expect(200_000);
  small.moved(200_000);
  small.end();
  const events = transfers.begin();
  events.moved(1_000);
  await clock.advance(1_000);
  assert.equal(told.length, 0);
  events.moved(mib);
  await clock.advance(250);
  assert.deepEqual(told, [{ bodies: 1, movedBytes: mib + 1_000, totalBytes: undefined }]);
  await clock.advance(5_000);
  assert.equal(told.at(-1)?.bodies, 0);
  assert.equal(clock.pending, 0, 'it is not looked at for ever');
});

test('BR-11: a body whose length was told and that is longer has no total any more', async () => {
  const { clock, told, transfers } = counting();
  const body = transfers.begin();
  body.expect(mib);
  body.moved(2 * mib);
  await clock.advance(250);
  assert.deepEqual(told, [{ bodies: 1, movedBytes: 2 * mib, totalBytes: undefined }]);
});

test('BR-11: an exchange counts what crossed of its answer, and its end whether complete or cut', async () => {
  for (const isCut of [false, true]) {
    const { clock, told, transfers } = counting();
    const tunnel = await TestTunnel.start();
    const said = new Said();
    const use = { transfers, hidden: [], origin: tunnel.origin, open: tunnel.open.bind(tunnel) };
    const exchange = new HttpExchange(request(), use, said.say);
    const over = exchange.run();
    const stream = await tunnel.accept();
    await readRest(stream, (await readHead(stream)).rest);
    const body = new Uint8Array(400_000);
    await answer(stream, 200, [['content-length', '500000']], body.subarray(0, 300_000));
    for (let got = 0; got < 300_000; ) {
      const bytes = (await said.until('chunk')).chunk.length;
      exchange.take({ t: 'credit', id: 7, bytes });
      got += bytes;
    }
    await clock.advance(250);
    assert.deepEqual(told.at(-1), { bodies: 1, movedBytes: 300_000, totalBytes: 500_000 });
    if (isCut) stream.reset('upstream_failed');
    else await stream.finish();
    await over;
    await clock.advance(250);
    assert.equal(told.at(-1)?.bodies, 0);
    await tunnel.end();
  }
});
