/**
 * A person without a browser: an emulated passkey, a device key, session keys, and the hub's and shell's public API.
 * Does what hub and shell do, by the protocol; each step can be told to do one thing wrong.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { encodePosture, readPosture } from '../../../posture-js/statement.ts';
import { base64url, unbase64url, utf8 } from '../../../protocol/bytes.ts';
import {
  deviceMessage,
  enrolChallenge,
  type LoginBinding,
  launchChallenge,
  loginChallenge,
  postureMessage,
  renewChallenge,
  requestMessage,
} from '../../../protocol/challenges.ts';
import type { Signer } from '../../../protocol/crypto.ts';
import { decodeSvid } from '../../../protocol/svid.ts';
import { generateComposite } from '../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { Authenticator, type Ceremony } from '../../support/authenticator.ts';
import { call } from './node-api.ts';
import type { Canaries } from './node-canaries.ts';

/** The hub's answer to a launch and to a renewal, as JSON has it. */
export interface LaunchAnswer {
  readonly earlier: readonly { readonly pins: string; readonly root: string }[];
  readonly svid: string;
  readonly descriptor: string;
  readonly certificates: readonly string[];
  readonly root: string;
  readonly pins: string;
  readonly endpoints: readonly { readonly url: string; readonly transport: string }[];
  readonly posture: string;
  readonly expires: number;
  readonly renewAfter: number;
}

/** A credential and the key that it is for. */
export interface Launched {
  readonly answer: LaunchAnswer;
  readonly signer: Signer;
  readonly service: string;
}

/** What a test may make wrong in one ceremony or launch. */
export interface Wrong {
  readonly ceremony?: Partial<Ceremony>;
  /** The report that is sent in place of the one that was signed. */
  readonly statement?: (signed: Uint8Array) => Uint8Array;
  /** Signs the launch in place of the session key. */
  readonly sessionSigner?: Signer;
  /** Headers of the last request. */
  readonly headers?: (right: Record<string, string>) => Record<string, string>;
}

interface Begun {
  readonly ceremony: string;
  readonly nonce: string;
  readonly user: { readonly handle: string };
}

const hubHost = 'hub.localhost';
const shellHost = 'shell.apps.localhost';
const rpId = 'hub.localhost';

export class NodePerson {
  /** Of the product; another one after it was started again. */
  port: number;
  readonly passkey = new Authenticator();
  readonly devicePublicKey: Uint8Array;
  userAgent = 'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
  /** Of the last enrolment or sign-in. */
  user = '';
  device = '';
  cookie: string | undefined;
  readonly #device: KeyObject;
  readonly #canaries: Canaries | undefined;

  /** @param canaries gets every secret this person is told or makes. */
  constructor(port: number, canaries?: Canaries) {
    this.port = port;
    this.#canaries = canaries;
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.#device = privateKey;
    this.devicePublicKey = publicKey.export({ format: 'raw-public' });
    canaries?.add('device key', privateKey.export({ format: 'raw-private' }));
  }

  get spiffeId(): string {
    return `spiffe://latchkey.local/user/${this.user}/device/${this.device}`;
  }

  // ── the hub ──

  /** Follows an enrolment link. @throws ApiRefusal */
  async enrol(link: string, wrong: Wrong = {}): Promise<void> {
    const token = tokenOf(link);
    this.#canaries?.add('enrolment token', token);
    const begun = await this.post<Begun>('/api/enrol/begin', { token });
    const posture = await this.#posture(wrong);
    const challenge = enrolChallenge(nodeCrypto, this.#binding(begun, posture));
    this.passkey.userHandle = unbase64url(begun.user.handle);
    await this.#enter('/api/enrol/finish', {
      ceremony: begun.ceremony,
      devicePublicKey: base64url(this.devicePublicKey),
      deviceSignature: this.#signed(deviceMessage(challenge)),
      posture: posture.json,
      credential: this.passkey.create(ceremonyOf(this.port, challenge, wrong)),
    });
  }

  /** @throws ApiRefusal */
  async signIn(wrong: Wrong = {}): Promise<void> {
    const begun = await this.post<Begun>('/api/login/begin', { devicePublicKey: base64url(this.devicePublicKey) });
    const posture = await this.#posture(wrong);
    const challenge = loginChallenge(nodeCrypto, this.#binding(begun, posture));
    await this.#enter('/api/login/finish', {
      ceremony: begun.ceremony,
      deviceSignature: this.#signed(deviceMessage(challenge)),
      posture: posture.json,
      credential: this.passkey.get(ceremonyOf(this.port, challenge, wrong)),
    });
  }

  /** Names of the services in the launcher. */
  async services(): Promise<string[]> {
    const { body } = await call<{ services: { name: string }[] }>(this.port, {
      host: hubHost,
      path: '/api/services',
      headers: this.#cookies(),
    });
    return body.services.map(({ name }) => name).sort();
  }

  /** @throws ApiRefusal */
  async launch(service: string, wrong: Wrong & { readonly signer?: Signer } = {}): Promise<Launched> {
    const prepared = await this.prepareLaunch(service, wrong);
    return this.finishLaunch(prepared, wrong);
  }

  /** Everything of a launch but its last request, which may then be sent twice. */
  async prepareLaunch(
    service: string,
    wrong: Wrong & { readonly signer?: Signer } = {},
  ): Promise<{ body: object; signer: Signer; service: string }> {
    const begun = await this.postSigned<{
      ceremony: string;
      nonce: string;
      lease: string;
      rpId: string;
      userHandle: string;
      deviceKeyHash: string;
    }>('/api/launch/begin', { service });
    const signer = wrong.signer ?? this.#newSessionKey();
    const posture = await this.#posture(wrong);
    const challenge = launchChallenge(nodeCrypto, {
      rpId: begun.rpId,
      nonce: unbase64url(begun.nonce),
      deviceKeyHash: unbase64url(begun.deviceKeyHash),
      userHandle: unbase64url(begun.userHandle),
      postureHash: posture.hash,
      sessionKeyHash: nodeCrypto.sha256(signer.publicKey),
      lease: unbase64url(begun.lease),
      service,
    });
    const body = {
      ceremony: begun.ceremony,
      sessionPublicKey: base64url(signer.publicKey),
      deviceSignature: this.#signed(deviceMessage(challenge)),
      sessionSignature: base64url(await (wrong.sessionSigner ?? signer).sign(challenge, 'Latchkey/1 launch')),
      posture: posture.json,
    };
    return { body, signer, service };
  }

  #newSessionKey(): Signer {
    const { signer, seeds } = generateComposite();
    for (const seed of [seeds.mldsa, seeds.ed25519]) this.#canaries?.add('session key', seed);
    return signer;
  }

  async finishLaunch(
    { body, signer, service }: Awaited<ReturnType<NodePerson['prepareLaunch']>>,
    wrong: Wrong = {},
  ): Promise<Launched> {
    return { answer: await this.postSigned<LaunchAnswer>('/api/launch/finish', body, wrong), signer, service };
  }

  // ── the shell ──

  /** The next credential of the same session key. @throws ApiRefusal */
  async renew(launched: Launched): Promise<Launched> {
    return { ...launched, answer: await this.sendRenewal(await this.prepareRenewal(launched)) };
  }

  /** A renewal's request, which may then be sent twice. */
  async prepareRenewal({ answer, signer }: Launched): Promise<object> {
    const sessionKeyHash = nodeCrypto.sha256(signer.publicKey);
    const { serial } = decodeSvid(unbase64url(answer.svid));
    const time = Date.now();
    const challenge = renewChallenge(nodeCrypto, { sessionKeyHash, serial, time });
    return {
      sessionKeyHash: base64url(sessionKeyHash),
      serial: base64url(serial),
      time,
      signature: base64url(await signer.sign(challenge, 'Latchkey/1 renew')),
    };
  }

  async sendRenewal(body: object): Promise<LaunchAnswer> {
    const sent = { method: 'POST', host: shellHost, path: '/api/renew', body: JSON.stringify(body) };
    return (await call<LaunchAnswer>(this.port, sent)).body;
  }

  // ── requests ──

  async post<T>(path: string, body: object, headers: Record<string, string> = {}): Promise<T> {
    const sent = { method: 'POST', host: hubHost, path, headers: { ...this.#cookies(), ...headers } };
    return (await call<T>(this.port, { ...sent, body: JSON.stringify(body) })).body;
  }

  /** With the device key's signature over the request. */
  postSigned<T>(path: string, body: object, wrong: Wrong = {}): Promise<T> {
    const right = this.signatureOf(path, body);
    return this.post<T>(path, body, wrong.headers?.(right) ?? right);
  }

  /** The headers that sign one POST. */
  signatureOf(path: string, body: object): Record<string, string> {
    const [nonce, time] = [randomBytes(16), Date.now()];
    const digest = nodeCrypto.sha256(utf8(JSON.stringify(body)));
    return {
      'latchkey-signature': this.#signed(requestMessage('POST', path, digest, nonce, time)),
      'latchkey-nonce': base64url(nonce),
      'latchkey-time': String(time),
    };
  }

  async #enter(path: string, body: object): Promise<void> {
    const { body: entered, answer } = await call<{ user: { id: string }; device: { id: string } }>(this.port, {
      method: 'POST',
      host: hubHost,
      path,
      body: JSON.stringify(body),
    });
    const [line = ''] = answer.headers['set-cookie'] ?? [];
    this.cookie = /^latchkey_lease=([^;]+)/.exec(line)?.[1];
    if (this.cookie === undefined) throw new Error('no lease cookie came');
    this.#canaries?.add('lease cookie', this.cookie);
    this.user = entered.user.id;
    this.device = entered.device.id;
  }

  #cookies(): Record<string, string> {
    return this.cookie === undefined ? {} : { cookie: `latchkey_lease=${this.cookie}` };
  }

  #signed(message: Uint8Array): string {
    return sign(null, message, this.#device).toString('base64url');
  }

  #binding(begun: Begun, posture: { hash: Uint8Array }): LoginBinding {
    return {
      rpId,
      nonce: unbase64url(begun.nonce),
      deviceKeyHash: nodeCrypto.sha256(this.devicePublicKey),
      userHandle: unbase64url(begun.user.handle),
      postureHash: posture.hash,
    };
  }

  /** What the browser that this person claims to use would say, signed by the device key. */
  async #posture(wrong: Wrong): Promise<{ hash: Uint8Array; json: { statement: string; signature: string } }> {
    const view = {
      userAgent: this.userAgent,
      webdriver: false,
      isSecureContext: true,
      crossOriginIsolated: false,
    };
    const signed = encodePosture(await readPosture(view, Date.now()));
    const sent = wrong.statement?.(signed) ?? signed;
    return {
      // The challenge is made honestly for what is sent, so that only the report's own signature can be what is wrong.
      hash: nodeCrypto.sha256(sent),
      json: { statement: base64url(sent), signature: this.#signed(postureMessage(signed)) },
    };
  }
}

/** The secret part of an enrolment link. */
export function tokenOf(link: string): string {
  return new URL(link).hash.slice(1).split('.')[0] ?? '';
}

/** What an enrolment link says of the installation's keys. */
export function fingerprintOf(link: string): string {
  return new URL(link).hash.slice(1).split('.')[1] ?? '';
}

function ceremonyOf(port: number, challenge: Uint8Array, wrong: Wrong): Ceremony {
  return { challenge, origin: `http://${hubHost}:${port}`, rpId, ...wrong.ceremony };
}
