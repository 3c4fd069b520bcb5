/**
 * The browser's Crypto (protocol/crypto.ts) on the Wasm kernels. Record keys live in the module; of a key exchange
 * the ML-KEM half lives there too, and the X25519 scalar here, in memory that the garbage collector does not move,
 * until they are used or wiped.
 *
 * Randomness and composite signatures come from the caller: the module has neither. Not for the server, which brings
 * node:crypto so that every handshake is between two implementations.
 */
import { wipe } from '../protocol/bytes.ts';
import type { Crypto, DatagramOpener, KeyAnswer, KeyOffer, Opener, Sealer } from '../protocol/crypto.ts';
import {
  answerBytes,
  keyBytes,
  maxRecordsPerKey,
  mlkemCiphertextBytes,
  mlkemPublicBytes,
  offerBytes,
  sharedSecretBytes,
  x25519Bytes,
} from '../protocol/limits.ts';
import type { HeldKey, Kernel } from './kernel.ts';
import { type MlkemKey, mlkemSeedBytes } from './mlkem-keys.ts';
import { secretArray } from './secret-array.ts';

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
    datagramOpener: (key) => new WasmDatagramOpener(kernel, key),
    verify,
  });
}

/** Draws the ML-KEM seed first, then the X25519 scalar; both are used for one exchange. */
class WasmKeyOffer implements KeyOffer {
  readonly share: Uint8Array;
  readonly #kernel: Kernel;
  readonly #mlkem: MlkemKey;
  #scalar: Uint8Array | undefined;

  constructor(kernel: Kernel, random: Surroundings['random']) {
    this.#kernel = kernel;
    const seed = drawn(random, mlkemSeedBytes);
    this.#mlkem = kernel.mlkemKeys.make(seed);
    wipe(seed);
    this.#scalar = drawn(random, x25519Bytes);
    this.share = new Uint8Array(offerBytes);
    this.share.set(this.#mlkem.publicKey);
    this.share.set(kernel.x25519(this.#scalar, base), mlkemPublicBytes);
  }

  finish(answer: Uint8Array): Uint8Array {
    if (this.#scalar === undefined) throw new TypeError('this key offer was used or wiped');
    try {
      if (answer.length !== answerBytes) throw new RangeError('share_g has the wrong length');
      const ciphertext = answer.subarray(0, mlkemCiphertextBytes);
      return both(
        this.#mlkem.decapsulate(ciphertext),
        this.#kernel.x25519(this.#scalar, answer.subarray(mlkemCiphertextBytes)),
      );
    } finally {
      this.wipe();
    }
  }

  wipe(): void {
    this.#mlkem.wipe();
    wipe(this.#scalar);
    this.#scalar = undefined;
  }
}

/** Draws ML-KEM's m first, then the X25519 scalar. */
function answerOffer(kernel: Kernel, random: Surroundings['random'], share: Uint8Array): KeyAnswer {
  if (share.length !== offerBytes) throw new RangeError('share_c has the wrong length');
  const message = drawn(random, mlkemMessageBytes);
  const scalar = drawn(random, x25519Bytes);
  try {
    const kem = kernel.mlkemEncapsulate(share.subarray(0, mlkemPublicBytes), message);
    const answer = new Uint8Array(answerBytes);
    answer.set(kem.ciphertext);
    answer.set(kernel.x25519(scalar, base), mlkemCiphertextBytes);
    return { share: answer, secret: both(kem.secret, kernel.x25519(scalar, share.subarray(mlkemPublicBytes))) };
  } finally {
    wipe(message, scalar);
  }
}

/** The caller wipes it. */
function drawn(random: Surroundings['random'], length: number): Uint8Array {
  const secret = secretArray(length);
  const fresh = random(length);
  secret.set(fresh);
  wipe(fresh);
  return secret;
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

  frame(head: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
    const frame = this.#kernel.sealFrame(this.#held, head, ad, plaintext);
    this.#count++;
    return frame;
  }

  release(frame: Uint8Array<ArrayBuffer>): void {
    this.#kernel.frames.release(frame);
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

/** The key stays here, like a key exchange's halves: a flow's window is all that a slot of the module could add. */
class WasmDatagramOpener implements DatagramOpener {
  readonly #kernel: Kernel;
  readonly #nonce = new Uint8Array(12);
  #key: Uint8Array | undefined;

  constructor(kernel: Kernel, key: Uint8Array) {
    this.#kernel = kernel;
    this.#key = secretArray(keyBytes);
    this.#key.set(key);
  }

  open(counter: number, ad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    if (this.#key === undefined) throw new RangeError('this key was wiped');
    if (!(counter >= 0 && counter < maxRecordsPerKey)) throw new RangeError('no such counter');
    new DataView(this.#nonce.buffer).setUint32(4, counter, true);
    return this.#kernel.aeadOpen(this.#key, this.#nonce, ad, sealed);
  }

  wipe(): void {
    wipe(this.#key);
    this.#key = undefined;
  }
}
