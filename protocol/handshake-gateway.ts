/**
 * The gateway's handshake, the mirror of handshake-client.ts (docs/protocol.md, "Handshake" and "States").
 *
 *   LISTEN -> (RETRY sent, still LISTEN) -> RESP_SENT -> established
 *
 * A sender who can't make mac1 learns nothing, not even that somebody listens. No key operation comes before mac1 and,
 * under load, before the cookie. Policy is the caller's: `verifySvid` and `params` decide who and on which terms.
 */
import { copy, DecodeError, equal, wipe } from './bytes.ts';
import type { TransportByte } from './carrier.ts';
import type { Clock } from './clock.ts';
import type { Crypto, KeyAnswer, Opener, Sealer, Signer } from './crypto.ts';
import { asHandshakeError, type Established, HandshakeError, type HandshakeStep } from './established.ts';
import { decodeFrame, encodeFrame, encodeReject, type RejectReason } from './handshake-frame.ts';
import { decodeInit, mac1, type ReceivedInit, type StealthTarget, supports } from './init.ts';
import { signatureContext } from './labels.ts';
import * as limits from './limits.ts';
import { encodeParams, type SessionParams } from './params.ts';
import { type CookieKeys, encodeRetry } from './retry.ts';
import { firstEpoch } from './schedule.ts';
import * as messages from './sealed-messages.ts';
import type { VerifiedSvid } from './svid.ts';
import * as transcript from './transcript.ts';

/** What a gateway brings to one handshake. */
export type GatewayHandshakeOptions = {
  readonly crypto: Crypto;
  readonly clock: Pick<Clock, 'now'>;
  readonly transport: TransportByte;
  /** Its identities and, for each, the stealth keys of its last descriptors: four combinations at most. */
  readonly identities: readonly { readonly signer: Signer; readonly stealthKeys: readonly Uint8Array[] }[];
  /** Rejects with HandshakeError or ObjectError for a credential that is not good. `posture`: the 40 bytes of AUTH. */
  readonly verifySvid: (svid: Uint8Array, posture: Uint8Array) => Promise<VerifiedSvid>;
  /** Told before the terms, once the key of the credential is proved: nothing may be held against its holder earlier. May throw HandshakeError. */
  readonly onIdentified?: (svid: VerifiedSvid, posture: Uint8Array) => void;
  readonly params: (svid: VerifiedSvid) => SessionParams;
  /** Asked last before the key operations. False when this client has had its share: it is told `too_many`. */
  readonly admit?: () => boolean;
  /** `demand`: asked once for each first INIT; puzzle difficulty while under load (0 for a cookie alone), else undefined. */
  readonly retry?: { readonly keys: CookieKeys; readonly address: string; readonly demand: () => number | undefined };
};

type Listen = { at: 'listen'; retried: boolean };
type RespSent = {
  at: 'resp_sent';
  secrets: transcript.HandshakeSecrets;
  sealer: Sealer;
  opener: Opener;
  th3: Uint8Array;
  signer: Signer;
};
type State = Listen | RespSent | { at: 'busy' } | { at: 'finished' };
type Target = StealthTarget & { readonly signer: Signer };

export class GatewayHandshake {
  readonly #options: GatewayHandshakeOptions;
  readonly #targets: readonly Target[];
  #state: State = { at: 'listen', retried: false };

  constructor(options: GatewayHandshakeOptions) {
    this.#options = options;
    this.#targets = options.identities.flatMap(({ signer, stealthKeys }) => {
      const gatewayKeyHash = options.crypto.sha256(signer.publicKey);
      return stealthKeys.map((stealthKey) => ({ signer, stealthKey, gatewayKeyHash }));
    });
    if (this.#targets.length === 0 || this.#targets.length > limits.maxMac1Tries)
      throw new TypeError('identities: between one and four pairs of identity and stealth key');
  }

  /**
   * Takes the client's next frame.
   * @throws HandshakeError and is finished, whatever was wrong; TypeError when it is not waiting for anything.
   */
  async receive(frame: Uint8Array): Promise<HandshakeStep> {
    const state = this.#state;
    if (state.at === 'busy' || state.at === 'finished') throw new TypeError('this handshake expects no message');
    this.#state = { at: 'busy' };
    try {
      if (state.at === 'listen') return await this.#onInit(state, frame);
      const { type, body } = decodeFrame(frame);
      if (type !== 'auth') throw new DecodeError('a message this state does not list');
      return await this.#onAuth(state, body);
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

  async #onInit(state: Listen, frame: Uint8Array): Promise<HandshakeStep> {
    const { init, target } = this.#recognise(frame);
    const supported = supports(init);
    if (supported !== 'yes') throw rejected(supported);
    if (init.transport !== this.#options.transport) throw new HandshakeError('downgrade');
    const retry = this.#judgeCookie(state, init, target);
    if (retry !== undefined) return { send: retry };
    if (this.#options.admit?.() === false) throw rejected('too_many');
    // After the share of the address, or one that has had its share could use up everybody's room for cookies.
    if (init.cookie.length > 0 && this.#options.retry?.keys.spend(init) !== true) throw new HandshakeError('replay');
    return this.#respond(init, target);
  }

  /** Who is meant, if anybody: nothing before this line may answer. */
  #recognise(frame: Uint8Array): { init: ReceivedInit; target: Target } {
    const init = decodeInitFrame(copy(frame));
    const target = this.#targets.find((one) => equal(init.mac1, mac1(this.#options.crypto, one, init.beforeMac1)));
    if (target === undefined) throw new HandshakeError('silent');
    return { init, target };
  }

  /** @returns a RETRY to send, or undefined to go on. A cookie names the core it was made for. */
  #judgeCookie(state: Listen, init: ReceivedInit, target: Target): Uint8Array | undefined {
    const { crypto, retry } = this.#options;
    const bare = init.cookie.length === 0;
    if (!bare) {
      if (retry?.keys.accepts(retry.address, init) !== true) throw new HandshakeError('replay');
      return undefined;
    }
    if (state.retried) throw new DecodeError('an INIT without the cookie that was asked for');
    if (init.solution !== 0n) throw new DecodeError('a solution without a puzzle');
    const difficulty = retry?.demand();
    if (retry === undefined || difficulty === undefined) return undefined;
    const demand = retry.keys.issue({ address: retry.address, core: init.core }, difficulty);
    this.#become({ at: 'listen', retried: true });
    return encodeFrame('retry', encodeRetry(crypto, target, init.core, demand));
  }

  async #respond(init: ReceivedInit, { signer }: Target): Promise<HandshakeStep> {
    const { crypto, clock, transport } = this.#options;
    const answer = answerTo(crypto, init.share);
    const clear = messages.encodeRespClear(crypto.random(limits.hashBytes), answer.share);
    const th1 = transcript.th1(crypto, transcript.th0(crypto, transport, signer.publicKey), init.beforeMac1);
    const th2 = transcript.th2(crypto, th1, clear);
    const secrets = this.#agree(answer, th2);
    const [sealer, opener] = [crypto.sealer(secrets.gateway), crypto.opener(secrets.client)];
    try {
      const plain = messages.encodeRespPlain(clock.now(), await signer.sign(th2, signatureContext.gateway));
      const th3 = transcript.th3(crypto, th2, plain);
      const sealed = copy(sealer.seal(th2, messages.padResp(plain)));
      this.#become({ at: 'resp_sent', secrets, sealer, opener, th3, signer });
      return { send: encodeFrame('resp', messages.encodeResp(clear, sealed)) };
    } catch (cause) {
      wipeHalfOpen({ secrets, sealer, opener });
      throw cause;
    }
  }

  #agree(answer: KeyAnswer, th2: Uint8Array): transcript.HandshakeSecrets {
    try {
      return transcript.handshakeSecrets(this.#options.crypto, th2, answer.secret);
    } finally {
      wipe(answer.secret);
    }
  }

  async #onAuth(state: RespSent, body: Uint8Array): Promise<HandshakeStep> {
    const { crypto } = this.#options;
    const padded = state.opener.open(state.th3, body);
    if (padded === null) throw await this.#undecipherable(state);
    const auth = messages.decodeAuth(padded);
    const thc = transcript.thc(crypto, state.th3, auth.svid, auth.posture);
    const th4 = transcript.th4(crypto, thc, auth.signature);
    if (!equal(auth.finish, transcript.finishClient(crypto, state.secrets.clientFinish, th4)))
      throw await this.#undecipherable(state);
    const svid = await this.#identify(auth, thc);
    return this.#finish(state, svid, transcript.th5(crypto, th4, auth.finish));
  }

  /** A credential is worth nothing without its key: the signature over this very transcript decides. */
  async #identify(auth: messages.Auth, thc: Uint8Array): Promise<VerifiedSvid> {
    const svid = await this.#options.verifySvid(auth.svid, auth.posture);
    if (!(await this.#options.crypto.verify(svid.sessionPublicKey, thc, signatureContext.client, auth.signature)))
      throw new HandshakeError('bad_svid');
    this.#options.onIdentified?.(svid, auth.posture);
    if (!equal(svid.postureHash, auth.posture.subarray(0, limits.hashBytes))) throw new HandshakeError('posture');
    return svid;
  }

  /** An AUTH that fails its tag takes about as long to refuse as one whose credential fails: two verifications. */
  async #undecipherable({ signer }: RespSent): Promise<HandshakeError> {
    for (let i = 0; i < 2; i++) await verifyDecoy(this.#options.crypto, signer);
    return new HandshakeError('decrypt');
  }

  #finish(state: RespSent, svid: VerifiedSvid, th5: Uint8Array): HandshakeStep {
    const { crypto } = this.#options;
    const params = this.#options.params(svid);
    const encoded = encodeParams(params);
    const finish = transcript.finishGateway(crypto, state.secrets.gatewayFinish, th5, encoded);
    const th6 = transcript.th6(crypto, th5, encoded, finish);
    const keys = { gateway: state.signer.publicKey, session: svid.sessionPublicKey };
    const master = transcript.masterSecret(crypto, state.secrets.handshake, th5, keys);
    try {
      const send = encodeFrame('ready', state.sealer.seal(th5, messages.encodeReady(encoded, finish)));
      this.#become({ at: 'finished' });
      const epoch = firstEpoch(crypto, master, th6);
      const established: Established = { epoch, params, peer: svid, sessionPublicKey: svid.sessionPublicKey };
      return { send, established };
    } finally {
      wipe(master);
      wipeState(state);
    }
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

/** One signature an identity, made when first needed and worth nothing: only the time it takes to verify is of use. */
const decoys = new WeakMap<Uint8Array, Promise<Uint8Array>>();

async function verifyDecoy(crypto: Crypto, signer: Signer): Promise<void> {
  const message = new Uint8Array(limits.hashBytes);
  const signature = decoys.get(signer.publicKey) ?? signer.sign(message, signatureContext.decoy);
  decoys.set(signer.publicKey, signature);
  await crypto.verify(signer.publicKey, message, signatureContext.decoy, await signature);
}

function rejected(reason: RejectReason): HandshakeError {
  return new HandshakeError(reason, encodeReject(reason));
}

/** What is not even an INIT proves nothing about its sender either. */
function decodeInitFrame(frame: Uint8Array): ReceivedInit {
  try {
    const { type, body } = decodeFrame(frame);
    if (type !== 'init') throw new DecodeError('a message this state does not list');
    return decodeInit(body);
  } catch (cause) {
    throw new HandshakeError('silent', undefined, { cause });
  }
}

/** FIPS 203's modulus check happens in there, before Encaps. */
function answerTo(crypto: Crypto, share: Uint8Array): KeyAnswer {
  try {
    return crypto.answer(share);
  } catch (cause) {
    throw new HandshakeError('decode', undefined, { cause });
  }
}

function wipeHalfOpen({ secrets, sealer, opener }: Pick<RespSent, 'secrets' | 'sealer' | 'opener'>): void {
  transcript.wipeSecrets(secrets);
  sealer.wipe();
  opener.wipe();
}

function wipeState(state: State): void {
  if (state.at === 'resp_sent') wipeHalfOpen(state);
}
