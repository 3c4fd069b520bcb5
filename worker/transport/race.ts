/**
 * Which transport carries the tunnel: WebTransport is tried first, WebSocket joins after a head start, or at once when
 * WebTransport has failed or does not exist. The first that stands wins, the other is cancelled, and the winner's
 * `transport` says which it was. Whoever has just lost the one may ask for the other order, or for one alone.
 */
import { type Carrier, CarrierError } from '../../protocol/carrier.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { Endpoint } from './endpoint.ts';
import { connectWebSocket } from './websocket.ts';
import { connectWebTransport } from './webtransport.ts';

/** Long enough for a QUIC handshake with a retry on a slow path, short enough not to be noticed much. */
export const headStartMs = 1_200;

export type Transport = Endpoint['transport'];

export type Connect = (endpoint: Endpoint, signal: AbortSignal) => Promise<Carrier>;

export interface RaceOptions {
  readonly clock: Clock;
  /** Ends the attempt; the race then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  readonly headStartMs?: number;
  /** The first gets the head start; what is not named is not tried. */
  readonly order?: readonly [Transport, Transport?];
  /** How to connect; tests bring their own. */
  readonly connect?: { readonly webtransport: Connect; readonly websocket: Connect };
}

/** @throws CarrierError 'unreachable' when every endpoint has failed; the signal's reason when aborted */
export async function raceTransports(endpoints: readonly Endpoint[], options: RaceOptions): Promise<Carrier> {
  options.signal.throwIfAborted();
  const race = new Race(endpoints, options);
  const cancel = () => race.cancel(options.signal.reason);
  options.signal.addEventListener('abort', cancel, { once: true });
  try {
    return await race.run();
  } finally {
    options.signal.removeEventListener('abort', cancel);
  }
}

class Race {
  readonly #lanes: Record<Transport, readonly Endpoint[]>;
  readonly #order: readonly [Transport, Transport?];
  readonly #connect: NonNullable<RaceOptions['connect']>;
  readonly #clock: Clock;
  readonly #headStartMs: number;
  readonly #result = Promise.withResolvers<Carrier>();
  readonly #losers = new AbortController();
  #decided = false;

  constructor(endpoints: readonly Endpoint[], options: RaceOptions) {
    this.#lanes = {
      webtransport: endpoints.filter((endpoint) => endpoint.transport === 'webtransport'),
      websocket: endpoints.filter((endpoint) => endpoint.transport === 'websocket'),
    };
    this.#order = options.order ?? ['webtransport', 'websocket'];
    this.#clock = options.clock;
    this.#headStartMs = options.headStartMs ?? headStartMs;
    this.#connect = options.connect ?? {
      webtransport: connectWebTransport,
      websocket: (endpoint, signal) => connectWebSocket(endpoint, signal, options.clock),
    };
  }

  run(): Promise<Carrier> {
    const [one, other] = this.#order;
    const first = this.#lane(one);
    const second = other === undefined ? first : this.#headStart(first).then(() => this.#lane(other));
    Promise.all([first, second]).then(
      () => this.#lose(new CarrierError('unreachable')),
      (cause: unknown) => this.#lose(cause),
    );
    return this.#result.promise;
  }

  cancel(reason: unknown): void {
    this.#lose(reason);
  }

  /** Ends when the first lane has failed, or when its head start is over. */
  #headStart(first: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#clock.after(this.#headStartMs, resolve);
      first.then(() => {
        stop();
        resolve();
      }, resolve);
    });
  }

  /** Tries a transport's endpoints one after another; settles when one has won, all have failed, or the race is over. */
  async #lane(transport: Transport): Promise<void> {
    for (const endpoint of this.#lanes[transport]) {
      if (this.#decided) return;
      try {
        this.#arrive(await this.#connect[transport](endpoint, this.#losers.signal));
        return;
      } catch {
        // The next endpoint may do better; why this one did not, a browser does not say.
      }
    }
  }

  #arrive(carrier: Carrier): void {
    if (this.#decided) {
      carrier.close();
      return;
    }
    this.#decided = true;
    this.#result.resolve(carrier);
    this.#losers.abort();
  }

  #lose(reason: unknown): void {
    if (this.#decided) return;
    this.#decided = true;
    this.#result.reject(reason);
    this.#losers.abort();
  }
}
