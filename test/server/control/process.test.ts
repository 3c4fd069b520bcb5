import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { verifyAudit } from '../../../server/audit/verify.ts';
import { loadConfig } from '../../../server/config.ts';
import type { ChildMessage } from '../../../server/up/child.ts';

const main = resolve(import.meta.dirname, '../../../server/control/main.ts');

async function startProcess(data: string): Promise<{ child: ChildProcess; info: Record<string, unknown> }> {
  const child = fork(main, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const config = { ...loadConfig({ data, port: 8_700 }), logLevel: 'silent' as const };
  child.send({ type: 'start', config, tokens: { gateway: 'a-token-of-the-supervisor' } });
  const [message] = (await once(child, 'message')) as [ChildMessage];
  assert.ok(message.type === 'ready');
  return { child, info: message.info };
}

test('the process serves connections that the supervisor has begun to read, and stops when told', async () => {
  const data = mkdtempSync(join(tmpdir(), 'process-'));
  const { child, info } = await startProcess(data);
  assert.deepEqual(info, { services: 0 });
  const front = createServer((socket) => {
    socket.once('data', (head) => {
      socket.pause();
      child.send({ type: 'socket', head: (head as Buffer).toString('base64') }, socket);
    });
  });
  await new Promise<void>((listening) => front.listen(0, '127.0.0.1', listening));
  const socket = connect((front.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8');
  socket.write('GET /.well-known/latchkey/pins HTTP/1.1\r\nHost: hub.localhost:8700\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /"fingerprint":"[A-Za-z0-9_-]{43}"/);
  front.close();
  child.send({ type: 'stop' });
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
  const report = await verifyAudit(data);
  assert.deepEqual(report.ok && report.events, 2);
  rmSync(data, { recursive: true });
});

test('a process that is killed in mid-work leaves a whole audit chain and starts again', async () => {
  const data = mkdtempSync(join(tmpdir(), 'process-'));
  for (let round = 0; round < 3; round++) {
    const { child } = await startProcess(data);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const report = await verifyAudit(data);
    assert.deepEqual(report.ok && report.events, round + 1);
  }
  rmSync(data, { recursive: true });
});
