/**
 * A tab without a browser: the Worker's own keeper, exchange and resumption, over Node's carriers. What a page would be
 * given is what comes out here.
 */
import { createHash } from 'node:crypto';
import { base64url, unbase64url } from '../../protocol/bytes.ts';
import { type Carrier, CarrierError, transportByte } from '../../protocol/carrier.ts';
import { connectClient } from '../../protocol/connect-client.ts';
import { systemClock } from '../../server/channel/system-clock.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import type { TunnelStatus } from '../../worker/api.ts';
import type { FromTunnel } from '../../worker/app-messages.ts';
import type { Endpoint } from '../../worker/transport/endpoint.ts';
import { raceTransports } from '../../worker/transport/race.ts';
import { believe, type LaunchAnswer } from '../../worker/tunnel/credential.ts';
import { HttpExchange } from '../../worker/tunnel/http-exchange.ts';
import { type KeeperOptions, SessionKeeper } from '../../worker/tunnel/session-keeper.ts';
import type { OpenMore } from '../../worker/tunnel/tunnel-use.ts';
import { carry, dialWebSocket } from '../e2e/support/node-carrier.ts';
import type { World } from '../e2e/support/node-world.ts';
import { connectQuic } from '../server/transport/support/h3-client.ts';

/** What an exchange came to. */
export interface Outcome {
  readonly ending: 'end' | 'error';
  readonly code: string;
  readonly status: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface KeptOptions {
  readonly service: string;
  /** Where UDP goes, when not to the gateway itself. */
  readonly quicPort?: number;
}

export class KeptClient {
  readonly statuses: TunnelStatus[] = [];
  readonly #keeper: SessionKeeper;
  readonly #service: string;
  #exchanges = 0;

  private constructor(service: string, keeper: (onStatus: (status: TunnelStatus) => void) => SessionKeeper) {
    this.#service = service;
    this.#keeper = keeper((status) => this.statuses.push(status));
    this.#keeper.start();
  }

  static async start({ admin, fingerprint, port }: World, { service, quicPort }: KeptOptions): Promise<KeptClient> {
    let launched = await admin.launch(service);
    const { signer } = launched;
    const app = `http://${service}.apps.localhost:${port}`;
    const expected = { sessionPublicKey: signer.publicKey, service, app, pins: unbase64url(fingerprint) };
    // The answer is the same JSON; the test's person types fewer of its fields.
    const judge = () => believe(launched.answer as unknown as LaunchAnswer, expected, nodeCrypto, systemClock);
    const credential = await judge();
    const connect = connectors(port, quicPort);
    const options: Omit<KeeperOptions, 'onStatus'> = {
      clock: systemClock,
      chance: () => Math.random(),
      onLapsed: () => undefined,
      renew: async () => {
        launched = await admin.renew(launched);
        return judge();
      },
      connect: async ({ endpoints, gateway, svid, posture }, signal, { onOverdue, ...hooks }, order) => {
        const carrier = await raceTransports(endpoints, { clock: systemClock, signal, order, connect });
        const session = await connectClient({
          ...{ carrier, crypto: nodeCrypto, clock: systemClock, gateway, signal },
          identity: { svid, posture, signer },
          session: { ...hooks, onRekeyOverdue: onOverdue },
        });
        return { session, transport: carrier.transport === transportByte.webtransport ? 'webtransport' : 'websocket' };
      },
    };
    return new KeptClient(service, (onStatus) => new SessionKeeper(credential, { ...options, onStatus }));
  }

  /** One GET as a page makes it. @param onBytes told of each piece; more is taken when what it returns has resolved */
  get(target: string, onBytes: (bytes: number) => Promise<void> | undefined = () => undefined): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const hash = createHash('sha256');
    let [bytes, status] = [0, 0];
    const end = (ending: 'end' | 'error', code = '') =>
      resolve({ ending, code, status, bytes, sha256: hash.digest('hex') });
    this.#exchanges += 1;
    const id = this.#exchanges;
    const use = {
      hidden: [[':jar-key', base64url(new Uint8Array(32))]] as const,
      origin: '',
      open: async (kind: 'http' | 'websocket' | 'tcp' | 'udp', service = this.#service, more?: OpenMore) =>
        (await this.#keeper.session(30_000)).open({ kind, service, ...more }),
    };
    const plain = { method: 'GET', headers: [], hasBody: false, dest: 'empty', mode: 'cors', site: 'same-origin' };
    const exchange = new HttpExchange({ t: 'request', id, target, cookies: '', ...plain }, use, hear);
    function hear(message: FromTunnel): void {
      if (message.t === 'head') status = message.status;
      else if (message.t === 'error') end('error', message.code);
      else if (message.t === 'end') end('end');
      else if (message.t === 'chunk') {
        hash.update(message.chunk);
        bytes += message.chunk.length;
        const { length } = message.chunk;
        void Promise.resolve(onBytes(bytes)).then(() => exchange.take({ t: 'credit', id, bytes: length }));
      }
    }
    void exchange.run();
    return promise;
  }

  end(): void {
    this.#keeper.end();
  }
}

/** @param quicPort in place of the one that the gateway announces */
function connectors(port: number, quicPort?: number) {
  const origin = `http://shell.apps.localhost:${port}`;
  return {
    webtransport: ({ url }: Endpoint, signal: AbortSignal) => {
      const { port: told, pathname: path } = new URL(url);
      return unlessLate(signal, connectQuic(quicPort ?? Number(told), origin, { path }));
    },
    websocket: (_endpoint: Endpoint, signal: AbortSignal) => unlessLate(signal, dialWebSocket(port).then(carry)),
  };
}

/** A carrier that comes after nobody wants it any more is closed. */
async function unlessLate(signal: AbortSignal, connecting: Promise<Carrier>): Promise<Carrier> {
  connecting.then(
    (carrier) => signal.aborted && carrier.close(),
    () => undefined,
  );
  const late = new Promise<never>((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(new CarrierError('unreachable')), { once: true }),
  );
  return Promise.race([connecting, late]);
}
