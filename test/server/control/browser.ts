/** A person's browser: device key, passkey, lease cookie, session keys; it does what hub and shell do, by the protocol. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { base64url, unbase64url } from '../../../protocol/bytes.ts';
import {
  deviceMessage,
  enrolChallenge,
  launchChallenge,
  loginChallenge,
  postureMessage,
  renewChallenge,
  requestMessage,
} from '../../../protocol/challenges.ts';
import type { Signer } from '../../../protocol/crypto.ts';
import { generateComposite } from '../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { Authenticator, type Ceremony, type PasskeyAlgorithm } from '../../support/authenticator.ts';
import type { Answer, Installation } from './installation.ts';

export interface Signal {
  readonly name: string;
  readonly value: string | number | boolean | null;
  readonly source: string;
  readonly reason?: string;
}

export const signals: readonly Signal[] = [
  { name: 'browser.name', value: 'Chrome', source: 'user-agent' },
  { name: 'browser.version', value: 156, source: 'user-agent' },
  { name: 'disk_encryption', value: null, source: 'browser', reason: 'not_observable_in_a_browser' },
];

/** What a test may make wrong in one ceremony. */
export interface Wrong {
  readonly ceremony?: Partial<Ceremony>;
  /** Changes the request body before it is sent. */
  // biome-ignore lint/suspicious/noExplicitAny: tests damage bodies at will
  readonly body?: (body: any) => object;
  /** Another challenge than the right one is signed. */
  readonly challenge?: (right: Uint8Array) => Uint8Array;
}

export class Browser {
  /** Where its next request goes. */
  installation: Installation;
  readonly passkey: Authenticator;
  readonly #device: KeyObject;
  readonly devicePublicKey: Uint8Array;
  cookie: string | undefined;
  signals: readonly Signal[] = signals;

  constructor(installation: Installation, algorithm: PasskeyAlgorithm = 'ES256', counter = 0) {
    this.installation = installation;
    this.passkey = new Authenticator(algorithm, counter);
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.#device = privateKey;
    this.devicePublicKey = new Uint8Array(publicKey.export({ format: 'raw-public' }));
  }

  get cookieName(): string {
    return this.installation.config.scheme === 'https' ? '__Host-latchkey_lease' : 'latchkey_lease';
  }

  signAsDevice(message: Uint8Array): string {
    return sign(null, message, this.#device).toString('base64url');
  }

  posture(time = this.installation.clock.now()) {
    const statement = Buffer.from(JSON.stringify({ v: 1, time, signals: this.signals }));
    const signature = this.signAsDevice(postureMessage(statement));
    const json = { statement: statement.toString('base64url'), signature };
    return { hash: nodeCrypto.sha256(statement), json };
  }

  // biome-ignore lint/suspicious/noExplicitAny: what begin answered, as JSON
  binding(begun: any, posture: { hash: Uint8Array }, rpId: string) {
    return {
      rpId,
      nonce: unbase64url(begun.nonce),
      deviceKeyHash: nodeCrypto.sha256(this.devicePublicKey),
      userHandle: unbase64url(begun.user.handle),
      postureHash: posture.hash,
    };
  }

  post(path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
    return this.installation.browse(this.installation.hub, {
      method: 'POST',
      path,
      body,
      headers: { ...(this.cookie && { cookie: `${this.cookieName}=${this.cookie}` }), ...headers },
    });
  }

  get(path: string): Promise<Answer> {
    return this.installation.browse(this.installation.hub, {
      path,
      ...(this.cookie && { headers: { cookie: `${this.cookieName}=${this.cookie}` } }),
    });
  }

  /** Everything of an enrolment but its sending. @param link the URL of an enrolment link */
  async prepareEnrolment(link: string, wrong: Wrong = {}): Promise<object> {
    const token = new URL(link).hash.slice(1).split('.')[0] ?? '';
    const begun = await this.post('/api/enrol/begin', { token });
    if (begun.status !== 200) throw Object.assign(new Error('begin was refused'), { answer: begun });
    const posture = this.posture();
    const right = enrolChallenge(nodeCrypto, this.binding(begun.body, posture, begun.body.rp.id));
    const challenge = wrong.challenge?.(right) ?? right;
    this.passkey.userHandle = unbase64url(begun.body.user.handle);
    const body = {
      ceremony: begun.body.ceremony,
      devicePublicKey: base64url(this.devicePublicKey),
      deviceSignature: this.signAsDevice(deviceMessage(challenge)),
      posture: posture.json,
      credential: this.passkey.create(this.#ceremony(challenge, wrong)),
    };
    return wrong.body?.(body) ?? body;
  }

  async enrol(link: string, wrong: Wrong = {}): Promise<Answer> {
    return this.#keepCookie(await this.post('/api/enrol/finish', await this.prepareEnrolment(link, wrong)));
  }

  beginLogin(): Promise<Answer> {
    return this.post('/api/login/begin', { devicePublicKey: base64url(this.devicePublicKey) });
  }

  /** @param begun what beginLogin was told, perhaps another person's */
  prepareLogin(begun: Answer, wrong: Wrong = {}): object {
    const posture = this.posture();
    const right = loginChallenge(nodeCrypto, this.binding(begun.body, posture, this.installation.config.rpId));
    const challenge = wrong.challenge?.(right) ?? right;
    const body = {
      ceremony: begun.body.ceremony,
      deviceSignature: this.signAsDevice(deviceMessage(challenge)),
      posture: posture.json,
      credential: this.passkey.get(this.#ceremony(challenge, wrong)),
    };
    return wrong.body?.(body) ?? body;
  }

  async login(wrong: Wrong = {}): Promise<Answer> {
    const begun = await this.beginLogin();
    return this.#keepCookie(await this.post('/api/login/finish', this.prepareLogin(begun, wrong)));
  }

  /** Headers by which the device key signs a request. */
  signed(path: string, body: object, change: { nonce?: Uint8Array; time?: number; body?: object } = {}) {
    const { nonce = randomBytes(16), time = this.installation.clock.now() } = change;
    const digest = nodeCrypto.sha256(Buffer.from(JSON.stringify(change.body ?? body)));
    return {
      'latchkey-signature': this.signAsDevice(requestMessage('POST', path, digest, nonce, time)),
      'latchkey-nonce': base64url(nonce),
      'latchkey-time': String(time),
    };
  }

  postSigned(path: string, body: object): Promise<Answer> {
    return this.post(path, body, this.signed(path, body));
  }

  async prepareLaunch(service: string, wrong: Wrong = {}, session: Signer = generateComposite().signer) {
    const begun = await this.postSigned('/api/launch/begin', { service });
    if (begun.status !== 200) return { refused: begun, session };
    const posture = this.posture();
    const right = launchChallenge(nodeCrypto, {
      rpId: begun.body.rpId,
      nonce: unbase64url(begun.body.nonce),
      deviceKeyHash: unbase64url(begun.body.deviceKeyHash),
      userHandle: unbase64url(begun.body.userHandle),
      postureHash: posture.hash,
      sessionKeyHash: nodeCrypto.sha256(session.publicKey),
      lease: unbase64url(begun.body.lease),
      service,
    });
    const challenge = wrong.challenge?.(right) ?? right;
    const body = {
      ceremony: begun.body.ceremony,
      sessionPublicKey: base64url(session.publicKey),
      deviceSignature: this.signAsDevice(deviceMessage(challenge)),
      sessionSignature: base64url(await session.sign(challenge, 'Latchkey/1 launch')),
      posture: posture.json,
    };
    return { body: wrong.body?.(body) ?? body, session };
  }

  async launch(service: string, wrong: Wrong = {}): Promise<{ answer: Answer; session: Signer }> {
    const { refused, body, session } = await this.prepareLaunch(service, wrong);
    if (body === undefined) return { answer: refused, session };
    return { answer: await this.postSigned('/api/launch/finish', body), session };
  }

  async prepareRenewal(session: Signer, serial: Uint8Array, time = this.installation.clock.now()): Promise<object> {
    const sessionKeyHash = nodeCrypto.sha256(session.publicKey);
    const challenge = renewChallenge(nodeCrypto, { sessionKeyHash, serial, time });
    const signature = base64url(await session.sign(challenge, 'Latchkey/1 renew'));
    return { sessionKeyHash: base64url(sessionKeyHash), serial: base64url(serial), time, signature };
  }

  renew(body: object): Promise<Answer> {
    return this.installation.browse(this.installation.shell, { method: 'POST', path: '/api/renew', body });
  }

  #ceremony(challenge: Uint8Array, wrong: Wrong): Ceremony {
    const { hub, config } = this.installation;
    return { challenge, origin: hub, rpId: config.rpId, ...wrong.ceremony };
  }

  #keepCookie(answer: Answer): Answer {
    const [line = ''] = answer.headers['set-cookie'] ?? [];
    this.cookie = /^(?:__Host-)?latchkey_lease=([^;]+)/.exec(line)?.[1] ?? this.cookie;
    return answer;
  }
}
