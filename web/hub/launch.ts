/**
 * The hub's side of a launch: a shell window asks over a port, the device key endorses the shell's session key for one
 * service, the control plane issues the credential. Only windows of the shell's exact origin are heard.
 */
import { deviceMessage, launchChallenge } from '../../protocol/challenges.ts';
import type { HubToTunnel, LaunchRequest, TunnelToHub } from '../../worker/api.ts';
import { failureOf } from '../design/failure.ts';
import { decode, encode } from './api.ts';
import { type Device, jarKeyOf, loadDevice, signAsDevice } from './device.ts';
import { hash } from './hash.ts';
import { type SignedPosture, signedPosture } from './posture.ts';
import { signedCall } from './signed-call.ts';

interface Begun {
  readonly ceremony: string;
  readonly nonce: string;
  readonly lease: string;
  readonly rpId: string;
  readonly userHandle: string;
}

/** The origin that is answered already. */
let answered: string | undefined;

/** Answers launch requests for as long as this page lives. @param shellOrigin exact. */
export function answerLaunches(shellOrigin: string): void {
  if (answered === shellOrigin) return;
  answered = shellOrigin;
  window.addEventListener('message', (event: MessageEvent<LaunchRequest | null>) => {
    const [message, port] = [event.data, event.ports[0]];
    if (event.origin !== shellOrigin || port === undefined || message?.latchkey !== 'launch') return;
    // The shell shows what went wrong.
    launch(String(message.service), port).catch(() => undefined);
  });
}

/** One launch over a port of the shell's. @throws ApiError, which the shell has been told too */
export async function launch(service: string, port: MessagePort): Promise<void> {
  try {
    await endorse(service, port);
  } catch (error) {
    const { code, message, correlation } = failureOf(error);
    say(port, { t: 'refused', code, message, ...(correlation !== undefined && { correlation }) });
    throw error;
  }
}

async function endorse(service: string, port: MessagePort): Promise<void> {
  const heard = hear(port);
  say(port, { t: 'heard' });
  const device = await loadDevice();
  if (device === undefined)
    return say(port, {
      t: 'refused',
      code: 'device_unknown',
      message: 'This browser is not enrolled. Open your enrolment link.',
    });
  const { sessionPublicKey } = await heard.next('key');
  const begun = await signedCall<Begun>(device, '/api/launch/begin', { service });
  const posture = await signedPosture(device);
  const terms = {
    nonce: decode(begun.nonce),
    lease: decode(begun.lease),
    rpId: begun.rpId,
    userHandle: decode(begun.userHandle),
    deviceKeyHash: hash.sha256(device.publicKey),
    postureHash: posture.hash,
  };
  say(port, { t: 'challenge', ...terms });
  const challenge = launchChallenge(hash, { ...terms, service, sessionKeyHash: hash.sha256(sessionPublicKey) });
  const { signature } = await heard.next('endorsement');
  const answer = await finish(device, begun, posture, sessionPublicKey, signature, challenge);
  say(port, { t: 'launched', answer, pins: device.pins, jarKey: await jarKeyOf(device, service) });
}

async function finish(
  device: Device,
  begun: Begun,
  posture: SignedPosture,
  sessionPublicKey: Uint8Array,
  sessionSignature: Uint8Array,
  challenge: Uint8Array,
): Promise<unknown> {
  const deviceSignature = await signAsDevice(device, Uint8Array.from(deviceMessage(challenge)));
  return signedCall(device, '/api/launch/finish', {
    ceremony: begun.ceremony,
    sessionPublicKey: encode(sessionPublicKey),
    deviceSignature: encode(deviceSignature),
    sessionSignature: encode(sessionSignature),
    posture: posture.json,
  });
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
