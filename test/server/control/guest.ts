/** A guest's browser with a link in its hand: does what the hub's link page does, by the protocol. */
import { createHmac } from 'node:crypto';
import { base64url, unbase64url } from '../../../protocol/bytes.ts';
import { deviceMessage, enrolChallenge, launchChallenge, postureMessage } from '../../../protocol/challenges.ts';
import type { Signer } from '../../../protocol/crypto.ts';
import { generateComposite } from '../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import type { Browser } from './browser.ts';
import type { Answer, Installation } from './installation.ts';

export class KioskGuest {
  readonly installation: Installation;
  readonly link: string;
  readonly secret: string;
  cookie: string | undefined;

  /** @param url of a link */
  constructor(installation: Installation, url: string) {
    this.installation = installation;
    const [link = '', secret = ''] = new URL(url).hash.slice(1).split('.');
    this.link = link;
    this.secret = secret;
  }

  get key() {
    return { link: this.link, secret: this.secret };
  }

  /** HMAC under the link's secret. */
  proof(message: Uint8Array): string {
    return createHmac('sha256', unbase64url(this.secret)).update(message).digest('base64url');
  }

  posture() {
    const statement = Buffer.from(JSON.stringify({ v: 1, time: this.installation.clock.now(), signals: [] }));
    const signature = this.proof(postureMessage(statement));
    return { hash: nodeCrypto.sha256(statement), json: { statement: base64url(statement), signature } };
  }

  post(path: string, body: object): Promise<Answer> {
    const headers = this.cookie === undefined ? {} : { cookie: `latchkey_guest=${this.cookie}` };
    return this.installation.browse(this.installation.hub, { method: 'POST', path, body, headers });
  }

  preview(): Promise<Answer> {
    return this.post('/api/link/preview', this.key);
  }

  async enter(more: object = {}): Promise<Answer> {
    const answer = await this.post('/api/guest/enter', { ...this.key, posture: this.posture().json, ...more });
    this.cookie = /latchkey_guest=([^;]+)/.exec(answer.headers['set-cookie']?.[0] ?? '')?.[1] ?? this.cookie;
    return answer;
  }

  async launch(service: string, secret = this.secret): Promise<{ answer: Answer; session: Signer }> {
    const session = generateComposite().signer;
    const begun = await this.post('/api/guest/launch/begin', { secret, service });
    if (begun.status !== 200) return { answer: begun, session };
    const posture = this.posture();
    const challenge = launchChallenge(nodeCrypto, {
      rpId: begun.body.rpId,
      nonce: unbase64url(begun.body.nonce),
      deviceKeyHash: nodeCrypto.sha256(Buffer.from(this.link)),
      userHandle: unbase64url(begun.body.userHandle),
      postureHash: posture.hash,
      sessionKeyHash: nodeCrypto.sha256(session.publicKey),
      lease: unbase64url(begun.body.lease),
      service,
    });
    const answer = await this.post('/api/guest/launch/finish', {
      secret,
      ceremony: begun.body.ceremony,
      sessionPublicKey: base64url(session.publicKey),
      linkSignature: this.proof(deviceMessage(challenge)),
      sessionSignature: base64url(await session.sign(challenge, 'Latchkey/1 launch')),
      posture: posture.json,
    });
    return { answer, session };
  }
}

/** A guest who makes a passkey. @returns what `finish` answered; the browser is signed in when it was 200 */
export async function bind(guest: Browser, url: string, more: object = {}): Promise<Answer> {
  const { key } = new KioskGuest(guest.installation, url);
  const begun = await guest.post('/api/link/begin', { ...key, ...more });
  if (begun.status !== 200) return begun;
  const posture = guest.posture();
  const challenge = enrolChallenge(nodeCrypto, guest.binding(begun.body, posture, begun.body.rp.id));
  guest.passkey.userHandle = unbase64url(begun.body.user.handle);
  const { hub, config } = guest.installation;
  const answer = await guest.post('/api/link/finish', {
    ceremony: begun.body.ceremony,
    devicePublicKey: base64url(guest.devicePublicKey),
    deviceSignature: guest.signAsDevice(deviceMessage(challenge)),
    posture: posture.json,
    credential: guest.passkey.create({ challenge, origin: hub, rpId: config.rpId }),
  });
  guest.cookie = /latchkey_lease=([^;]+)/.exec(answer.headers['set-cookie']?.[0] ?? '')?.[1];
  return answer;
}
