/** Where the measured pages ask what to do next and say what came of it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A product's browser, by what its tunnels run over. */
export type Browser = 'webtransport' | 'websocket';
/**
 * Each has a page at the service: a browser's through the product; `direct` by the network, with no service worker about;
 * `passing` as well, but by a service worker that only passes requests on.
 */
export type Place = Browser | 'direct' | 'passing';

export interface Job {
  readonly kind: 'download' | 'upload' | 'small';
  readonly over: 'service' | 'raw-webtransport' | 'raw-websocket';
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
  readonly #desks: Record<Place, Desk> = {
    webtransport: new Desk(),
    websocket: new Desk(),
    direct: new Desk(),
    passing: new Desk(),
  };
  readonly #server = createServer(async (request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*');
    const desk = this.#desks[request.url?.slice(1) as Place]; // of our own pages
    response.end(JSON.stringify(await desk.take((await json(request)) as Result)));
  });

  /** @returns its port. */
  async listen(): Promise<number> {
    if (!this.#server.listening) await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  /** Resolves when the page is there. @returns when its first byte came, in ms since the epoch. */
  async arrived(place: Place): Promise<number> {
    return (await this.#desks[place].result()).firstByte ?? Number.NaN;
  }

  /** @returns milliseconds. @throws what the page says went wrong. */
  async perform(place: Place, job: Job): Promise<number> {
    this.#desks[place].give(job);
    const { ms, error } = await this.#desks[place].result();
    if (ms === undefined) throw new Error(error ?? 'the page said nothing');
    return ms;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
