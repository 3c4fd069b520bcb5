/** What a connector says of the process behind a service, of real ones, on Linux. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdtempDisposableSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { areAttested } from '../../../server/channel/workload.ts';
import { workloadsOf } from '../../../server/connector/workload.ts';
import { ListeningProgram } from '../../support/listening-program.ts';

const skip = process.platform === 'linux' ? false : 'there is no /proc here';
const workloadOf = (host: string, port: number) => workloadsOf([{ host, port }])[0];
const uid = `unix:uid:${process.getuid?.()}`;
const path = `unix:path:${realpathSync(process.execPath)}`;
const sha256 = `unix:sha256:${createHash('sha256').update(readFileSync(process.execPath)).digest('hex')}`;

test('QHX-1: a process is told by its user, its program and the program’s bytes', { skip }, async () => {
  await using program = await ListeningProgram.start();
  assert.deepEqual(workloadOf('127.0.0.1', program.port), [uid, path, sha256]);
  assert.deepEqual(workloadOf('localhost', program.port), [uid, path, sha256]);
});

test('QHX-1: what listens on every address answers for each of this machine’s, in IPv4 and IPv6', {
  skip,
}, async () => {
  await using server = createServer().listen(0, '::');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const host of ['127.0.0.1', '127.0.0.9', '::1']) assert.deepEqual(workloadOf(host, port), [uid, path, sha256]);
});

test('QHX-1: of two that share a port only what is true of both is said', { skip }, async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'program-'));
  const copy = join(folder.path, 'other');
  copyFileSync(process.execPath, copy);
  await using one = await ListeningProgram.start();
  await using two = await ListeningProgram.start(one.port, copy);
  assert.equal(two.port, one.port);
  assert.deepEqual(workloadOf('127.0.0.1', one.port), [uid, sha256]);
});

test('QHX-1: nothing is said of another machine, of another address, of a port without anybody', { skip }, async () => {
  const program = await ListeningProgram.start();
  // Another machine's service is not what has its port number here.
  for (const host of ['192.0.2.7', 'db.example.test', '2001:db8::1', '127.0.0.2'])
    assert.deepEqual(workloadOf(host, program.port), [], host);
  await program[Symbol.asyncDispose]();
  assert.deepEqual(workloadOf('127.0.0.1', program.port), []);
});

test('QHX-1: a program that was replaced while it runs is told by its user and its bytes', { skip }, async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'program-'));
  const copy = join(folder.path, 'replaced');
  copyFileSync(process.execPath, copy);
  await using program = await ListeningProgram.start(0, copy);
  rmSync(copy);
  assert.deepEqual(workloadOf('127.0.0.1', program.port), [uid, sha256]);
});

test('QHX-1: who listens on an IPv4 address by a socket for both families is seen', { skip }, async () => {
  await using server = createServer().listen(0, '::ffff:127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.deepEqual(workloadOf('127.0.0.1', port), [uid, path, sha256]);
});

const wanted = { wiki: [uid, path] };
const cases: [name: string, exposes: Parameters<typeof areAttested>[0], holds: boolean][] = [
  ['all that is asked for', [{ name: 'wiki', workload: [uid, path, sha256] }], true],
  ['one of two', [{ name: 'wiki', workload: [uid] }], false],
  ['another program', [{ name: 'wiki', workload: [uid, 'unix:path:/bin/sh'] }], false],
  ['nothing', [{ name: 'wiki' }], false],
  [
    'a service that nobody asked for',
    [
      { name: 'wiki', workload: [uid, path] },
      { name: 'db', workload: [uid, path] },
    ],
    false,
  ],
  ['a service by the name of a property', [{ name: 'constructor', workload: [uid, path] }], false],
  ['no service', [], true],
];
for (const [name, exposes, holds] of cases)
  test(`QHX-1: a connector that shows ${name} is ${holds ? 'taken' : 'refused'}`, () => {
    assert.equal(areAttested(exposes, wanted), holds);
  });
test('QHX-1: where nothing is asked for, anything is taken', () => {
  assert.equal(areAttested([{ name: 'wiki' }], {}), true);
});
