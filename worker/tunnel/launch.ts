/**
 * The launch as the tunnel's Worker sees it: a fresh session key, endorsed by the hub over a port that the window
 * realm of the shell never listens on (docs/protocol.md, "WebAuthn and the tunnel", step 3).
 */
import { equal } from '../../protocol/bytes.ts';
import { launchChallenge } from '../../protocol/challenges.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto, Signer } from '../../protocol/crypto.ts';
import { signatureContext } from '../../protocol/labels.ts';
import { type HubToTunnel, type LaunchTerms, TunnelFault, type TunnelToHub } from '../api.ts';
import type { LaunchAnswer } from './credential.ts';

/** A hub that is there says so at once: one that does not was closed, or is signed out. */
const hearingLimitMs = 8_000;
/** The hub asks the control plane twice, and no person. */
const answerLimitMs = 30_000;

export interface Launched {
  readonly answer: LaunchAnswer;
  readonly pins: Uint8Array;
  /** 32 bytes, this service's alone. */
  readonly jarKey: Uint8Array;
}

export interface LaunchSurroundings<T> {
  readonly crypto: Pick<Crypto, 'sha256'>;
  readonly clock: Clock;
  /** Verifies the answer's documents one by one, before anything of it is used (credential.ts). */
  believe(launched: Launched): Promise<T>;
}

/**
 * @param port closed afterwards, however it went.
 * @throws TunnelFault with the hub's code; `hub_silent` when it does not answer; `hub_confused` when it makes no sense;
 * and what `believe` throws.
 */
export async function launchOver<T extends { readonly pins: Uint8Array }>(
  port: MessagePort,
  service: string,
  key: Signer,
  { crypto, clock, believe }: LaunchSurroundings<T>,
): Promise<Launched & { readonly credential: T }> {
  const dialog = new Dialog(port, clock);
  try {
    dialog.say({ t: 'key', sessionPublicKey: key.publicKey });
    await dialog.hear('heard', hearingLimitMs);
    const terms = await dialog.hear('challenge', answerLimitMs);
    dialog.say({ t: 'endorsement', signature: await endorse(terms, service, key, crypto) });
    const { answer, pins, jarKey } = await dialog.hear('launched', answerLimitMs);
    if (!(pins instanceof Uint8Array) || !(jarKey instanceof Uint8Array) || jarKey.length !== 32) throw confused();
    const launched = { answer: answer as LaunchAnswer, pins, jarKey };
    const credential = await believe(launched);
    if (!equal(credential.pins, pins)) dialog.say({ t: 'followed', pins: credential.pins });
    return { ...launched, credential };
  } finally {
    dialog.close();
  }
}

/** Never signs bytes that were sent: the challenge is computed here, over our own key and service. */
function endorse(
  terms: LaunchTerms,
  service: string,
  key: Signer,
  crypto: Pick<Crypto, 'sha256'>,
): Promise<Uint8Array> {
  const { nonce, lease, rpId, userHandle, deviceKeyHash, postureHash } = terms;
  const sessionKeyHash = crypto.sha256(key.publicKey);
  let challenge: Uint8Array;
  try {
    const binding = { nonce, lease, rpId, userHandle, deviceKeyHash, postureHash, sessionKeyHash, service };
    challenge = launchChallenge(crypto, binding);
  } catch (cause) {
    throw confused(cause);
  }
  return key.sign(challenge, signatureContext.launch);
}

function confused(cause?: unknown): TunnelFault {
  const message = 'The hub answered what this page does not understand. Reload the hub and open the service again.';
  return new TunnelFault('hub_confused', message, undefined, { cause });
}

type Heard<T extends HubToTunnel['t']> = Extract<HubToTunnel, { t: T }>;

/** One question at a time. */
class Dialog {
  readonly #port: MessagePort;
  readonly #clock: Clock;
  readonly #queue: HubToTunnel[] = [];
  #waiting: ((message: HubToTunnel) => void) | undefined;

  constructor(port: MessagePort, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
    port.onmessage = (event: MessageEvent<HubToTunnel>) => {
      if (this.#waiting === undefined) this.#queue.push(event.data);
      else this.#waiting(event.data);
    };
  }

  say(message: TunnelToHub): void {
    this.#port.postMessage(message);
  }

  async hear<T extends HubToTunnel['t']>(kind: T, limitMs: number): Promise<Heard<T>> {
    const message = this.#queue.shift() ?? (await this.#next(limitMs));
    if (message?.t === 'refused') throw new TunnelFault(message.code, message.message, message.correlation);
    if (message?.t !== kind) throw confused();
    return message as Heard<T>;
  }

  close(): void {
    this.#port.onmessage = null;
    this.#port.close();
  }

  #next(limitMs: number): Promise<HubToTunnel> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(limitMs, () =>
        reject(new TunnelFault('hub_silent', 'The hub did not answer. Open the service again from the hub.')),
      );
      this.#waiting = (message) => {
        cancel();
        this.#waiting = undefined;
        resolve(message);
      };
    });
  }
}
