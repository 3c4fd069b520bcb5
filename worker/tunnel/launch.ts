/**
 * The launch as the tunnel's Worker sees it: a fresh session key, endorsed by the hub over a port that the window
 * realm of the shell never listens on (docs/protocol.md, "WebAuthn and the tunnel", step 3).
 */
import { launchChallenge } from '../../protocol/challenges.ts';
import type { Crypto, Signer } from '../../protocol/crypto.ts';
import { type HubToTunnel, type LaunchTerms, TunnelFault, type TunnelToHub } from '../api.ts';
import type { LaunchAnswer } from './credential.ts';

const launchLimitMs = 60_000;

export interface Launched {
  readonly answer: LaunchAnswer;
  readonly pins: Uint8Array;
  /** 32 bytes, this service's alone. */
  readonly jarKey: Uint8Array;
}

/** @throws TunnelFault with the hub's code, or `hub_silent` when it never answers. */
export async function launchOver(port: MessagePort, service: string, key: Signer, crypto: Crypto): Promise<Launched> {
  const dialog = new Dialog(port);
  try {
    dialog.say({ t: 'key', sessionPublicKey: key.publicKey });
    const terms = await dialog.hear('challenge');
    dialog.say({ t: 'endorsement', signature: await endorse(terms, service, key, crypto) });
    const { answer, pins, jarRoot } = await dialog.hear('launched');
    // The hub is our own origin's code and its answer is verified document by document before it is used.
    return { answer: answer as LaunchAnswer, pins, jarKey: await jarKeyOf(jarRoot, service) };
  } finally {
    dialog.close();
  }
}

/** Never signs bytes that were sent: the challenge is computed here, over our own key and service. */
function endorse(terms: LaunchTerms, service: string, key: Signer, crypto: Crypto): Promise<Uint8Array> {
  const { nonce, lease, rpId, userHandle, deviceKeyHash, postureHash } = terms;
  const sessionKeyHash = crypto.sha256(key.publicKey);
  const binding = { nonce, lease, rpId, userHandle, deviceKeyHash, postureHash, sessionKeyHash, service };
  return key.sign(launchChallenge(crypto, binding), 'Latchkey/1 launch');
}

async function jarKeyOf(root: CryptoKey, service: string): Promise<Uint8Array> {
  const info = new TextEncoder().encode(`latchkey jar ${service}`);
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info };
  return new Uint8Array(await globalThis.crypto.subtle.deriveBits(parameters, root, 256));
}

type Heard<T extends HubToTunnel['t']> = Extract<HubToTunnel, { t: T }>;

class Dialog {
  readonly #port: MessagePort;
  readonly #queue: HubToTunnel[] = [];
  #waiting: ((message: HubToTunnel) => void) | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = (event: MessageEvent<HubToTunnel>) => {
      if (this.#waiting === undefined) this.#queue.push(event.data);
      else this.#waiting(event.data);
    };
  }

  say(message: TunnelToHub): void {
    this.#port.postMessage(message);
  }

  async hear<T extends HubToTunnel['t']>(kind: T): Promise<Heard<T>> {
    const message = this.#queue.shift() ?? (await this.#next());
    if (message.t === 'refused') throw new TunnelFault(message.code, message.message, message.correlation);
    if (message.t !== kind)
      throw new TunnelFault('hub_confused', 'The hub answered out of turn. Open the service again.');
    return message as Heard<T>;
  }

  close(): void {
    this.#port.close();
  }

  #next(): Promise<HubToTunnel> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new TunnelFault('hub_silent', 'The hub did not answer. Open the service again from the hub.')),
        launchLimitMs,
      );
      this.#waiting = (message) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve(message);
      };
    });
  }
}
