/**
 * The browser's Crypto (protocol/crypto.ts) on the Wasm kernels. Record keys live in the module; the private halves of
 * a key exchange live here as seeds, in memory that the garbage collector does not move, until they are used or wiped.
 *
 * Randomness and composite signatures come from the caller: the module has neither. Not for the server, which brings
 * node:crypto so that every handshake is between two implementations.
 */
import { wipe } from '../protocol/bytes.ts';
import type { Crypto, KeyAnswer, KeyOffer, Opener, Sealer } from '../protocol/crypto.ts';
import {
  answerBytes,
  mlkemCiphertextBytes,
  mlkemPublicBytes,
  offerBytes,
  sharedSecretBytes,
  x25519Bytes,
} from '../protocol/limits.ts';
import { type HeldKey, type Kernel, mlkemSeedBytes, secretArray } from './kernel.ts';

/** What the kernels do not do themselves. */
export interface Surroundings {
  /** Fresh bytes of a cryptographic generator, in an array that is the callee's to wipe. */
  readonly random: Crypto['random'];
  readonly verify: Crypto['verify'];
}

const mlkemMessageBytes = 32;

/** The base point, RFC 7748 section 6.1. */
const base = Uint8Array.from({ length: x25519Bytes }, (_, i) => (i === 0 ? 9 : 0));

/**
 * @example
 * const kernel = loadKernel(await WebAssembly.compileStreaming(fetch('/latchkey.wasm')));
 * const crypto = wasmCrypto(kernel, { random, verify });
 */
export function wasmCrypto(kernel: Kernel, { random, verify }: Surroundings): Crypto {
  return Object.freeze<Crypto>({
    random,
    sha256: (...parts) => kernel.sha256(...parts),
    hmac: (key, ...parts) => kernel.hmac(key, ...parts),
    extract: (salt, ikm) => kernel.hmac(salt, ikm), // RFC 5869 section 2.2: an empty salt is HMAC's zeros already
    expand: (key, info, length) => kernel.expand(key, info, length),
    offer: () => new WasmKeyOffer(kernel, random),
    answer: (share) => answerOffer(kernel, random, share),
    sealer: (key) => new WasmSealer(kernel, key),
    opener: (key) => new WasmOpener(kernel, key),
    verify,
  });
}

/** Draws the ML-KEM seed first, then the X25519 scalar; both are used for one exchange. */
class WasmKeyOffer implements KeyOffer {
  readonly share: Uint8Array;
  readonly #kernel: Kernel;
  /** d 32 | z 32 | x25519 32 */
  #secrets: Uint8Array | undefined;

  constructor(kernel: Kernel, random: Surroundings['random']) {
    this.#kernel = kernel;
    this.#secrets = secretArray(mlkemSeedBytes + x25519Bytes);
    draw(random, this.#secrets.subarray(0, mlkemSeedBytes));
    draw(random, this.#secrets.subarray(mlkemSeedBytes));
    this.share = new Uint8Array(offerBytes);
    this.share.set(kernel.mlkemPublicKey(this.#secrets.subarray(0, mlkemSeedBytes)));
    this.share.set(kernel.x25519(this.#secrets.subarray(mlkemSeedBytes), base), mlkemPublicBytes);
  }

  finish(answer: Uint8Array): Uint8Array {
    const secrets = this.#secrets;
    if (secrets === undefined) throw new TypeError('this key offer was used or wiped');
    try {
      if (answer.length !== answerBytes) throw new RangeError('share_g has the wrong length');
      const ciphertext = answer.subarray(0, mlkemCiphertextBytes);
      return both(
        this.#kernel.mlkemDecapsulate(secrets.subarray(0, mlkemSeedBytes), ciphertext),
        this.#kernel.x25519(secrets.subarray(mlkemSeedBytes), answer.subarray(mlkemCiphertextBytes)),
      );
    } finally {
      this.wipe();
    }
  }

  wipe(): void {
    wipe(this.#secrets);
    this.#secrets = undefined;
  }
}

/** Draws ML-KEM's m first, then the X25519 scalar. */
function answerOffer(kernel: Kernel, random: Surroundings['random'], share: Uint8Array): KeyAnswer {
  if (share.length !== offerBytes) throw new RangeError('share_c has the wrong length');
  const message = secretArray(mlkemMessageBytes);
  const scalar = secretArray(x25519Bytes);
  try {
    draw(random, message);
    draw(random, scalar);
    const kem = kernel.mlkemEncapsulate(share.subarray(0, mlkemPublicBytes), message);
    const answer = new Uint8Array(answerBytes);
    answer.set(kem.ciphertext);
    answer.set(kernel.x25519(scalar, base), mlkemCiphertextBytes);
    return { share: answer, secret: both(kem.secret, kernel.x25519(scalar, share.subarray(mlkemPublicBytes))) };
  } finally {
    wipe(message, scalar);
  }
}

function draw(random: Surroundings['random'], into: Uint8Array): void {
  const drawn = random(into.length);
  into.set(drawn);
  wipe(drawn);
}

function both(kem: Uint8Array, x25519: Uint8Array): Uint8Array {
  const secret = secretArray(sharedSecretBytes);
  secret.set(kem);
  secret.set(x25519, kem.length);
  wipe(kem, x25519);
  return secret;
}

/** `count` follows the counter that the module keeps, and can still be read after a wipe. */
class WasmSealer implements Sealer {
  readonly #kernel: Kernel;
  readonly #held: HeldKey;
  #count = 0;

  constructor(kernel: Kernel, key: Uint8Array) {
    this.#kernel = kernel;
    this.#held = kernel.hold('seal', key);
  }

  get count(): number {
    return this.#count;
  }

  seal(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = this.#kernel.seal(this.#held, ad, plaintext);
    this.#count++;
    return sealed;
  }

  wipe(): void {
    this.#kernel.release(this.#held);
  }
}

class WasmOpener implements Opener {
  readonly #kernel: Kernel;
  readonly #held: HeldKey;
  #count = 0;

  constructor(kernel: Kernel, key: Uint8Array) {
    this.#kernel = kernel;
    this.#held = kernel.hold('open', key);
  }

  get count(): number {
    return this.#count;
  }

  open(ad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const text = this.#kernel.open(this.#held, ad, sealed);
    if (text !== null) this.#count++;
    return text;
  }

  wipe(): void {
    this.#kernel.release(this.#held);
  }
}
