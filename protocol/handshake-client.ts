/**
 * The client's handshake: SIGMA-I over one hybrid exchange (docs/protocol.md, "Handshake" and "States").
 *
 *   IDLE -> INIT_SENT -> (RETRIED, once) -> AUTH_SENT -> established
 *
 * Any message a state does not list ends it. It knows no transport and no clock: the caller delivers whole frames and
 * gives up after 10 s with {@link ClientHandshake.wipe}. One object is one attempt.
 */
import { assertLength, concat, copy, DecodeError, equal, wipe } from './bytes.ts';
import type { TransportByte } from './carrier.ts';
import type { Crypto, KeyOffer, Opener, Signer } from './crypto.ts';
import { asHandshakeError, type Established, HandshakeError, type HandshakeStep } from './established.ts';
import { decodeFrame, decodeReject, encodeFrame } from './handshake-frame.ts';
import { encodeInit, encodeInitCore, mac1, type StealthTarget, suite, version } from './init.ts';
import { signatureContext } from './labels.ts';
import * as limits from './limits.ts';
import { decodeParams } from './params.ts';
import { decodeRetry, solvePuzzle } from './retry.ts';
import { firstEpoch } from './schedule.ts';
import * as messages from './sealed-messages.ts';
import * as transcript from './transcript.ts';

/** What a client brings to one handshake. */
export type ClientHandshakeOptions = {
  readonly crypto: Crypto;
  readonly transport: TransportByte;
  /** From a verified gateway descriptor. */
  readonly gateway: { readonly publicKey: Uint8Array; readonly stealthKey: Uint8Array };
  /** `posture`: SHA-256(statement) 32 | time u64. `signer`: the session key that `svid` certifies. */
  readonly identity: { readonly svid: Uint8Array; readonly posture: Uint8Array; readonly signer: Signer };
  /** Lets other work run while a puzzle is solved, and {@link ClientHandshake.wipe} stop it. */
  readonly pause?: () => Promise<void>;
};

type InitSent = { at: 'init_sent'; offer: KeyOffer; core: Uint8Array; init: Uint8Array; retried: boolean };
type AuthSent = { at: 'auth_sent'; opener: Opener; th5: Uint8Array; master: Uint8Array; finishKey: Uint8Array };
type State = { at: 'idle' } | InitSent | AuthSent | { at: 'busy' } | { at: 'finished' };

export class ClientHandshake {
  readonly #options: ClientHandshakeOptions;
  readonly #target: StealthTarget;
  #state: State = { at: 'idle' };

  constructor(options: ClientHandshakeOptions) {
    assertLength('gateway.publicKey', options.gateway.publicKey, limits.compositePublicBytes);
    assertLength('gateway.stealthKey', options.gateway.stealthKey, limits.keyBytes);
    assertLength('identity.posture', options.identity.posture, limits.postureBytes);
    this.#options = options;
    const gatewayKeyHash = options.crypto.sha256(options.gateway.publicKey);
    this.#target = { stealthKey: options.gateway.stealthKey, gatewayKeyHash };
  }

  /** INIT, framed. Once. */
  start(): Uint8Array {
    if (this.#state.at !== 'idle') throw new TypeError('this handshake has started');
    const { crypto, transport } = this.#options;
    const offer = crypto.offer();
    const core = encodeInitCore({ transport, random: crypto.random(limits.hashBytes), share: offer.share });
    const init = encodeInit(core, new Uint8Array(0), 0n);
    this.#state = { at: 'init_sent', offer, core, init, retried: false };
    return this.#framedInit(init);
  }

  /**
   * Takes the gateway's next frame.
   * @throws HandshakeError and is finished, whatever was wrong; TypeError when it is not waiting for anything.
   */
  async receive(frame: Uint8Array): Promise<HandshakeStep> {
    const state = this.#state;
    if (state.at !== 'init_sent' && state.at !== 'auth_sent') throw new TypeError('this handshake expects no message');
    this.#state = { at: 'busy' };
    try {
      const { type, body } = decodeFrame(frame);
      if (state.at === 'init_sent' && type === 'retry' && !state.retried) return await this.#onRetry(state, body);
      if (state.at === 'init_sent' && type === 'resp') return await this.#onResp(state, body);
      if (state.at === 'auth_sent' && type === 'ready') return this.#onReady(state, body);
      // Not authenticated: the reason is for the log, and a new attempt offers exactly the same.
      if (state.at === 'init_sent' && type === 'reject') throw new HandshakeError(decodeReject(body));
      throw new DecodeError('a message this state does not list');
    } catch (cause) {
      wipeState(state);
      this.#state = { at: 'finished' };
      throw asHandshakeError(cause);
    }
  }

  /** Gives up at any point, also while a {@link receive} is at work, which then rejects. */
  wipe(): void {
    wipeState(this.#state);
    this.#state = { at: 'finished' };
  }

  #framedInit(init: Uint8Array): Uint8Array {
    const mac = mac1(this.#options.crypto, this.#target, init);
    return encodeFrame('init', concat(init, mac));
  }

  /** The same core again, with the cookie and the work that were asked for. */
  async #onRetry(state: InitSent, body: Uint8Array): Promise<HandshakeStep> {
    const { crypto } = this.#options;
    const demand = decodeRetry(crypto, this.#target, state.core, body);
    const solution = await solvePuzzle(crypto, demand, () => this.#breathe());
    const init = encodeInit(state.core, demand.cookie, solution);
    this.#become({ ...state, init, retried: true });
    return { send: this.#framedInit(init) };
  }

  async #breathe(): Promise<void> {
    await this.#options.pause?.();
    if (this.#state.at !== 'busy') throw new HandshakeError('going_away');
  }

  async #onResp(state: InitSent, body: Uint8Array): Promise<HandshakeStep> {
    const { crypto, gateway, transport } = this.#options;
    const resp = messages.decodeResp(copy(body)); // kept across the signature check below
    if (resp.version !== version) throw new HandshakeError('version');
    if (resp.suite !== suite) throw new HandshakeError('suite');
    const th1 = transcript.th1(crypto, transcript.th0(crypto, transport, gateway.publicKey), state.init);
    const th2 = transcript.th2(crypto, th1, resp.clear);
    const secrets = this.#agree(state.offer, th2, resp.share);
    const opener = crypto.opener(secrets.gateway);
    try {
      const padded = opener.open(th2, resp.sealed);
      if (padded === null) throw new HandshakeError('decrypt');
      const { signature, plain } = messages.decodeRespPlain(copy(padded));
      if (!(await crypto.verify(gateway.publicKey, th2, signatureContext.gateway, signature)))
        throw new HandshakeError('bad_svid');
      return await this.#authenticate(secrets, opener, transcript.th3(crypto, th2, plain));
    } catch (cause) {
      opener.wipe();
      throw cause;
    } finally {
      transcript.wipeSecrets(secrets);
    }
  }

  #agree(offer: KeyOffer, th2: Uint8Array, share: Uint8Array): transcript.HandshakeSecrets {
    const shared = finish(offer, share);
    try {
      return transcript.handshakeSecrets(this.#options.crypto, th2, shared);
    } finally {
      wipe(shared);
    }
  }

  /** The gateway has proved itself: only now does the client say who it is. */
  async #authenticate(secrets: transcript.HandshakeSecrets, opener: Opener, th3: Uint8Array): Promise<HandshakeStep> {
    const { crypto, gateway, identity } = this.#options;
    const { svid, posture, signer } = identity;
    const thc = transcript.thc(crypto, th3, svid, posture);
    const signature = await signer.sign(thc, signatureContext.client);
    const th4 = transcript.th4(crypto, thc, signature);
    const finishClient = transcript.finishClient(crypto, secrets.clientFinish, th4);
    const th5 = transcript.th5(crypto, th4, finishClient);
    const plain = messages.encodeAuth({ svid, posture, signature, finish: finishClient });
    const send = encodeFrame('auth', sealOnce(crypto, secrets.client, th3, plain));
    const keys = { gateway: gateway.publicKey, session: signer.publicKey };
    const master = transcript.masterSecret(crypto, secrets.handshake, th5, keys);
    this.#become({ at: 'auth_sent', opener, th5, master, finishKey: copy(secrets.gatewayFinish) });
    return { send };
  }

  #onReady(state: AuthSent, body: Uint8Array): HandshakeStep {
    const { crypto, gateway, identity } = this.#options;
    const padded = state.opener.open(state.th5, body);
    if (padded === null) throw new HandshakeError('decrypt');
    const ready = messages.decodeReady(padded);
    if (!equal(ready.finish, transcript.finishGateway(crypto, state.finishKey, state.th5, ready.params)))
      throw new HandshakeError('decrypt');
    const params = decodeParams(ready.params);
    const th6 = transcript.th6(crypto, state.th5, ready.params, ready.finish);
    const epoch = firstEpoch(crypto, state.master, th6);
    wipeState(state);
    this.#become({ at: 'finished' });
    const peer = { gatewayPublicKey: gateway.publicKey };
    const established: Established = { epoch, params, peer, sessionPublicKey: identity.signer.publicKey };
    return { established };
  }

  /** Moves on, unless {@link wipe} was called while a signature was being made or checked. */
  #become(next: State): void {
    if (this.#state.at !== 'busy') {
      wipeState(next);
      throw new HandshakeError('going_away');
    }
    this.#state = next;
  }
}

/** A share that yields nothing and a tag that fails look alike. */
function finish(offer: KeyOffer, share: Uint8Array): Uint8Array {
  try {
    return offer.finish(share);
  } catch (cause) {
    throw new HandshakeError('decrypt', undefined, { cause });
  } finally {
    offer.wipe();
  }
}

/** A key for one message. */
function sealOnce(crypto: Crypto, key: Uint8Array, ad: Uint8Array, plain: Uint8Array): Uint8Array {
  const sealer = crypto.sealer(key);
  try {
    return copy(sealer.seal(ad, plain));
  } finally {
    sealer.wipe();
  }
}

function wipeState(state: State): void {
  if (state.at === 'init_sent') state.offer.wipe();
  if (state.at !== 'auth_sent') return;
  state.opener.wipe();
  wipe(state.master, state.finishKey);
}
