import assert from 'node:assert/strict';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { closeFront } from '../../../server/control/http/front.ts';
import { openMetricsDoor } from '../../../server/control/http/metrics-door.ts';
import { ControlMetrics } from '../../../server/control/metrics.ts';
import { Counts } from '../../../server/counts.ts';

async function door(t: TestContext, ofGateway?: string) {
  const refusals = new Counts<'code'>();
  const chained = new Counts<'type' | 'decision'>();
  refusals.add({ code: 'denied' });
  refusals.add({ code: 'denied' });
  chained.add({ type: 'login', decision: 'allow' });
  const metrics = new ControlMetrics({ refusals, audit: { chained } as never }, { metrics: async () => ofGateway });
  const server = await openMetricsDoor(0, metrics, pino({ level: 'silent' }));
  t.after(() => closeFront(server));
  return server.address() as AddressInfo;
}

function ask(
  port: number,
  { method = 'GET', path = '/metrics', headers = {} as Record<string, string>, host = '127.0.0.1' },
) {
  return new Promise<{ status: number | undefined; text: string; headers: IncomingHttpHeaders }>((resolve, reject) => {
    const asked = request({ host, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString(), headers: response.headers }),
      );
    });
    asked.on('error', reject).end();
  });
}

test('QPT-4: a scrape has what both planes count, in Prometheus’ text format', async (t) => {
  const { port } = await door(t, 'latchkey_gateway_sessions 3\n');
  const { status, text, headers } = await ask(port, {});
  assert.deepEqual([status, headers['content-type']], [200, 'text/plain; version=0.0.4; charset=utf-8']);
  for (const line of [
    'latchkey_control_refusals_total{code="denied"} 2',
    'latchkey_control_audit_events_total{type="login",decision="allow"} 1',
    'latchkey_control_gateway_answers 1',
    'latchkey_gateway_sessions 3',
  ])
    assert.ok(text.split('\n').includes(line), `${line} is not in\n${text}`);
  assert.match(text, /^latchkey_control_process_resident_memory_bytes \d+$/m);
  // A second scrape counts nothing twice.
  assert.match((await ask(port, {})).text, /refusals_total\{code="denied"\} 2$/m);
});

test('QPT-4: a gateway that does not answer is told of, and the rest is there', async (t) => {
  const { port } = await door(t);
  const { status, text } = await ask(port, {});
  assert.equal(status, 200);
  assert.match(text, /^latchkey_control_gateway_answers 0$/m);
});

test('QPT-4: the door is on the loopback interface alone and answers no page of a browser', async (t) => {
  const { port, address } = await door(t);
  assert.equal(address, '127.0.0.1');
  const outer = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  for (const { address: host } of outer.filter(({ internal, family }) => !internal && family === 'IPv4'))
    await assert.rejects(ask(port, { host }), { code: 'ECONNREFUSED' });
  const refused: [Parameters<typeof ask>[1], number][] = [
    [{ headers: { host: 'rebound.example' } }, 421],
    [{ headers: { host: `127.0.0.1.rebound.example:${port}` } }, 421],
    [{ headers: { origin: 'https://elsewhere.example' } }, 421],
    [{ path: '/' }, 404],
    [{ path: '/metrics/../admin' }, 404],
    [{ method: 'POST' }, 405],
  ];
  for (const [call, status] of refused) assert.equal((await ask(port, call)).status, status, JSON.stringify(call));
});
