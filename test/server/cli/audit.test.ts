/** `latchkey audit list` and `export` against a control plane in which something always happens, or that never ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../server/latchkey.ts', import.meta.url));

/** Runs `work` while the admin socket of a data folder answers so. @param work is told the folder */
async function answering(by: RequestListener, work: (data: string) => Promise<void>): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'audit-cli-'));
  const server = createServer(by).listen(join(data, 'admin.sock'));
  await once(server, 'listening');
  try {
    await work(data);
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(data, { recursive: true });
  }
}

function audit(data: string, ...args: string[]) {
  const child = spawn(process.execPath, [program, 'audit', ...args, '--json', '--data', data], { cwd: data });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.on('data', (chunk) => out.push(String(chunk)));
  child.stderr.on('data', (chunk) => err.push(String(chunk)));
  const ended = once(child, 'close').then(([code, signal]) => ({
    ...{ code, signal, stdout: out.join(''), stderr: err.join('') },
  }));
  return { child, ended };
}

const event = (seq: number) => ({ seq, id: '', time: 0, type: 'login', actor: 'system' });

test('audit list ends where each look finds one event more', async () => {
  let looks = 0;
  const busy: RequestListener = ({ url }, response) => {
    const after = Number(new URL(url ?? '', 'http://x').searchParams.get('after'));
    // The first page is full; a third look would be one too many.
    const count = looks === 0 ? 1_000 : 1;
    looks += 1;
    const events = looks > 2 ? [] : Array.from({ length: count }, (_, n) => event(after + 1 + n));
    response.end(JSON.stringify({ events, next: after + count }));
  };
  await answering(busy, async (data) => {
    const { code, stdout, stderr } = await audit(data, 'list').ended;
    assert.deepEqual([code, stderr, looks], [0, '', 2]);
    assert.equal(JSON.parse(stdout).events.at(-1).seq, 1_001);
  });
});

test('audit export puts nothing in the place of a file that is there', async () => {
  const asked: (string | undefined)[] = [];
  const whole: RequestListener = ({ url }, response) => {
    asked.push(url);
    response.end('{}\n');
  };
  await answering(whole, async (data) => {
    const file = join(data, 'events.ndjson');
    writeFileSync(file, 'mine');
    const { code, stderr } = await audit(data, 'export', file).ended;
    assert.deepEqual([code === 0, JSON.parse(stderr).error], [false, 'file_unwritable']);
    assert.deepEqual([readFileSync(file, 'utf8'), asked], ['mine', []]);
  });
});

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`audit export leaves no half of a log when ${signal} ends it`, async () => {
    const begun = Promise.withResolvers<void>();
    const endless: RequestListener = (_, response) => {
      response.write('{}\n');
      begun.resolve();
    };
    await answering(endless, async (data) => {
      const { child, ended } = audit(data, 'export', join(data, 'events.ndjson'));
      await begun.promise;
      child.kill(signal);
      assert.equal((await ended).signal, signal);
      assert.deepEqual(readdirSync(data), ['admin.sock']);
    });
  });
