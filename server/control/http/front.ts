/**
 * The HTTP server of the control plane. It does not listen: connections are handed to it by the supervisor, which owns
 * the port. The Host header chooses the origin, exactly; a host we do not know is told so and nothing more.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { type Config, origins } from '../../config.ts';
import { Proxies } from '../../tls/proxies.ts';
import { newServer, type SecureServerOptions } from '../../tls/secure-server.ts';
import { noteCaller } from './caller.ts';
import type { OriginApps } from './origin-apps.ts';

/** Bounds of a connection. */
export const frontLimits = {
  /** A head or a body that takes longer is no browser's. */
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 20_000,
  maxHeaderSize: 16 * 1024,
  /** Without a byte moving either way: a reader that stopped reading. A long download that moves is not cut. */
  timeout: 15_000,
  /** Browsers do not pipeline; one more than one, as the next may come while the last answer is being closed. */
  underWay: 2,
};

const misdirected = 'This server does not serve that host. Open the hub instead.\n';
/** RFC 6797, a year, for this host alone: what else the domain serves is not ours to say. */
const tlsOnly = 'max-age=31536000';
const labelPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export interface FrontOptions extends SecureServerOptions {
  readonly config: Config;
}

/** @param limits smaller ones in tests. @throws TlsError when a certificate or key cannot be served */
export function httpFront(options: FrontOptions, apps: OriginApps, limits = frontLimits): Server {
  const { config } = options;
  const proxies = new Proxies(config.trustedProxies);
  const listeners = { hub: listener(apps.hub), shell: listener(apps.shell), app: listener(apps.app) };
  const underWay = new WeakMap<Socket, number>();
  const server = newServer(options, limits);
  server.on('request', (request, response) => {
    if (!admit(underWay, request.socket, response, limits.underWay)) return;
    const kind = originOf(config, request);
    const caller = proxies.callerOf(request);
    noteCaller(request, caller.address);
    if (caller.secure) response.setHeader('strict-transport-security', tlsOnly);
    if (kind === undefined) refuseHost(response);
    else if (config.scheme === 'https' && !caller.secure) sendToTls(request, response);
    else void listeners[kind](request, response);
  });
  // A server begins to watch its connections for these limits when it listens; ours is given them instead.
  server.emit('listening');
  server.timeout = limits.timeout;
  return server;
}

/** Ends the server and every connection it was given. */
export async function closeFront(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** Counts what a connection asks for and has not had; each answer is held until it is read. @returns false at too many */
function admit(underWay: WeakMap<Socket, number>, socket: Socket, response: ServerResponse, most: number): boolean {
  const count = (underWay.get(socket) ?? 0) + 1;
  underWay.set(socket, count);
  response.once('close', () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
  if (count <= most && !socket.destroyed) return true;
  socket.destroy();
  return false;
}

function listener(app: OriginApps[keyof OriginApps]) {
  return getRequestListener(app.fetch, { overrideGlobalObjects: false });
}

/** @returns which app serves this request, undefined for none */
function originOf(config: Config, request: IncomingMessage): keyof OriginApps | undefined {
  const host = request.headers.host?.toLowerCase();
  // A request line with a whole URL in it would name a second host.
  if (host === undefined || request.url?.startsWith('/') !== true) return undefined;
  if (host === hostOf(origins.hub(config))) return 'hub';
  if (host === hostOf(origins.shell(config))) return 'shell';
  const [label = ''] = host.split('.');
  return labelPattern.test(label) && host === hostOf(origins.app(config, label)) ? 'app' : undefined;
}

function hostOf(origin: string): string {
  return new URL(origin).host;
}

/** A page that was asked for without TLS is to be had with it; anything else is not answered. The host is one of ours. */
function sendToTls({ method, headers, url }: IncomingMessage, response: ServerResponse): void {
  const isRead = method === 'GET' || method === 'HEAD';
  response.writeHead(isRead ? 308 : 403, {
    ...(isRead && { location: `https://${headers.host?.toLowerCase()}${url}` }),
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end('This server speaks https. The proxy in front of it has to say X-Forwarded-Proto: https.\n');
}

function refuseHost(response: ServerResponse): void {
  response.writeHead(421, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(misdirected);
}
