/**
 * The measured service, in a process of its own: one HTTP server with two doors, TCP of the machine's for the contenders
 * without the product and TCP inside WireGuard for it. Says `{"direct","far","publicKey","udp"}` and ends with its parent.
 * Arguments: the gateway's WireGuard key, its UDP port, and what the page has to know.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { NetStack } from '../../../server/netstack/stack.ts';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';

const [publicKey = '', udpPort = '', settings = '{}'] = process.argv.slice(2);
const address = '10.94.0.2';
const port = 8_080;
const chunk = randomBytes(256 * 1024);
const script = stripTypeScriptTypes(readFileSync(join(import.meta.dirname, 'page.ts'), 'utf8'));

const known = JSON.parse(settings) as Record<string, unknown>;
const passing = `addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => event.respondWith(fetch(event.request)));`;
const page = (told: object) => `<!doctype html><html lang="en"><head><title>bench</title></head><body><script>
const settings = ${JSON.stringify(told)};
</script><script src="/page.js"></script></body></html>`;

const server = createServer((request, response) => {
  response.setHeader('Cache-Control', 'no-store');
  answer(request, response).catch(() => response.destroy());
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://far');
  if (url.pathname === '/bytes') return give(response, Number(url.searchParams.get('length')));
  if (url.pathname === '/take') return take(request, response);
  const [type, body] = fileAt(url.pathname);
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body);
}

function fileAt(path: string): readonly [string, string] {
  if (path === '/page.js') return ['text/javascript', script];
  if (path === '/passing/worker.js') return ['text/javascript', passing];
  const { place } = known;
  return [
    'text/html',
    page({ ...known, place: path === '/direct' || path === '/passing/' ? path.split('/')[1] : place }),
  ];
}

const direct = await new Promise<number>((resolve) => {
  server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
});

async function give(response: ServerResponse, length: number): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': length });
  for (let left = length; left > 0; left -= chunk.length) {
    const part = left < chunk.length ? chunk.subarray(0, left) : chunk;
    // A page that goes meanwhile ends the wait by an error, which `answer`'s caller takes for the end.
    if (!response.write(part)) await once(response, 'drain', { signal: gone.signal });
  }
  response.end();
}

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) bytes += part.length;
  response.writeHead(200, { 'content-type': 'text/plain' }).end(String(bytes));
}

const device = new WireGuardDevice({ privateKey: randomBytes(32) });
const udp = await device.listen({ port: 0, host: '127.0.0.1' });
device.setPeer({ publicKey, allowedIps: ['100.100.0.1/32'], endpoint: `127.0.0.1:${udpPort}` });
const stack = new NetStack({ addresses: [address], output: (packet) => device.send(packet) });
device.onPacket = (packet) => stack.input(packet);
stack.listen({ port }, (socket) => server.emit('connection', socket));

process.send?.({
  direct,
  far: `http://${address}:${port}`,
  allowedIps: `${address}/32`,
  publicKey: Buffer.from(device.publicKey).toString('base64'),
  udp: udp.port,
});
process.on('disconnect', () => process.exit());
