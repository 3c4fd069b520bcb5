/** The gateway as the supervisor runs it: a process of its own, started by IPC, given sockets, killed at any moment. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ChildMessage } from '../../../server/up/child.ts';
import { openFrontDoor } from '../../../server/up/front-door.ts';
import { token } from './world/authority.ts';
import { fetchThrough } from './world/exchange.ts';
import { connectWebSocket } from './world/web-socket.ts';
import { World } from './world/world.ts';

const main = join(import.meta.dirname, '../../../server/gateway/main.ts');

async function start(world: World): Promise<{ child: ChildProcess; info: Record<string, unknown> }> {
  const child = fork(main, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.send({ type: 'start', config: { ...world.config, logLevel: 'silent' }, token });
  const [message] = (await once(child, 'message')) as [ChildMessage];
  assert.equal(message.type, 'ready');
  return { child, info: message.type === 'ready' ? message.info : {} };
}

test('BR-7: killed with -9, the gateway comes back: sign-ins, keys and every event are still there', async () => {
  const cookies: (string | undefined)[] = [];
  const world = await World.open((request, response) => {
    cookies.push(request.headers.cookie);
    response.writeHead(200, { 'set-cookie': 'sid=in; HttpOnly; Path=/' }).end('ok');
  });
  // The one in this process made way: its keys and its folder stay.
  await world.gateway.close();
  let child: ChildProcess | undefined;
  const door = await openFrontDoor({ port: 0, host: '127.0.0.1' }, (_owner, socket, head) => {
    child?.send({ type: 'socket', head: head.toString('base64') }, socket);
    return true;
  });
  after(async () => {
    child?.kill('SIGKILL');
    // Not waited for: a server counts connections that a killed process had for ever.
    void door.close();
    await world.close();
  });
  const enter = async () =>
    world.client({ carrier: await connectWebSocket({ tcpPort: door.port, shellOrigin: world.shellOrigin }) });
  const admit = (info: Record<string, unknown>) =>
    world.far.admit({ publicKey: String(info['wireguardKey']), port: Number(info['wireguardPort']) });
  const headers: [string, string][] = [[':jar-key', Buffer.alloc(32, 6).toString('base64url')]];

  const first = await start(world);
  child = first.child;
  admit(first.info);
  world.authority.acknowledges = false;
  const session = await enter();
  await fetchThrough(session, '/one', { headers });
  await world.authority.event(({ type }) => type === 'session.open');
  child.kill('SIGKILL');
  const { cut } = await session.closed;
  assert.equal(cut, true, 'a death is never an orderly end');

  world.authority.acknowledges = true;
  const second = await start(world);
  child = second.child;
  admit(second.info);
  assert.equal(second.info['wireguardKey'], first.info['wireguardKey']);
  const next = await enter();
  await fetchThrough(next, '/two', { headers });
  assert.deepEqual(cookies, [undefined, 'sid=in']);
  await world.authority.event(({ detail }) => detail?.['path'] === '/two');
  assert.ok(world.authority.repeated >= 1, 'what was not acknowledged came again');
  await world.authority.event(({ detail }) => detail?.['path'] === '/one');
  next.close('done');
  await next.closed;
  child.send({ type: 'stop' });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('QHX-4: a gateway whose token is refused does not serve', async () => {
  const world = await World.open((_request, response) => response.end());
  await world.gateway.close();
  world.authority.refuses = true;
  const child = fork(main, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.send({ type: 'start', config: { ...world.config, logLevel: 'silent' }, token: 'one that was used before' });
  const [code] = await once(child, 'exit');
  assert.equal(code, 1);
  await world.close();
});
