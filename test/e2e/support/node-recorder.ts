/**
 * What an observer with the keys would have: every frame of a session, and the shared secret of each key exchange, taken
 * from under the client's own Crypto. The material of the independent decoder.
 */
import type { Crypto } from '../../../protocol/crypto.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import type { Frame, Tap } from './node-carrier.ts';

export class Recorder {
  readonly frames: Frame[] = [];
  /** `ss_mlkem | ss_x25519` of the handshake, then of each rekey. */
  readonly sharedSecrets: Uint8Array[] = [];
  readonly #waiting = new Set<() => void>();

  readonly tap: Tap = (frame) => {
    this.frames.push(frame);
    for (const wake of this.#waiting) wake();
    return frame.bytes;
  };

  readonly crypto: Crypto = {
    ...nodeCrypto,
    offer: () => {
      const offer = nodeCrypto.offer();
      return {
        share: offer.share,
        finish: (answer) => {
          const secret = offer.finish(answer);
          // The client wipes its own.
          this.sharedSecrets.push(secret.slice());
          return secret;
        },
        wipe: () => offer.wipe(),
      };
    },
  };

  /** Resolves at the first frame, past or to come, that is wanted. */
  until(wanted: (frame: Frame) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.frames.some(wanted)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}
