import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { closeFront, frontLimits, httpFront } from '../../../server/control/http/front.ts';
import { originApps } from '../../../server/control/http/origin-apps.ts';
import { StaticFiles } from '../../../server/control/http/static-files.ts';
import { Installation } from './installation.ts';

const large = randomBytes(8 * 1024 * 1024).toString('hex');

describe('a connection of the control plane', () => {
  let installation: Installation;
  let http: ReturnType<typeof httpFront>;
  let port: Server;
  /** Our ends of the connections. */
  let served: Socket[];
  beforeEach(async () => {
    installation = await new Installation().start();
    const folder = join(installation.config.assets, 'hub');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'small.js'), 'small()');
    writeFileSync(join(folder, 'large.js'), large);
    const apps = originApps(installation.control.context, installation.control.desk);
    http = httpFront(installation.control.context, apps);
    served = [];
    port = createServer({ pauseOnConnect: true }, (socket) => {
      served.push(socket);
      http.emit('connection', socket);
      socket.resume();
    });
    await new Promise<void>((resolve) => port.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await closeFront(http);
    await new Promise<void>((resolve) => port.close(() => resolve()));
    await installation.stop();
    installation.remove();
  });

  const open = () => connect((port.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  const ask = (name: string, connection: string) =>
    `GET /${name} HTTP/1.1\r\nHost: ${new URL(installation.hub).host}\r\nConnection: ${connection}\r\n\r\n`;
  const textOf = (socket: Socket) =>
    new Promise<string>((resolve) => {
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      socket.once('close', () => resolve(text));
    });

  test('QPT-9: who asks for more before the answers is cut off', async () => {
    const socket = open();
    const text = textOf(socket);
    socket.write(ask('small.js', 'keep-alive').repeat(50) + ask('small.js', 'close'));
    assert.ok((await text).split('HTTP/1.1 200').length - 1 < 3);
  });

  test('many requests one after the other on one connection are answered', async () => {
    const socket = open().setEncoding('utf8');
    for (let i = 0; i < 20; i++) {
      socket.write(ask('small.js', 'keep-alive'));
      let text = '';
      while (!text.endsWith('small()')) text += String((await once(socket, 'data'))[0]);
    }
    socket.destroy();
  });

  test('QPT-9: a reader that does not read is cut off', async () => {
    assert.equal(http.timeout, frontLimits.timeout);
    http.timeout = 200;
    const socket = open().pause();
    const accepted = once(port, 'connection');
    socket.write(ask('large.js', 'close'));
    await accepted;
    const [ours] = served;
    assert.ok(ours);
    await once(ours, 'close');
    assert.ok(ours.bytesWritten < large.length);
    socket.destroy();
  });

  test('a large file arrives whole', async () => {
    const socket = open();
    const text = textOf(socket);
    socket.write(ask('large.js', 'close'));
    const [head = '', body = ''] = (await text).split('\r\n\r\n');
    assert.match(head, new RegExp(`content-length: ${large.length}`, 'i'));
    assert.ok(body === large, 'other bytes than those of the file');
  });

  test('a file is held once for all who read it, and read again when it was built again', async () => {
    const files = new StaticFiles(join(installation.config.assets, 'hub'));
    const [one, other] = await Promise.all([files.find('/small.js'), files.find('/small.js')]);
    assert.ok(one);
    assert.equal(one.bytes, other?.bytes);
    assert.equal((await files.find('/small.js'))?.bytes, one.bytes);
    writeFileSync(join(installation.config.assets, 'hub', 'small.js'), 'smaller()');
    assert.equal(Buffer.from((await files.find('/small.js'))?.bytes ?? []).toString(), 'smaller()');
  });
});
