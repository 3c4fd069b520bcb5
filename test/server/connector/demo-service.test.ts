import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { demoService } from '../../../server/connector/demo/demo-service.ts';
import { downloadBytes } from '../../../server/connector/demo/transfers.ts';

// The service listens nowhere: like the connector, the test gives it its connections.
const service = demoService();
const listener = createServer((socket) => service.emit('connection', socket));
let base: string;
before(async () => {
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  base = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
});
after(() => {
  listener.close();
  service.closeAllConnections();
});

test('a sign-in is an HttpOnly cookie that the page greets', async () => {
  const answer = await fetch(`${base}/sign-in`, {
    method: 'POST',
    body: new URLSearchParams({ name: '<b>Ada</b>' }),
    redirect: 'manual',
  });
  assert.equal(answer.status, 303);
  const [cookie = ''] = answer.headers.getSetCookie();
  assert.match(cookie, /; HttpOnly/);
  const page = await (await fetch(base, { headers: { cookie: cookie.split(';')[0] ?? '' } })).text();
  assert.match(page, /Signed in as <strong id="account">&#60;b&#62;Ada/);
  assert.doesNotMatch(await (await fetch(base)).text(), /Signed in as/);
});

test('a download is what its description says, and an upload is answered with its digest', async () => {
  const bytes = Buffer.from(await (await fetch(`${base}/download?bytes=200000`)).arrayBuffer());
  assert.ok(bytes.equals(Buffer.concat([...downloadBytes(200_000)])));
  const upload = await fetch(`${base}/upload`, { method: 'POST', body: bytes });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  assert.deepEqual(await upload.json(), { bytes: 200_000, sha256 });
});

test('a part of a download is that part of the very same bytes, and only under its own validator', async () => {
  const [address, whole] = [`${base}/download?bytes=200000`, Buffer.concat([...downloadBytes(200_000)])];
  const etag = (await fetch(address, { method: 'HEAD' })).headers.get('etag') ?? '';
  const ask = (range: string, validator: string, url = address) =>
    fetch(url, { headers: { range, 'if-range': validator } });
  const part = await ask('bytes=70000-199999', etag);
  assert.deepEqual([part.status, part.headers.get('content-range')], [206, 'bytes 70000-199999/200000']);
  assert.ok(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(70_000)));
  for (const other of [
    ask('bytes=70000-199999', '"another"'),
    ask('bytes=300000-400000', etag),
    ask('bytes=70000-199999', etag, `${address}&ranges=none`),
  ]) {
    const answer = await other;
    assert.equal(answer.status, 200);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(whole));
  }
});

test('a stopped download is cut, never complete', async () => {
  const answer = await fetch(`${base}/download?bytes=500000&stop=100000`);
  assert.equal(answer.headers.get('content-length'), '500000');
  await assert.rejects(answer.arrayBuffer());
});

test('the WebSocket echoes text and binary', async () => {
  const socket = new WebSocket(`${base.replace('http', 'ws')}/echo`);
  await once(socket, 'open');
  socket.send('hello');
  assert.equal(String((await once(socket, 'message'))[0]), 'hello');
  socket.send(Buffer.of(1, 2, 3));
  const [data, isBinary] = await once(socket, 'message');
  assert.ok(isBinary && Buffer.of(1, 2, 3).equals(data as Buffer));
  socket.close();
  await once(socket, 'close');
});

test('an upgrade anywhere else and an unknown page are refused', async () => {
  assert.equal((await fetch(`${base}/nothing`)).status, 404);
  const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await once(socket, 'close');
});
