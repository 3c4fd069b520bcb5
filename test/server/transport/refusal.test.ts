/** A refused upgrade ends, whatever its client does. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { refuseUpgrade } from '../../../server/transport/websocket.ts';

test('QPT-9: a refused client reads the status and cannot hold its connection', { timeout: 20_000 }, async () => {
  // As sockets of an HTTP server are.
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const closed = once(socket, 'close');
  refuseUpgrade(socket, '403 Forbidden');
  const [answer] = (await once(client, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 403 Forbidden\r\n/);
  await closed;
  client.destroy();
  server.close();
});
