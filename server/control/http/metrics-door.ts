/**
 * Prometheus' door: GET /metrics on a port of the loopback interface, and nowhere else. It is closed unless the
 * configuration names a port; whoever can reach the loopback of this machine can then read it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../../log.ts';
import { type ControlMetrics, metricsType } from '../metrics.ts';

const host = '127.0.0.1';
const limits = { headersTimeout: 5_000, requestTimeout: 5_000, maxHeaderSize: 8 * 1024 };

/** @throws the listen error as Node gives it. */
export async function openMetricsDoor(port: number, metrics: ControlMetrics, log: Logger): Promise<Server> {
  const server = createServer(limits, (request, response) => {
    answer(request, response, metrics).catch((error: unknown) => {
      log.error({ err: error }, 'metrics could not be read');
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}

async function answer(request: IncomingMessage, response: ServerResponse, metrics: ControlMetrics): Promise<void> {
  if (!isLocal(request)) response.writeHead(421).end();
  else if (request.url !== '/metrics') response.writeHead(404).end();
  else if (request.method !== 'GET') response.writeHead(405, { allow: 'GET' }).end();
  else {
    const text = await metrics.text();
    response.writeHead(200, { 'content-type': metricsType, 'cache-control': 'no-store' }).end(text);
  }
}

/** A name that a web page made to lead here is not ours: a browser's page reads nothing by it. */
function isLocal({ headers }: IncomingMessage): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '') && headers.origin === undefined;
}
