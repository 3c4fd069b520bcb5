/** A service that does what WebSockets can do, for pages and workers; served directly and behind WireGuard alike. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { behavioursScript } from './websocket-behaviours.ts';

const page =
  '<!doctype html><meta charset="utf-8"><title>Depot</title><script src="/behaviours.js"></script><h1>Depot</h1>';
const picture = '<svg xmlns="http://www.w3.org/2000/svg" width="12" height="34"><rect width="12" height="34"/></svg>';
const tallPicture = '<svg xmlns="http://www.w3.org/2000/svg" width="12" height="56"/>';
const answerInWorker = 'onmessage = async () => postMessage(await runBehaviours());';
const answerInSharedWorker =
  'onconnect = ({ ports: [port] }) => { port.onmessage = async () => port.postMessage(await runBehaviours()); };';
/** Told keys, it and a worker of its own open a WebSocket each; told none, it ends itself. */
const watchedWorker = `const hear = async ({ data: [own, next], target }) => {
  if (own === undefined) return close();
  const socket = new WebSocket(origin.replace('http', 'ws') + '/watched?key=' + own);
  await new Promise((resolve) => { socket.onopen = resolve; });
  if (next !== undefined) {
    self.inner = new Worker('/watched.js');
    inner.postMessage([next]);
    await new Promise((resolve) => { inner.onmessage = resolve; });
  }
  target.postMessage('open');
};
onmessage = hear;
onconnect = ({ ports: [port] }) => { port.onmessage = hear; };`;
/** Under which a page may start workers of blobs, and which forbid what a worker of ours could be made of. */
const policies: Readonly<Record<string, string>> = {
  '/policy/nonce': "default-src 'none'; script-src 'nonce-abc'; connect-src 'self'; worker-src blob:",
  '/policy/trusted': "require-trusted-types-for 'script'; trusted-types *",
  '/policy/trusted-by-name': "require-trusted-types-for 'script'; trusted-types app",
  // Under which blank frames ask for nothing, and for stylesheets alone.
  '/policy/nonce-dynamic': "default-src 'none'; script-src 'nonce-abc' 'strict-dynamic'; connect-src 'self'",
  '/policy/styles': "default-src 'none'; style-src 'self' blob:; connect-src 'self'",
  // A stylesheet's nonce is none of what it imports.
  '/policy/imports': "default-src 'self'; style-src 'nonce-abc' blob:",
};
const styles: Readonly<Record<string, string>> = {
  '/style/first.css': '@import "second.css"; p { background: url(../picture.svg) }',
  '/style/second.css': 'p { color: rgb(1, 2, 3) }',
  '/style/styles.css': 'p { background: url(../hidden.svg) }',
  '/style/imports.css': '@import "hidden.css";',
};
/** Longer than all that waits on the way. */
const paper = Buffer.alloc(16 * 2 ** 20, '%PDF-1.7\n');
const paperEnd = Promise.withResolvers<'whole' | 'cut'>();
const burstBytes = 8 * 2 ** 20;

/** What was asked for, `METHOD /path`, in order. */
export const asked: string[] = [];

export function answerPage(request: IncomingMessage, response: ServerResponse): void {
  const { method, url = '/' } = request;
  const { pathname } = new URL(url, 'http://depot');
  asked.push(`${method} ${pathname}`);
  const script = (text: string) => response.setHeader('content-type', 'text/javascript').end(text);
  if (pathname === '/behaviours.js') script(behavioursScript());
  else if (pathname === '/worker.js') script(`'use strict';${behavioursScript()}${answerInWorker}`);
  else if (pathname === '/module.js') script(`import '/behaviours.js';${answerInWorker}`);
  else if (pathname === '/shared.js') script(`${behavioursScript()}${answerInSharedWorker}`);
  else if (pathname === '/watched.js') script(watchedWorker);
  else if (pathname === '/ended') void endOf(url).then((code) => response.end(String(code)));
  else if (pathname === '/named.js') script('window.named = true;');
  else if (pathname === '/counted.js') script('window.count = (window.count ?? 0) + 1;');
  else if (pathname === '/led.svg') response.writeHead(302, { location: '/picture.svg' }).end();
  else if (pathname.endsWith('.css')) response.setHeader('content-type', 'text/css').end(styles[pathname]);
  else if (pathname === '/text') response.setHeader('content-type', 'text/plain').end('of the service');
  else if (pathname === '/synchronous') void answerSynchronous(request, response);
  else if (pathname === '/picture.svg') response.setHeader('content-type', 'image/svg+xml').end(picture);
  else if (pathname === '/tall.svg') response.setHeader('content-type', 'image/svg+xml').end(tallPicture);
  else if (pathname === '/xml') response.setHeader('content-type', 'text/xml').end('<a>ü</a>');
  else if (pathname === '/closed')
    response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': "connect-src 'none'" }).end(page);
  else if (pathname === '/paper.pdf') answerPaper(response);
  else if (pathname === '/paper-end') void paperEnd.promise.then((end) => response.end(end));
  else if (pathname in policies)
    response
      .writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policies[pathname] })
      .end('<!doctype html>');
  else if (pathname === '/untyped') response.end(page);
  else response.setHeader('content-type', 'text/html').end(page);
}

/** Offers ranges of it, which a viewer would rather have. */
function answerPaper(response: ServerResponse): void {
  response.once('close', () => paperEnd.resolve(response.writableFinished ? 'whole' : 'cut'));
  const headers = { 'content-type': 'application/pdf', 'accept-ranges': 'bytes', 'content-length': paper.length };
  response.writeHead(200, headers).end(paper);
}

/** Says what it heard, with a status, a header and a cookie of its own. */
async function answerSynchronous(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, headers } = request;
  const body = (await request.toArray()).join('');
  const heard = { method, body, said: headers['x-said'] ?? '', type: headers['content-type'] ?? '' };
  response.writeHead(409, 'Taken', {
    'content-type': 'text/plain; charset=utf-8',
    'x-own': 'yes',
    'set-cookie': `synchronous=${method}`,
  });
  response.end(JSON.stringify({ ...heard, from: headers.referer ?? '', cookie: headers.cookie ?? '', ü: 'ü' }));
}

/** Where the answer names what it likes, whatever was offered. */
const isOpinionated = ({ url = '/' }: IncomingMessage): boolean => url.startsWith('/says');

const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: 128 * 2 ** 20,
  handleProtocols: (offered, request) => {
    const wanted = new URL(request.url ?? '/', 'http://depot').searchParams.get('choose');
    return isOpinionated(request) ? false : (wanted ?? [...offered][0] ?? false);
  },
});
sockets.on('headers', (headers, request) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://depot');
  const [line, protocol] = [searchParams.get('line'), searchParams.get('protocol')];
  if (pathname === '/sets' && line !== null) headers.push(`Set-Cookie: ${line}`);
  if (isOpinionated(request) && protocol !== null) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
});

export function answerUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://depot');
  asked.push(`UPGRADE ${pathname}`);
  const raw = rawAnswers[pathname];
  socket.on('error', () => undefined);
  if (raw !== undefined) raw(socket, request.headers['sec-websocket-key'] ?? '');
  else sockets.handleUpgrade(request, socket, head, (one) => act(one, pathname, { query: searchParams, request }));
}

/** RFC 6455 section 4.2.2. */
function accept(socket: Duplex, key: string): void {
  const accepted = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const fields = `upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accepted}\r\n`;
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`);
}

/** What no library would say. */
const rawAnswers: Readonly<Record<string, (socket: Duplex, key: string) => void>> = {
  '/refuse': (socket) => socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
  '/nonsense': (socket) => socket.end('FOO BAR BAZ\r\n\r\n'),
  '/wrong-key': (socket) => accept(socket, 'of somebody else'),
};

/** How the WebSockets that are watched ended, by their key. */
const ends = new Map<string, PromiseWithResolvers<number>>();

function endOf(url: string): Promise<number> {
  const key = new URL(url, 'http://depot').searchParams.get('key') ?? '';
  const end = ends.get(key) ?? Promise.withResolvers<number>();
  ends.set(key, end);
  return end.promise;
}

interface Handshake {
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
}

function act(socket: WebSocket, path: string, { query, request }: Handshake): void {
  const { url = '/', headers } = request;
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
  } else if (path === '/slow') {
    socket.on('message', (data) => {
      socket.pause();
      socket.send(String((data as Buffer).length));
      setTimeout(() => socket.resume(), 2);
    });
  } else if (path === '/watched') {
    void endOf(url);
    socket.on('close', (code) => ends.get(query.get('key') ?? '')?.resolve(code));
  } else if (path === '/told') {
    const { origin, referer, cookie, 'sec-websocket-protocol': protocols } = headers;
    const said = { query: url.split('?')[1], origin, referer, cookie, protocols };
    socket.on('message', () => socket.send(JSON.stringify(said, (_name, value) => value ?? null)));
  } else socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

function close(socket: WebSocket, query: URLSearchParams): void {
  const code = query.get('code');
  if (code === null) socket.close();
  else socket.close(Number(code), query.get('reason') ?? '');
}
