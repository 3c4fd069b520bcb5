/**
 * The small service that a new installation shows before anyone has published one: an ordinary web app with pages,
 * a form sign-in, downloads, uploads and a WebSocket. It knows nothing of Latchkey, and listens nowhere by itself:
 * whoever makes it gives it connections.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';
import { echo } from './echo.ts';
import { appScript, homePage, landedPage, stylesheet } from './pages.ts';
import { readForm, sessionOf, signIn, signOut } from './sign-in.ts';
import { answerDownload, answerUpload } from './transfers.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>;

const policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'; form-action 'self'; base-uri 'none'";

const routes: Readonly<Record<string, Handler>> = {
  'GET /': (request, response) => text(response, 'text/html', homePage(sessionOf(request))),
  'GET /style.css': (_request, response) => text(response, 'text/css', stylesheet),
  'GET /app.js': (_request, response) => text(response, 'text/javascript', appScript),
  'GET /whoami': (request, response) => text(response, 'application/json', JSON.stringify(whoIs(request))),
  'GET /old': (_request, response) => redirect(response, 302, '/landed'),
  'GET /landed': (_request, response) => text(response, 'text/html', landedPage),
  'POST /sign-in': async (request, response) => {
    const name = (await readForm(request)).get('name')?.trim() ?? '';
    if (name !== '') response.setHeader('Set-Cookie', signIn(name));
    redirect(response, 303, '/');
  },
  'POST /sign-out': (request, response) => {
    response.setHeader('Set-Cookie', signOut(request));
    redirect(response, 303, '/');
  },
  'GET /download': answerDownload,
  'POST /upload': answerUpload,
};

/** @returns a server that is given its connections by `emit('connection', socket)`. */
export function demoService(): Server {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://demo');
    response.setHeader('Content-Security-Policy', policy);
    const handler = routes[`${request.method === 'HEAD' ? 'GET' : request.method} ${url.pathname}`] ?? notFound;
    Promise.resolve(handler(request, response, url)).catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 * 1024 });
  server.on('upgrade', (request, socket, head) => {
    if (new URL(request.url ?? '/', 'http://demo').pathname !== '/echo') socket.destroy();
    else sockets.handleUpgrade(request, socket, head, echo);
  });
  return server;
}

/** What the service was told of its visitor: the gateway's words, and the cookie it set itself. */
function whoIs(request: IncomingMessage): Record<string, unknown> {
  return {
    user: request.headers['x-latchkey-user'] ?? null,
    device: request.headers['x-latchkey-device'] ?? null,
    signedInAs: sessionOf(request) ?? null,
    host: request.headers.host ?? null,
  };
}

function text(response: ServerResponse, type: string, body: string): void {
  response.setHeader('Content-Type', `${type}; charset=utf-8`);
  response.setHeader('Cache-Control', 'no-store');
  response.end(body);
}

function redirect(response: ServerResponse, status: number, location: string): void {
  response.writeHead(status, { Location: location }).end();
}

function notFound(_request: IncomingMessage, response: ServerResponse): void {
  response.statusCode = 404;
  text(response, 'text/plain', 'This page does not exist.');
}
