/** Where the measured pages ask what to do next and say what came of it. One page a browser. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export type Browser = 'webtransport' | 'websocket';

export interface Job {
  readonly kind: 'download' | 'upload' | 'small';
  readonly over: 'tunnel' | 'direct' | 'raw-webtransport' | 'raw-websocket';
  readonly bytes: number;
  readonly path: string;
}

/** What a page says first, and after each job. */
type Result = { readonly firstByte?: number; readonly ms?: number; readonly error?: string };

class Desk {
  #result = Promise.withResolvers<Result>();
  #job = Promise.withResolvers<Job>();

  /** A page came with its result. @returns its next job. */
  take(result: Result): Promise<Job> {
    this.#result.resolve(result);
    return this.#job.promise;
  }

  async result(): Promise<Result> {
    const result = await this.#result.promise;
    this.#result = Promise.withResolvers();
    return result;
  }

  give(job: Job): void {
    this.#job.resolve(job);
    this.#job = Promise.withResolvers();
  }
}

export class Control {
  readonly #desks: Record<Browser, Desk> = { webtransport: new Desk(), websocket: new Desk() };
  readonly #server = createServer(async (request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*');
    const desk = this.#desks[request.url === '/websocket' ? 'websocket' : 'webtransport'];
    response.end(JSON.stringify(await desk.take((await json(request)) as Result)));
  });

  /** @returns its port. */
  async listen(): Promise<number> {
    if (!this.#server.listening) await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  /** Resolves when the page is there. @returns when its first byte came, in ms since the epoch. */
  async arrived(browser: Browser): Promise<number> {
    return (await this.#desks[browser].result()).firstByte ?? Number.NaN;
  }

  /** @returns milliseconds. @throws what the page says went wrong. */
  async perform(browser: Browser, job: Job): Promise<number> {
    this.#desks[browser].give(job);
    const { ms, error } = await this.#desks[browser].result();
    if (ms === undefined) throw new Error(error ?? 'the page said nothing');
    return ms;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
