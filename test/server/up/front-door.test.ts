import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfig } from '../../../server/config.ts';
import { logger, setLogLevel } from '../../../server/log.ts';
import { Proxies } from '../../../server/tls/proxies.ts';
import { type FrontDoor, openFrontDoor } from '../../../server/up/front-door.ts';
import { Part, PartError } from '../../../server/up/part.ts';
import { sourceTunnels, TunnelRate, tunnelsAtEasePerSecond } from '../../../server/up/tunnel-rate.ts';
import { FakeClock } from '../../support/fake-clock.ts';

setLogLevel('silent');
const file = join(import.meta.dirname, 'echo-child.ts');
const config = { ...loadConfig({ data: '/nonexistent' }), logLevel: 'silent' as const };

function part(token: string, onRestart?: (info: Record<string, unknown>) => void): Part {
  const start = () => ({ type: 'start' as const, config, token });
  return new Part({ name: 'echo', file, log: logger('test'), start, ...(onRestart && { onRestart }) });
}

async function fetchText(port: number, path: string, body = ''): Promise<Record<string, unknown>> {
  const outgoing = request({ port, path, method: body === '' ? 'GET' : 'POST', host: '127.0.0.1', agent: false });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return JSON.parse(text) as Record<string, unknown>;
}

/** Sends raw bytes and returns all that comes back until the end. */
async function raw(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.end(bytes);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  await once(socket, 'close');
  return text;
}

const parts = { control: part('a'), gateway: part('b') };
let door: FrontDoor;
before(async () => {
  await Promise.all([parts.control.start(), parts.gateway.start()]);
  door = await openFrontDoor({ port: 0, host: '127.0.0.1' }, (owner, socket, head) => parts[owner].hand(socket, head));
});
after(async () => {
  door.close();
  await Promise.all([parts.control.stop(), parts.gateway.stop()]);
});

/** @returns how many of so many tunnels were let in. */
async function begun(port: number, count: number, forwardedFor: (n: number) => string): Promise<number> {
  const begin = async (n: number): Promise<number> => {
    const headers = { 'X-Forwarded-For': forwardedFor(n) };
    const outgoing = request({ port, path: '/tunnel', host: '127.0.0.1', agent: false, headers }).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode ?? 0;
  };
  const answers = await Promise.allSettled(Array.from({ length: count }, (_, n) => begin(n)));
  return answers.filter((answer) => answer.status === 'fulfilled' && answer.value === 200).length;
}

test('QHX-4: behind a trusted proxy each caller has a share of tunnels; from anybody else the header is nothing', async () => {
  const hand = (owner: 'control' | 'gateway', socket: Socket, head: Buffer) => parts[owner].hand(socket, head);
  const proxies = new Proxies(['127.0.0.0/8']);
  const open = (options: { proxies?: Proxies }) =>
    openFrontDoor({ port: 0, host: '127.0.0.1', rate: new TunnelRate(new FakeClock()), ...options }, hand);
  const [behind, bare] = [await open({ proxies }), await open({})];
  try {
    const [many, each] = [150, (n: number) => `198.51.100.1, 203.0.113.${n}`];
    const share = tunnelsAtEasePerSecond + sourceTunnels.burst;
    assert.ok(share < many);
    assert.equal(await begun(bare.port, many, each), share);
    assert.equal(await begun(behind.port, many, each), many);
    assert.ok((await begun(behind.port, many, () => '203.0.113.7')) <= sourceTunnels.burst);
  } finally {
    behind.close();
    bare.close();
  }
});

test('/tunnel goes to the gateway and everything else to the control plane', async () => {
  for (const path of ['/', '/api/session', '/tunnels', '/x/tunnel'])
    assert.equal((await fetchText(door.port, path))['pid'], parts.control.pid, path);
  for (const path of ['/tunnel', '/tunnel?x=1'])
    assert.equal((await fetchText(door.port, path))['pid'], parts.gateway.pid, path);
});

test('a body that came with the head arrives whole, and the connection goes on', async () => {
  const body = 'x'.repeat(300_000);
  assert.equal((await fetchText(door.port, '/upload', body))['body'], body);
  const two = await raw(
    door.port,
    'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  );
  assert.match(two, /"url":"\/1"[\s\S]*"url":"\/2"/);
});

test('bytes that are not HTTP are refused and nobody is disturbed', async () => {
  assert.match(await raw(door.port, 'SSH-2.0-x\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.equal(await raw(door.port, Buffer.alloc(40_000, 0x16)), '');
  assert.equal((await fetchText(door.port, '/'))['pid'], parts.control.pid);
});

test('a connection for a part that is away is told to come back', async () => {
  const closed = await openFrontDoor({ port: 0, host: '127.0.0.1' }, () => false);
  assert.match(await raw(closed.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 503 [\s\S]*Retry-After: 1/);
  closed.close();
});

test('QPT-9: a refused client cannot hold its connection', { timeout: 20_000 }, async () => {
  const held = Promise.withResolvers<Socket>();
  const away = await openFrontDoor({ port: 0, host: '127.0.0.1' }, (_owner, socket) => {
    held.resolve(socket);
    return false;
  });
  const client = connect({ port: away.port, host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => undefined).resume();
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const socket = await held.promise;
  if (!socket.closed) await once(socket, 'close');
  client.destroy();
  away.close();
});

test('QPT-9: those who send nothing make room for those who do, the oldest first', { timeout: 20_000 }, async () => {
  const full = await openFrontDoor({ port: 0, host: '127.0.0.1', maxWaiting: 2 }, () => false);
  const silent: Socket[] = [];
  for (let i = 0; i < 2; i++) {
    const socket = connect(full.port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    silent.push(socket);
  }
  const gone = once(silent[0]!, 'close');
  assert.match(await raw(full.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 503 /);
  await gone;
  assert.equal(silent[1]!.closed, false);
  silent[1]!.destroy();
  full.close();
});

test('a part that dies is started again with a new start message', async () => {
  const again = Promise.withResolvers<Record<string, unknown>>();
  const mortal = part('c', again.resolve);
  const first = await mortal.start();
  process.kill(Number(first['pid']), 'SIGKILL');
  const second = await again.promise;
  assert.notEqual(first['pid'], second['pid']);
  await mortal.stop();
});

test('a part that cannot start says so once, with its code', async () => {
  await assert.rejects(
    part('refuse').start(),
    (error: PartError) => error instanceof PartError && error.code === 'refused',
  );
  await assert.rejects(part('die').start(), (error: PartError) => error.code === 'exited');
});
