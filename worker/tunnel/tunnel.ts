/** One tunnel to one service: its session key, its credential, its session, and what they carry for the app. */
import { base64url } from '../../protocol/bytes.ts';
import type { StreamKind } from '../../protocol/codes.ts';
import { connectClient } from '../../protocol/connect-client.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { decodeNotice } from '../../protocol/notice.ts';
import type { Session } from '../../protocol/session.ts';
import type { Stream } from '../../protocol/stream.ts';
import {
  type Transfers as Counted,
  type LaunchedService,
  type PasswordStage,
  type StepUpStage,
  type TunnelCounts,
  TunnelFault,
  type TunnelStatus,
} from '../api.ts';
import type { PortNote } from '../app-messages.ts';
import { raceTransports } from '../transport/race.ts';
import { AppServer } from './app-server.ts';
import { workerClock } from './clock.ts';
import type { SessionKey } from './composite.ts';
import { countingCarrier } from './counting-carrier.ts';
import { believe, type Credential, type LaunchAnswer } from './credential.ts';
import { HttpPasswords } from './http-passwords.ts';
import { type Launched, launchOver } from './launch.ts';
import { PreparedOffers } from './prepared-offers.ts';
import { renewAnswer } from './renewal.ts';
import { type Connection, type ConnectionHooks, type Order, SessionKeeper } from './session-keeper.ts';
import { launchAgain } from './sign-in-again.ts';
import { StepUp } from './step-up.ts';
import { Transfers } from './transfers.ts';
import type { OpenMore } from './tunnel-use.ts';

/** How long a request waits for a tunnel that is being opened again. */
const holdMs = 30_000;

export interface TunnelOptions {
  /** For this tunnel alone, which wipes it. */
  readonly key: Promise<SessionKey>;
  readonly crypto: Crypto;
  readonly sealed: () => number;
  /** Forgets every key and text that the crypto holds. Called when nothing of the tunnel uses it any more. */
  readonly forget: () => void;
  readonly onStatus: (status: TunnelStatus) => void;
  readonly onStepUp: (stage: StepUpStage | undefined) => void;
  readonly onPassword: (stage: PasswordStage | undefined) => void;
  readonly onTransfers: (transfers: Counted) => void;
  /** Where a service's app lives; an answer that says another place is not believed. */
  readonly appOrigin: (service: string) => string;
}

export class Tunnel {
  readonly #options: TunnelOptions;
  readonly #offers: PreparedOffers;
  readonly #stepUp: StepUp;
  /** Asked for by the service itself. */
  readonly passwords: HttpPasswords;
  /** Ports that come before the launch is done wait for it. */
  readonly #server = Promise.withResolvers<AppServer>();
  #isLaunching = false;
  #isOver = false;
  #keeper: SessionKeeper | undefined;
  /** The lease has ended: how to sign in again. */
  #lapse: { readonly signInOver: (hub: MessagePort) => void } | undefined;
  #recordsSent = 0;

  constructor(options: TunnelOptions) {
    this.#options = options;
    this.#offers = new PreparedOffers(options.crypto, workerClock, options.sealed);
    this.#stepUp = new StepUp(options.onStepUp);
    this.passwords = new HttpPasswords(options.onPassword);
    this.#server.promise.catch(() => undefined);
    options.key.catch(() => undefined); // the launch says it
  }

  /** @throws TunnelFault */
  async launch(service: string, hub: MessagePort): Promise<LaunchedService> {
    if (this.#isLaunching) throw new TunnelFault('launched', 'This tab has opened its service already. Open another.');
    this.#isLaunching = true;
    try {
      const key = await this.#options.key;
      this.#assertNotOver();
      return await this.#begin(service, hub, key);
    } catch (error) {
      this.#server.reject(error);
      this.#wipe();
      throw error;
    }
  }

  serve(port: MessagePort, note: PortNote): void {
    this.#server.promise.then(
      (server) => server.serve(port, note),
      () => port.close(),
    );
  }

  workerGone(lock: string): void {
    this.#server.promise.then(
      (server) => server.workerGone(lock),
      () => undefined,
    );
  }

  /** A window of the hub is there for the touch that was asked for. */
  touchOver(hub: MessagePort): void {
    if (this.#lapse === undefined) this.#stepUp.answerOver(hub);
    else this.#lapse.signInOver(hub);
  }

  declineTouch(): void {
    if (this.#lapse === undefined) this.#stepUp.decline();
    else this.#keeper?.refuse(new TunnelFault('lease_ended', 'The person did not sign in again.'));
  }

  /** Nothing to do before the launch is done, or after the end. */
  reconnect(): void {
    this.#keeper?.reconnect();
  }

  counts(): TunnelCounts {
    return { sealedInWasm: this.#options.sealed(), recordsSent: this.#recordsSent };
  }

  /** Resolves when the last session has closed and the Wasm has forgotten what it held. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#keeper?.end();
    this.#wipe();
    // Not earlier: transports still take frames from its memory, the last CLOSE among them.
    await this.#keeper?.atRest();
    this.#options.forget();
  }

  /** It may be ended while it is being launched. */
  #assertNotOver(): void {
    if (this.#isOver) throw new TunnelFault('offline', 'The tunnel has ended.');
  }

  #wipe(): void {
    this.#options.key.then(
      (key) => key.wipe(),
      () => undefined, // none was made
    );
    this.passwords.forget();
    this.#offers.wipe();
  }

  async #begin(service: string, hub: MessagePort, key: SessionKey): Promise<LaunchedService> {
    const { crypto, appOrigin } = this.#options;
    const judge = (answer: LaunchAnswer, pins: Uint8Array) => {
      const expected = { sessionPublicKey: key.publicKey, service, app: appOrigin(service), pins };
      return believe(answer, expected, crypto, workerClock);
    };
    const surroundings = { crypto, clock: workerClock };
    const { credential, ...launched } = await launchOver(hub, service, key, {
      ...surroundings,
      believe: ({ answer, pins }) => judge(answer, pins),
    });
    this.#assertNotOver();
    const keeper = new SessionKeeper(credential, {
      clock: workerClock,
      onStatus: (status) => this.#tell(status),
      chance: () => Math.random(),
      connect: (present, signal, hooks, order) => this.#connect(present, key, { signal, hooks, order }),
      renew: async ({ serial }) => judge(await renewAnswer(serial, key, crypto, workerClock), launched.pins),
      onLapsed: () => {
        this.#lapse = { signInOver };
        this.#options.onStepUp('lapsed');
      },
    });
    const signInOver = (hub: MessagePort): void => {
      const again = { ...surroundings, believe: ({ answer }: Launched) => judge(answer, launched.pins) };
      launchAgain(hub, service, key, launched, again).then(
        (next) => this.#goOn(keeper, next),
        // The hub has said what it was; the person may try again, unless trying again is of no use.
        (error: unknown) => keeper.refuseFor(error),
      );
    };
    this.#keeper = keeper;
    keeper.start();
    this.#server.resolve(new AppServer(this.#useOf(keeper, credential.service, launched), workerClock));
    return credential.service;
  }

  #goOn(keeper: SessionKeeper, credential: Credential): void {
    this.#lapse = undefined;
    this.#options.onStepUp(undefined);
    keeper.goOn(credential);
  }

  /** A tunnel that was refused makes no session any more, and needs nothing of what it holds. */
  #tell(status: TunnelStatus): void {
    this.#options.onStatus(status);
    if (status.state === 'refused') void this.end();
  }

  #useOf(keeper: SessionKeeper, service: LaunchedService, { jarKey }: Launched) {
    return {
      origin: service.app,
      passwords: this.passwords,
      transfers: new Transfers(workerClock, this.#options.onTransfers),
      hidden: [
        [':jar-key', base64url(jarKey)],
        [':client', base64url(this.#options.crypto.random(16))],
      ] as const,
      open: async (kind: StreamKind, called = service.name, more?: OpenMore): Promise<Stream> => {
        const session = await keeper.session(holdMs);
        return session.open({ kind, service: called, ...more });
      },
    };
  }

  async #connect(
    credential: Credential,
    signer: SessionKey,
    { signal, hooks, order }: { signal: AbortSignal; hooks: ConnectionHooks; order: Order },
  ): Promise<Connection> {
    const { onState, onOverdue, onSilent } = hooks;
    this.#offers.prepare(); // while the transport is being opened
    const raced = await raceTransports(credential.endpoints, { clock: workerClock, signal, order });
    const carrier = countingCarrier(raced, () => {
      this.#recordsSent += 1;
    });
    const opening: Promise<Session> = connectClient({
      carrier,
      crypto: this.#offers.crypto,
      clock: workerClock,
      gateway: credential.gateway,
      identity: { svid: credential.svid, posture: credential.posture, signer },
      session: {
        onState,
        onRekeySoon: () => this.#offers.prepare(),
        onRekeyOverdue: onOverdue,
        onSilent,
        // Only an open session asks.
        onStepup: (question) => void opening.then((session) => this.#stepUp.asked(session, question)),
        onNotice: (content) => this.#stepUp.noticed(decodeNotice(content)),
      },
      signal,
    });
    const session = await opening;
    return { session, transport: carrier.transport === 1 ? 'webtransport' : 'websocket' };
  }
}
