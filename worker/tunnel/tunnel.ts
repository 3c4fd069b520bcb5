/** One tunnel to one service: its session key, its credential, its session, and what they carry for the app. */
import { base64url } from '../../protocol/bytes.ts';
import type { StreamKind } from '../../protocol/codes.ts';
import { connectClient } from '../../protocol/connect-client.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import type { Stream } from '../../protocol/stream.ts';
import type { LaunchedService, TunnelCounts, TunnelStatus } from '../api.ts';
import { raceTransports } from '../transport/race.ts';
import { serveApp } from './app-server.ts';
import { workerClock } from './clock.ts';
import { makeSessionKey, type SessionKey } from './composite.ts';
import { countingCarrier } from './counting-carrier.ts';
import { believe, type Credential } from './credential.ts';
import { launchOver } from './launch.ts';
import { renewAnswer } from './renewal.ts';
import { type Connection, SessionKeeper } from './session-keeper.ts';

/** How long a request waits for a tunnel that is being opened again. */
const holdMs = 30_000;

export interface TunnelOptions {
  readonly crypto: Crypto;
  readonly sealed: () => number;
  readonly onStatus: (status: TunnelStatus) => void;
}

export class Tunnel {
  readonly #options: TunnelOptions;
  #keeper: SessionKeeper | undefined;
  #key: SessionKey | undefined;
  #waitingPorts: MessagePort[] = [];
  #serve: ((port: MessagePort) => void) | undefined;
  #recordsSent = 0;

  constructor(options: TunnelOptions) {
    this.#options = options;
  }

  /** @throws TunnelFault */
  async launch(service: string, hub: MessagePort): Promise<LaunchedService> {
    const { crypto, onStatus } = this.#options;
    const key = await makeSessionKey();
    this.#key = key;
    const { answer, pins, jarKey } = await launchOver(hub, service, key, crypto);
    const expected = { sessionPublicKey: key.publicKey, service, pins };
    const credential = await believe(answer, expected, crypto, workerClock);
    const keeper = new SessionKeeper(credential, {
      clock: workerClock,
      onStatus,
      connect: (present, signal, onEpoch) => this.#connect(present, key, signal, onEpoch),
      renew: async ({ serial }) =>
        believe(await renewAnswer(serial, key, crypto, workerClock), expected, crypto, workerClock),
    });
    this.#keeper = keeper;
    keeper.start();
    this.#openTo(keeper, credential.service, jarKey);
    return credential.service;
  }

  /** Ports that come before the launch is done wait for it. */
  serve(port: MessagePort): void {
    if (this.#serve === undefined) this.#waitingPorts.push(port);
    else this.#serve(port);
  }

  counts(): TunnelCounts {
    return { sealedInWasm: this.#options.sealed(), recordsSent: this.#recordsSent };
  }

  end(): void {
    this.#keeper?.end();
    this.#key?.wipe();
  }

  #openTo(keeper: SessionKeeper, service: LaunchedService, jarKey: Uint8Array): void {
    const use = {
      origin: service.app,
      hidden: [
        [':jar-key', base64url(jarKey)],
        [':client', base64url(this.#options.crypto.random(16))],
      ] as const,
      open: async (kind: StreamKind): Promise<Stream> => {
        const session = await keeper.session(holdMs);
        return session.open({ kind, service: service.name });
      },
    };
    this.#serve = (port) => serveApp(port, use);
    for (const port of this.#waitingPorts.splice(0)) this.#serve(port);
  }

  async #connect(
    credential: Credential,
    signer: SessionKey,
    signal: AbortSignal,
    onEpoch: (phase: 'open' | 'rekeying', epoch: number) => void,
  ): Promise<Connection> {
    const raced = await raceTransports(credential.endpoints, { clock: workerClock, signal });
    const carrier = countingCarrier(raced, () => {
      this.#recordsSent += 1;
    });
    const session = await connectClient({
      carrier,
      crypto: this.#options.crypto,
      clock: workerClock,
      gateway: credential.gateway,
      identity: { svid: credential.svid, posture: credential.posture, signer },
      session: {
        onState: ({ phase, epoch }) => {
          if (phase === 'open' || phase === 'rekeying') onEpoch(phase, epoch);
        },
      },
    });
    return { session, transport: carrier.transport === 1 ? 'webtransport' : 'websocket' };
  }
}
