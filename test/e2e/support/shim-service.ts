/** A service that does what WebSockets can do, for pages and workers; served directly and behind WireGuard alike. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { behavioursScript } from './websocket-behaviours.ts';

const page =
  '<!doctype html><meta charset="utf-8"><title>Depot</title><script src="/behaviours.js"></script><h1>Depot</h1>';
const answerInWorker = 'onmessage = async () => postMessage(await runBehaviours());';
const answerInSharedWorker =
  'onconnect = ({ ports: [port] }) => { port.onmessage = async () => port.postMessage(await runBehaviours()); };';
const burstBytes = 8 * 2 ** 20;

/** What was asked for, `METHOD /path`, in order. */
export const asked: string[] = [];

export function answerPage({ method, url = '/' }: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(url, 'http://depot');
  asked.push(`${method} ${pathname}`);
  const script = (text: string) => response.setHeader('content-type', 'text/javascript').end(text);
  if (pathname === '/behaviours.js') script(behavioursScript());
  else if (pathname === '/worker.js') script(`'use strict';${behavioursScript()}${answerInWorker}`);
  else if (pathname === '/module.js') script(`import '/behaviours.js';${answerInWorker}`);
  else if (pathname === '/shared.js') script(`${behavioursScript()}${answerInSharedWorker}`);
  else if (pathname === '/text') response.setHeader('content-type', 'text/plain').end('of the service');
  else response.setHeader('content-type', 'text/html').end(page);
}

const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: 128 * 2 ** 20,
  handleProtocols: (offered, request) => {
    const wanted = new URL(request.url ?? '/', 'http://depot').searchParams.get('choose');
    return wanted ?? [...offered][0] ?? false;
  },
});

export function answerUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://depot');
  asked.push(`UPGRADE ${pathname}`);
  if (pathname === '/refuse') socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  else sockets.handleUpgrade(request, socket, head, (one) => act(one, pathname, searchParams));
}

function act(socket: WebSocket, path: string, query: URLSearchParams): void {
  socket.on('error', () => undefined);
  if (path === '/close') close(socket, query);
  else if (path === '/drop') socket.on('message', () => socket.terminate());
  else if (path === '/burst') {
    for (let sent = 0; sent < burstBytes; sent += 2 ** 20) socket.send(Buffer.alloc(2 ** 20));
    socket.close();
  } else if (path === '/count') {
    let count = 0;
    socket.on('message', () => {
      count += 1;
      if (count === 10) socket.close(4000, 'ten');
    });
  } else socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

function close(socket: WebSocket, query: URLSearchParams): void {
  const code = query.get('code');
  if (code === null) socket.close();
  else socket.close(Number(code), query.get('reason') ?? '');
}
