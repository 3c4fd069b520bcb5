/**
 * A connector in a namespace of its own, with several interfaces: the service it publishes is reached through the tunnel,
 * and nobody who looks at its machine finds anything of it but WireGuard's one UDP port.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchThrough } from '../../e2e/support/node-client.ts';
import { ConnectorProcess } from '../../e2e/support/node-connector.ts';
import { World } from '../../e2e/support/node-world.ts';
import { needsNamespaces, newNamespace } from '../../support/namespace.ts';

const options = { ...needsNamespaces, timeout: 300_000 };
const servicePort = 8_080;
/** Beside the service's: what a connector uses inside the tunnel, and what anybody would try first. */
const tried = [22, 80, 443, 8_443, 20_000, 20_001, 51_820, 51_821];

const service = `require('node:http').createServer((_, answer) => answer.end('of the far network'))
  .listen(${servicePort}, '127.0.0.1', () => console.log('listening'))`;

/** Sockets of one family as the kernel lists them: its own scan of every port of every interface. */
function listed(table: string): { address: string; port: number }[] {
  const rows = table.trim().split('\n').slice(1);
  const isOpen = (row: string[]) => row[3] === '0A' || row[3] === '07';
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(isOpen)
    .map((row) => {
      const [address = '', port = ''] = (row[1] ?? '').split(':');
      return { address, port: Number.parseInt(port, 16) };
    });
}

/** @returns the code of the refusal, or 'open'. */
function knock(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket
      .once('connect', () => resolve('open'))
      .once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? ''));
    socket.once('close', () => socket.destroy());
  });
}

test(
  'QPT-6: a connector publishes through the tunnel and leaves nothing open on any interface of its machine',
  options,
  async (t) => {
    const far = newNamespace();
    t.after(() => far.destroy());
    const [data, folder] = [mkdtempSync(join(tmpdir(), 'latchkey-')), mkdtempSync(join(tmpdir(), 'connector-'))];
    t.after(() => rmSync(folder, { recursive: true }));
    const { near4 } = far;
    const yaml = `channel: { port: 0, bind: ${near4}, host: ${near4} }\n`;
    writeFileSync(join(data, 'latchkey.yaml'), yaml, { mode: 0o600 });
    const world = await World.start({}, data);
    t.after(() => world[Symbol.asyncDispose]());
    // A second network, that has nothing to do with the way to the gateway.
    far.exec('ip', 'link', 'add', 'office0', 'type', 'veth', 'peer', 'name', 'office1');
    far.exec('ip', 'addr', 'add', '10.55.0.2/24', 'dev', 'office0');
    far.exec('ip', 'link', 'set', 'office0', 'up');
    await once(far.spawn(process.execPath, ['-e', service], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout!, 'data');

    const token = String((await world.product.cliJson('connector', 'add', 'site'))['token']);
    const args = ['--token', token, '--expose', `notes=127.0.0.1:${servicePort}`];
    const connector = await ConnectorProcess.start(folder, args, ['ip', 'netns', 'exec', far.name]);
    t.after(() => connector[Symbol.asyncDispose]());
    const answer = await fetchThrough(await world.session('notes'), 'notes', '/');
    assert.equal(String(Buffer.from(answer.body)), 'of the far network');

    const tables = (protocol: string) =>
      ['', '6'].flatMap((family) => listed(far.exec('cat', `/proc/net/${protocol}${family}`)));
    // 127.0.0.1, as the kernel writes it: the service itself, which the test has put there.
    assert.deepEqual(tables('tcp'), [{ address: '0100007F', port: servicePort }]);
    assert.equal(tables('udp').length, 1, 'WireGuard has one socket and nothing else has any');
    for (const port of [servicePort, ...tried])
      assert.deepEqual([port, await knock(far.far4, port)], [port, 'ECONNREFUSED']);
  },
);
