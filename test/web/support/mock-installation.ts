/**
 * The built pages on their origins with the headers that the control plane gives them, and an API that says what a test
 * wants. For tests and screenshots of pages alone: no control plane, no gateway, nothing behind.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Config, origins } from '../../../server/config.ts';
import { appHeaders, hubHeaders, shellHeaders } from '../../../server/control/http/security-headers.ts';
import { StaticFiles } from '../../../server/control/http/static-files.ts';

const dist = join(import.meta.dirname, '../../../dist');

/** An answer of the API: its JSON, or a refusal by code. */
export type Answer =
  | { readonly json: unknown }
  | { readonly status: number; readonly error: string; readonly message: string };
/** By method and path, such as `POST /api/enrol/begin`. @param body the request's JSON. */
export type Api = Record<string, (body: unknown, query?: URLSearchParams) => Answer | Promise<Answer>>;

export class MockInstallation {
  readonly port: number;
  readonly hub: string;
  readonly shell: string;
  /** What the API answers; a test may change it at any time. */
  api: Api;
  /** Files that are served changed, by origin and path such as `hub /sw.js`. */
  readonly overrides = new Map<string, (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>>();
  readonly #server: Server;
  readonly #config: Config;
  readonly #files = {
    hub: new StaticFiles(join(dist, 'hub')),
    shell: new StaticFiles(join(dist, 'shell')),
    app: new StaticFiles(join(dist, 'app')),
  };

  private constructor(server: Server, api: Api) {
    this.#server = server;
    this.api = api;
    this.port = (server.address() as AddressInfo).port;
    // As much of a configuration as addresses are made of.
    this.#config = {
      port: this.port,
      scheme: 'http',
      hubHost: 'hub.localhost',
      appsDomain: 'apps.localhost',
    } as Config;
    this.hub = origins.hub(this.#config);
    this.shell = origins.shell(this.#config);
  }

  static async start(api: Api = {}): Promise<MockInstallation> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const mock = new MockInstallation(server, api);
    server.on('request', (request, response) => {
      mock.#answer(request, response).catch(() => response.destroy());
    });
    return mock;
  }

  app(label: string): string {
    return origins.app(this.#config, label);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const host = request.headers.host ?? '';
    const { pathname, searchParams } = new URL(request.url ?? '/', `http://${host}`);
    const origin = `http://${host}`;
    if (pathname.startsWith('/api/'))
      return this.#answerApi(`${request.method} ${pathname}`, searchParams, request, response);
    if (origin === this.hub) return this.#page('hub', pathname, hubHeaders(), response);
    if (origin === this.shell) return this.#page('shell', pathname, shellHeaders(this.#config, []), response);
    // A service worker's script is asked for at the origin's first path.
    const path = request.headers['service-worker'] === 'script' ? '/sw.js' : pathname.replace('/.latchkey/', '/');
    return this.#file('app', path, appHeaders(this.#config), response);
  }

  async #answerApi(
    route: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const answer = (await this.api[route]?.(text === '' ? undefined : JSON.parse(text), query)) ?? {
      status: 404,
      error: 'not_found',
      message: 'There is nothing at this address.',
    };
    const refused = 'json' in answer ? undefined : answer;
    response.writeHead(refused?.status ?? 200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    const body = refused ? { ...refused, correlation: 'f3a9c1d2e4b58607' } : (answer as { json: unknown }).json;
    response.end(JSON.stringify(body));
  }

  /** A page of one document at many addresses. */
  #page(name: 'hub' | 'shell', path: string, headers: Readonly<Record<string, string>>, response: ServerResponse) {
    return this.#file(name, /\.[a-z0-9]+$/.test(path) ? path : '/index.html', headers, response);
  }

  async #file(
    name: 'hub' | 'shell' | 'app',
    path: string,
    headers: Readonly<Record<string, string>>,
    response: ServerResponse,
  ): Promise<void> {
    const file = await this.#files[name].find(path);
    if (file === undefined) {
      response.writeHead(404, headers).end();
      return;
    }
    response.writeHead(200, { ...headers, 'content-type': file.type, 'cache-control': file.caching });
    response.end((await this.overrides.get(`${name} ${path}`)?.(file.bytes)) ?? file.bytes);
  }
}
