/**
 * A control plane in a folder of its own, with a clock that stands still until it is moved, reached as in production:
 * browsers over connections that are handed to it, administrators over the socket, gateways over the channel.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Clock } from '../../../protocol/clock.ts';
import { type Config, dataPaths, loadConfig, origins } from '../../../server/config.ts';
import { type Control, startControl } from '../../../server/control/control.ts';
import { newDatabase, onPostgres } from '../../support/postgres.ts';

export class TestClock implements Clock {
  #now = 1_790_000_000_000;
  #monotonic = 1_000;
  readonly #timers = new Map<symbol, { at: number; run: () => void }>();
  now = () => this.#now;
  monotonic = () => this.#monotonic;
  after(ms: number, run: () => void): () => void {
    const key = Symbol('timer');
    this.#timers.set(key, { at: this.#monotonic + ms, run });
    return () => this.#timers.delete(key);
  }
  /** Moves the time of day alone: a machine that slept. */
  leap(ms: number): void {
    this.#now += ms;
  }
  /** Moves time and runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due[0]);
      this.#to(due[1].at);
      due[1].run();
    }
    this.#to(end);
  }
  #to(monotonic: number): void {
    this.#now += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed body; the tests say what they expect of it. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer's shape is what the tests assert
  readonly body: any;
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly body?: string | object;
  readonly headers?: Record<string, string>;
}

export class Installation {
  readonly data = mkdtempSync(join(tmpdir(), 'control-'));
  readonly clock = new TestClock();
  config: Config;
  /** What was logged, for tests that look for secrets in it. */
  readonly logged: string[] = [];
  readonly #loggedNow = new Set<() => void>();
  control!: Control;
  #front = createServer({ pauseOnConnect: true });

  constructor(change: (config: Config) => Config = (config) => config) {
    this.config = change({
      ...loadConfig({ data: this.data, port: 8_700 }),
      assets: join(this.data, 'dist'),
    });
  }

  async start(tokens: { gateway?: string; connector?: string } = {}): Promise<this> {
    if (onPostgres && this.config.store === 'sqlite') this.config = { ...this.config, store: await newDatabase() };
    const log = pino({ level: 'debug' }, { write: (line: string) => this.#keep(line) });
    this.control = await startControl({ config: this.config, clock: this.clock, log, tokens });
    this.#front = createServer({ pauseOnConnect: true }, (socket) => {
      this.control.http.emit('connection', socket);
      socket.resume();
    });
    await new Promise<void>((resolve) => this.#front.listen(0, '127.0.0.1', resolve));
    return this;
  }

  #keep(line: string): void {
    this.logged.push(line);
    for (const look of this.#loggedNow) look();
  }

  /** Resolves once such a line is in the log. @param from how many lines were there before */
  logs(words: RegExp, from: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.logged.slice(from).some((line) => words.test(line))) return;
        this.#loggedNow.delete(look);
        resolve();
      };
      this.#loggedNow.add(look);
      look();
    });
  }

  async stop(): Promise<void> {
    await this.control.stop();
    await new Promise<void>((resolve) => this.#front.close(() => resolve()));
  }

  remove(): void {
    rmSync(this.data, { recursive: true, force: true });
  }

  get hub(): string {
    return origins.hub(this.config);
  }
  get shell(): string {
    return origins.shell(this.config);
  }
  app(label: string): string {
    return origins.app(this.config, label);
  }

  /** Another control plane of the same installation: on its store, with a copy of its keys and anchors. Not started. */
  beside(): Installation {
    const other = new Installation();
    other.config = { ...other.config, store: this.config.store };
    cpSync(join(this.data, 'control'), join(other.data, 'control'), { recursive: true });
    return other;
  }

  /** A browser's request to one of the origins. */
  browse(origin: string, call: Call): Promise<Answer> {
    const { port } = this.#front.address() as AddressInfo;
    const post = (call.method ?? 'GET') !== 'GET';
    const { host, protocol } = new URL(origin);
    // What a proxy that ends TLS says, to an installation that trusts it.
    const proxied = protocol === 'https:' && { 'x-forwarded-proto': 'https' };
    return send({ host: '127.0.0.1', port }, call, { host, ...(post && { origin }), ...proxied });
  }

  /** An administrator's request. */
  admin(method: string, path: string, body?: object): Promise<Answer> {
    return this.socket({ method, path, ...(body && { body }) });
  }

  /** The same, with a body that may be no JSON. */
  socket(call: Call): Promise<Answer> {
    return send({ socketPath: dataPaths.adminSocket(this.config) }, call, {});
  }

  /** Audit events in order. */
  async events(type?: string) {
    const { body } = await this.admin('GET', `/admin/audit?limit=1000${type === undefined ? '' : `&type=${type}`}`);
    // biome-ignore lint/suspicious/noExplicitAny: as above
    return body.events as any[];
  }

  connect(): { host: string; port: number } {
    return { host: '127.0.0.1', port: (this.#front.address() as AddressInfo).port };
  }
}

function send(
  to: { host: string; port: number } | { socketPath: string },
  call: Call,
  more: Record<string, string>,
): Promise<Answer> {
  const { method = 'GET', path, body, headers = {} } = call;
  const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const framed: Record<string, string> =
    'transfer-encoding' in headers ? {} : { 'content-length': String(Buffer.byteLength(payload ?? '')) };
  const type: Record<string, string> = payload === undefined ? {} : { 'content-type': 'application/json', ...framed };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { ...to, method, path, agent: false, headers: { ...type, ...more, ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const json = answer.headers['content-type']?.startsWith('application/json') === true;
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text,
            body: json ? (JSON.parse(text) as unknown) : undefined,
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}
