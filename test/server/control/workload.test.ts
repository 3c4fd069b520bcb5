/** Services that have to be a certain process: what the control plane gives a connector, and what it refuses. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { Connector } from '../../../server/connector/connector.ts';
import { parseExposes } from '../../../server/connector/expose.ts';
import { runConnector } from '../../../server/connector/run-connector.ts';
import { workloadsOf } from '../../../server/connector/workload.ts';
import { logger } from '../../../server/log.ts';
import { ListeningProgram } from '../../support/listening-program.ts';
import { FarGateway } from './far-gateway.ts';
import { Installation } from './installation.ts';

const skip = process.platform === 'linux' ? false : 'there is no /proc here';
const folder = mkdtempSync(join(tmpdir(), 'workloads-'));
let installation: Installation;
let gateway: FarGateway;
let program: ListeningProgram;
let selectors: string[];

before(async () => {
  const channel = { port: 0, bind: '127.0.0.1', host: '127.0.0.1' };
  installation = new Installation((config) => ({ ...config, channel: { ...config.channel, ...channel } }));
  // TLS judges certificates by the time of day.
  installation.clock.leap(Date.now() - installation.clock.now());
  await installation.start({ gateway: 'a-token-of-the-supervisor' });
  gateway = new FarGateway(installation, 'a-token-of-the-supervisor');
  await gateway.next('snapshot');
  program = await ListeningProgram.start();
  selectors = workloadsOf([{ host: '127.0.0.1', port: program.port }])[0] ?? [];
});
after(async () => {
  await program?.[Symbol.asyncDispose]();
  gateway?.channel.close();
  await installation?.stop();
  installation?.remove();
  rmSync(folder, { recursive: true });
});

async function tokenFor(name: string, workloads: Record<string, string[]>): Promise<string> {
  const { status, body } = await installation.admin('POST', '/admin/connectors', { name, workloads });
  assert.equal(status, 200);
  return body.token;
}

/** @param service what is published, from the program's port */
async function joinWith(t: TestContext, token: string, service: string, port = program.port): Promise<Connector> {
  const running = await runConnector({
    ...{ folder: join(folder, service), token, bind: '127.0.0.1', mtu: 1_420, log: logger('test') },
    exposes: parseExposes([`${service}=tcp://127.0.0.1:${port}`]),
  });
  t.after(() => running.close());
  return running;
}

const joins = async (name: string) =>
  (await installation.events('connector.join')).filter(({ detail }) => detail?.['name'] === name);

const published = async (name: string): Promise<boolean> =>
  (await installation.admin('GET', '/admin/services')).body.services.some((one: { name: string }) => one.name === name);

test('QHX-1: a service from the process that was asked for is published, by its connector alone', {
  skip,
}, async (t) => {
  const token = await tokenFor('right', { right: selectors });
  await joinWith(t, token, 'right');
  assert.ok(await published('right'));
});

const rogues: [name: string, workloads: (service: string) => Record<string, string[]>][] = [
  ['a rogue program', (service) => ({ [service]: ['unix:path:/usr/bin/another'] })],
  ['a program that was changed', (service) => ({ [service]: [`unix:sha256:${'0'.repeat(64)}`] })],
  ['another user', (service) => ({ [service]: [...selectors.slice(1), 'unix:uid:4294967294'] })],
  ['a service that the token does not name', () => ({ elsewhere: selectors })],
];
rogues.forEach(([name, workloads], n) => {
  test(`QHX-1: ${name} gets no certificate, publishes nothing, and does not use up the token`, { skip }, async (t) => {
    const service = `rogue${n}`;
    const token = await tokenFor(service, workloads(service));
    await assert.rejects(joinWith(t, token, service), { code: 'workload_refused' });
    assert.equal(await published(service), false);
    await assert.rejects(joinWith(t, token, service), { code: 'workload_refused' }, 'and not token_unknown');
  });
});

test('QHX-1: a connector whose service has become another program is refused when it comes again', {
  skip,
}, async (t) => {
  const token = await tokenFor('changes', { changes: selectors });
  const running = await joinWith(t, token, 'changes');
  await running.close();
  // Nobody listens on the port it has now.
  await assert.rejects(joinWith(t, token, 'changes', 9), { code: 'workload_refused' });
  await joinWith(t, token, 'changes');
});

test('QHX-1: one that has joined is asked too, and when it does not show it serves nothing any more', {
  skip,
}, async (t) => {
  const running = await joinWith(t, await tokenFor('joined', {}), 'joined');
  await tokenFor('joined', { joined: ['unix:path:/usr/bin/another'] });
  assert.equal((await running.refused).code, 'workload_refused');
  const refusal = (await joins('joined')).at(-1);
  assert.deepEqual([refusal?.decision, refusal?.reason], ['deny', 'workload_refused']);
  const { connectors } = (await installation.admin('GET', '/admin/connectors')).body;
  const shown = connectors.find((one: { name: string }) => one.name === 'joined');
  assert.deepEqual([shown.connected, shown.workloads], [false, { joined: ['unix:path:/usr/bin/another'] }]);
});

test('QHX-1: selectors that are none are refused by a code', async () => {
  for (const selector of ['unix:uid:-1', 'unix:path:relative', 'docker:label:a', 'unix:sha256:00', '']) {
    const { status, body } = await installation.admin('POST', '/admin/connectors', {
      ...{ name: 'malformed', workloads: { wiki: [selector] } },
    });
    assert.deepEqual([status, body.error], [400, 'selector_malformed'], selector);
  }
});
