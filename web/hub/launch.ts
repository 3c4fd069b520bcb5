/**
 * The hub's side of a launch: a shell window asks over a port, the device key (a guest's link) endorses the shell's session key for one
 * service, the control plane issues the credential. Only windows of the shell's exact origin are heard.
 */
import { deviceMessage, launchChallenge } from '../../protocol/challenges.ts';
import type { HubToTunnel, LaunchRequest, SignOutAnswer, SignOutRequest, TunnelToHub } from '../../worker/api.ts';
import { failureOf } from '../design/failure.ts';
import { decode, encode } from './api.ts';
import { type Device, jarKeyOf, loadDevice, signAsDevice } from './device.ts';
import { hash } from './hash.ts';
import { type SignedPosture, signedPosture } from './posture.ts';
import { followRoot } from './root.ts';
import { signedCall } from './signed-call.ts';

/** What endorses session keys here. */
export interface Endorser {
  /** SHA-256 of its key, as the challenge binds it. */
  readonly keyHash: Uint8Array;
  /** Fingerprint of the install pins. */
  readonly pins: Uint8Array;
  begin(service: string): Promise<Begun>;
  posture(): Promise<SignedPosture>;
  finish(proof: LaunchProof, message: Uint8Array<ArrayBuffer>): Promise<unknown>;
  jarKey(service: string): Promise<Uint8Array>;
  /** Keeps the pins of a root that is in use since, for those that launches are begun with next. */
  follow?(pins: Uint8Array): Promise<void>;
}

/** What ends a launch, but for the endorsement. */
export interface LaunchProof {
  readonly ceremony: string;
  readonly sessionPublicKey: string;
  readonly sessionSignature: string;
  readonly posture: SignedPosture['json'];
}

export interface Begun {
  readonly ceremony: string;
  readonly nonce: string;
  readonly lease: string;
  readonly rpId: string;
  readonly userHandle: string;
}

/** The origin that is answered already. */
let answered: string | undefined;

/**
 * Answers shells for as long as this page lives: launches, and people who sign out there.
 * @param shellOrigin exact. @param signOut does it; rejects when it could not. @param endorser by default the device
 */
export function answerShells(
  shellOrigin: string,
  signOut: () => Promise<void>,
  endorser: () => Promise<Endorser | undefined> = thisDevice,
): void {
  if (answered === shellOrigin) return;
  answered = shellOrigin;
  window.addEventListener('message', (event: MessageEvent<LaunchRequest | SignOutRequest | null>) => {
    const [message, port] = [event.data, event.ports[0]];
    if (event.origin !== shellOrigin || port === undefined) return;
    if (message?.latchkey === 'sign-out') {
      signOut().then(
        () => port.postMessage({ t: 'signed-out' } satisfies SignOutAnswer),
        () => port.postMessage({ t: 'failed' } satisfies SignOutAnswer),
      );
    }
    if (message?.latchkey !== 'launch') return;
    // The shell shows what went wrong.
    launch(String(message.service), port, endorser).catch(() => undefined);
  });
}

/** One launch over a port of the shell's. @throws ApiError, which the shell has been told too */
export async function launch(
  service: string,
  port: MessagePort,
  endorser: () => Promise<Endorser | undefined> = thisDevice,
): Promise<void> {
  try {
    await endorse(service, port, endorser);
  } catch (error) {
    const { code, message, correlation } = failureOf(error);
    say(port, { t: 'refused', code, message, ...(correlation !== undefined && { correlation }) });
    throw error;
  }
}

async function endorse(
  service: string,
  port: MessagePort,
  endorser: () => Promise<Endorser | undefined>,
): Promise<void> {
  const heard = hear(port);
  say(port, { t: 'heard' });
  const who = await endorser();
  if (who === undefined)
    return say(port, {
      t: 'refused',
      code: 'device_unknown',
      message: 'This browser is not enrolled. Open your enrolment link.',
    });
  // The shell's Worker makes its key while the control plane is asked.
  const asked = Promise.all([heard.next('key'), who.begin(service), who.posture()]);
  const [{ sessionPublicKey }, begun, posture] = await asked;
  const terms = {
    nonce: decode(begun.nonce),
    lease: decode(begun.lease),
    rpId: begun.rpId,
    userHandle: decode(begun.userHandle),
    deviceKeyHash: who.keyHash,
    postureHash: posture.hash,
  };
  say(port, { t: 'challenge', ...terms });
  const challenge = launchChallenge(hash, { ...terms, service, sessionKeyHash: hash.sha256(sessionPublicKey) });
  const { signature } = await heard.next('endorsement');
  const proof = {
    ceremony: begun.ceremony,
    sessionPublicKey: encode(sessionPublicKey),
    sessionSignature: encode(signature),
    posture: posture.json,
  };
  const answer = await who.finish(proof, Uint8Array.from(deviceMessage(challenge)));
  say(port, { t: 'launched', answer, pins: who.pins, jarKey: await who.jarKey(service) });
  heard.next('followed').then(
    ({ pins }) => who.follow?.(pins),
    // There is mostly nothing to follow.
    () => undefined,
  );
}

async function thisDevice(): Promise<Endorser | undefined> {
  const device = await loadDevice();
  return device && deviceEndorser(device);
}

function deviceEndorser(device: Device): Endorser {
  return {
    keyHash: hash.sha256(device.publicKey),
    pins: device.pins,
    begin: (service) => signedCall<Begun>(device, '/api/launch/begin', { service }),
    posture: () => signedPosture(device),
    async finish(proof, message) {
      const deviceSignature = encode(await signAsDevice(device, message));
      return signedCall(device, '/api/launch/finish', { ...proof, deviceSignature });
    },
    jarKey: (service) => jarKeyOf(device, service),
    follow: (pins) => followRoot(device, pins),
  };
}

function say(port: MessagePort, message: HubToTunnel): void {
  port.postMessage(message);
}

/** A shell that is closed in the middle says nothing more: its dialog is forgotten after this. */
const patienceMs = 30_000;

function hear(port: MessagePort): {
  next<T extends TunnelToHub['t']>(kind: T): Promise<Extract<TunnelToHub, { t: T }>>;
} {
  const queue: TunnelToHub[] = [];
  let wake: () => void = () => undefined;
  port.onmessage = (event: MessageEvent<TunnelToHub>) => {
    queue.push(event.data);
    wake();
  };
  return {
    async next(kind) {
      if (queue.length === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, patienceMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const message = queue.shift();
      if (message?.t !== kind) throw new TypeError('the shell spoke out of turn');
      return message as Extract<TunnelToHub, { t: typeof kind }>;
    },
  };
}
