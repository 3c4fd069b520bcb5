/** `latchkey up` on PostgreSQL, twice: what one takes away ends at the gateway of the other. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { newDatabase, noPostgres } from '../support/postgres.ts';
import { connect } from './support/node-client.ts';
import { fingerprintOf, NodePerson } from './support/node-person.ts';
import { Product, runCli } from './support/product.ts';

const password = 'canary-of-the-store';

test('QPT-9: a device revoked at one control plane loses its session at the gateway of another', {
  skip: noPostgres,
}, async () => {
  const environment = { LATCHKEY_STORE: await newDatabase() };
  await using one = await Product.start(environment);
  const link = one.ready.enrol ?? '';
  const person = new NodePerson(one.ready.port);
  await person.enrol(link);
  await one.cliJson('service', 'add', 'alpha', 'http://demo.wg');

  const data = mkdtempSync(join(tmpdir(), 'latchkey-'));
  cpSync(join(one.data, 'control'), join(data, 'control'), { recursive: true });
  await using other = await Product.start(environment, data);
  assert.equal(other.ready.enrol, null);
  person.port = other.ready.port;
  await person.signIn();
  assert.deepEqual(await person.services(), ['alpha']);
  const session = await connect(other.ready.port, fingerprintOf(link), await person.launch('alpha'));
  await one.cliJson('device', 'revoke', person.device);
  const { byPeer, cut } = await session.closed;
  assert.deepEqual([byPeer, cut], [true, false]);
  await assert.rejects(person.signIn(), { code: 'device_unknown' });

  for (const product of [one, other]) {
    await product.stop();
    const verified = await runCli(['audit', 'verify', '--json', '--data', product.data], { spawn, environment });
    assert.equal(verified.code, 0, verified.stderr);
  }
});

test('QPT-10: the password of the store is in nothing that is printed, and the gateway is not told it', async () => {
  const store = `postgres://ada:${password}@127.0.0.1:1/latchkey`;
  const environment = { LATCHKEY_STORE: store, LATCHKEY_LOG_LEVEL: 'debug' };
  const data = mkdtempSync(join(tmpdir(), 'latchkey-'));
  const shown = await runCli(['config', '--data', data], { spawn, environment });
  assert.match(shown.stdout, /store: postgres:\/\/ada:\*\*\*@127\.0\.0\.1:1\/latchkey/);
  // Nothing listens there.
  const failed = await runCli(['up', '--json', '--data', data, '--port', '0'], { spawn, environment });
  assert.notEqual(failed.code, 0);
  assert.match(failed.stderr, /ECONNREFUSED/);
  const malformed = await runCli(['up', '--json', '--data', data, '--store', `${store}?sslmode=require`]);
  assert.match(malformed.stderr, /config_invalid/);
  for (const { stdout, stderr } of [shown, failed, malformed]) assert.ok(!(stdout + stderr).includes(password));
});
