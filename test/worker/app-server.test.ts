import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeResponseHead } from '../../protocol/exchange/http.ts';
import type { FromTunnel } from '../../worker/app-messages.ts';
import { readToTunnel, readWebSocketMessage } from '../../worker/tunnel/app-input.ts';
import { AppServer } from '../../worker/tunnel/app-server.ts';
import { Arrivals } from '../protocol/session/pair.ts';
import { FakeClock, settled } from '../support/fake-clock.ts';
import { readHead, request, TestTunnel } from './app-side.ts';

const good = request();
const foreign: Record<string, unknown> = {
  nothing: undefined,
  null: null,
  'a text': 'request',
  'a request without an id': { ...good, id: undefined },
  'an id that is no number': { ...good, id: '7' },
  'an id that is no whole number': { ...good, id: 7.5 },
  'a target that is no text': { ...good, target: { toString: () => '/' } },
  'headers that are no list': { ...good, headers: 'accept: */*' },
  'headers that are no pairs': { ...good, headers: [['accept']] },
  'a header that is no text': { ...good, headers: [['accept', 1]] },
  'more headers than a head holds': { ...good, headers: Array.from({ length: 257 }, () => ['a', 'b']) },
  'a chunk that is no bytes': { t: 'body', id: 7, chunk: 'text' },
  'credit below nothing': { t: 'credit', id: 7, bytes: -1 },
  'credit that is no number': { t: 'credit', id: 7, bytes: Number.NaN },
  'cookies that are no text': { t: 'cookies', id: 7, text: ['a=1'] },
  'a kind nobody knows': { t: 'open sesame', id: 7 },
};
for (const [what, data] of Object.entries(foreign))
  test(`a service worker that sends ${what} is not heard`, () => assert.equal(readToTunnel(data), undefined));

const foreignFrames: Record<string, unknown> = {
  nothing: undefined,
  'a target that is no text': { t: 'connect', target: 1, protocols: [] },
  'protocols that are no texts': { t: 'connect', target: '/', protocols: [1] },
  'data of no kind': { t: 'send', data: 1 },
  'taken of no number': { t: 'taken', bytes: '1' },
  'a code that is no number': { t: 'close', code: '1000', reason: '' },
  'a reason that is no text': { t: 'close', code: 1000, reason: null },
};
for (const [what, data] of Object.entries(foreignFrames))
  test(`a page’s WebSocket that sends ${what} is not heard`, () => assert.equal(readWebSocketMessage(data), undefined));

test('an app cannot say what is between Worker and gateway: another jar, another tab', () => {
  const said = readToTunnel(
    request({
      headers: [
        [':jar-key', 'x'],
        ['accept', '*/*'],
        [':cookies', 'y=1'],
      ],
    }),
  );
  assert.deepEqual(said?.t === 'request' && said.headers, [['accept', '*/*']]);
});

function serviceWorker(server: AppServer) {
  const { port1, port2 } = new MessageChannel();
  const heard = new Arrivals<FromTunnel>();
  port1.onmessage = (event: MessageEvent<FromTunnel>) => heard.push(event.data);
  server.serve(port2, { kind: 'service-worker' });
  return { heard, say: (message: unknown) => port1.postMessage(message), port: port1 };
}

test('a service worker that was started again gets a new port, and what the old one had under way is let go', async () => {
  const tunnel = await TestTunnel.start();
  const server = new AppServer(tunnel, new FakeClock());
  const first = serviceWorker(server);
  assert.equal((await first.heard.next()).t, 'ready');
  first.say(request({ id: 1 }));
  const orphan = await tunnel.accept();
  await readHead(orphan);
  await orphan.write(encodeResponseHead({ status: 200, headers: [] }));

  const second = serviceWorker(server);
  assert.equal((await second.heard.next()).t, 'ready');
  await orphan.closed;
  second.say(request({ id: 1 }));
  const stream = await tunnel.accept();
  await readHead(stream);
  await stream.write(encodeResponseHead({ status: 204, headers: [] }));
  await stream.finish();
  const head = await second.heard.next();
  assert.equal(head.t === 'head' && head.status, 204);
  for (const { port } of [first, second]) port.close();
  await tunnel.end();
});

test('an id in use is not begun a second time', async () => {
  const tunnel = await TestTunnel.start();
  const { heard, say, port } = serviceWorker(new AppServer(tunnel, new FakeClock()));
  await heard.next();
  say(request({ id: 1 }));
  say(request({ id: 1 }));
  await readHead(await tunnel.accept());
  await settled();
  assert.ok(tunnel.isQuiet);
  port.close();
  await tunnel.end();
});
