/**
 * The one file, with mldsa.ts, that knows a pointer: hands bytes to the Wasm module, calls it, takes bytes out and wipes
 * what was secret behind them. RFC 8439, RFC 7748, FIPS 203, FIPS 204, FIPS 180-4, RFC 2104 and RFC 5869 live in assembly/.
 *
 * Runs wherever WebAssembly does: it imports nothing of Node or of the browser. Not for application code: the tunnel
 * uses it through crypto.ts. {@link Kernel.aeadSeal} takes a nonce because WireGuard's packets carry theirs; the
 * tunnel's records have no such way.
 */
import { assertLength, concat } from '../protocol/bytes.ts';
import { keyBytes, mlkemCiphertextBytes, mlkemPublicBytes, tagBytes, x25519Bytes } from '../protocol/limits.ts';
import { instantiate, type KernelExports } from './exports.ts';
import { Frames } from './frames.ts';
import { Mldsa } from './mldsa.ts';
import { MlkemKeys } from './mlkem-keys.ts';
import { secretArray } from './secret-array.ts';

const mlkemMessageBytes = 32;
const secretBytes = 32;
const digestBytes = 32;
const nonceBytes = 12;

/**
 * Loads the compiled module; synchronous, so that keys can be made at once. `fetch` and `compile` are the caller's.
 * @throws TypeError when the module wants imports, which ours does not.
 */
export function loadKernel(module: WebAssembly.Module): Kernel {
  return new Kernel(instantiate(module));
}

export type Purpose = 'seal' | 'open';

/** A record key inside the module. Its holder can ask for the next record and for nothing else. */
export interface HeldKey {
  /** -1 when it was released. */
  slot: number;
  /** The wipe it has not survived. */
  readonly generation: number;
  /** The slot's bytes between calls, for a key that found the table full. */
  readonly parked: Uint8Array | undefined;
}

/** Keys without a slot of their own are moved into this one for the length of a call. */
const lentSlot = 0;

/** One instance of the module with its fixed memory. */
export class Kernel {
  readonly #wasm: KernelExports;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #freeSlots: number[] = [];
  readonly #parked = new Set<Uint8Array>();
  #generation = 0;
  /** The decapsulation keys that wait for an answer. */
  readonly mlkemKeys: MlkemKeys;
  /** Signatures. */
  readonly mldsa: Mldsa;
  /** Sealed frames that a transport has not taken yet. */
  readonly frames: Frames;

  constructor(wasm: KernelExports) {
    this.#wasm = wasm;
    this.mlkemKeys = new MlkemKeys({
      count: wasm.KEM_KEY_COUNT.value,
      generate: (place, seed) => this.#generate(place, seed),
      decapsulate: (place, ciphertext) => this.#decapsulate(place, ciphertext),
      forget: (place) => wasm.mlkemForget(place),
    });
    this.frames = new Frames({ from: wasm.FRAMES.value, size: wasm.FRAME_SIZE.value, count: wasm.FRAME_COUNT.value });
    this.#bytes = new Uint8Array(wasm.memory.buffer as ArrayBuffer); // never shared, never grown
    this.mldsa = new Mldsa(wasm, this.#bytes);
    this.#freeAllSlots();
  }

  /** How many texts the module has encrypted since it was loaded. The count is the module's own. */
  sealed(): number {
    return this.#wasm.sealedCount();
  }

  /** Forgets all keys, texts and intermediate values. Keys held before are of no use after it. */
  wipe(): void {
    for (const bytes of this.#parked) bytes.fill(0);
    this.#parked.clear();
    this.mlkemKeys.forgetAll();
    this.frames.forgetAll();
    this.#wasm.wipe();
    this.#generation++;
    this.#freeAllSlots();
  }

  /** Moves a copy of the key into the module, with counter 0, for one purpose. */
  hold(purpose: Purpose, key: Uint8Array): HeldKey {
    assertLength('key', key, keyBytes);
    const slot = this.#freeSlots.pop() ?? lentSlot;
    this.#bytes.set(key, this.#wasm.KEY.value);
    this.#wasm.slotFill(slot, purpose === 'seal' ? this.#wasm.SEALS.value : this.#wasm.OPENS.value);
    return { slot, generation: this.#generation, parked: slot === lentSlot ? this.#park() : undefined };
  }

  /** Forgets the key; a second time does nothing. */
  release(held: HeldKey): void {
    if (held.slot < 0) return;
    const { slot } = held;
    held.slot = -1;
    if (held.generation !== this.#generation) return;
    if (held.parked !== undefined) {
      held.parked.fill(0);
      this.#parked.delete(held.parked);
    } else {
      this.#wasm.slotWipe(slot);
      this.#freeSlots.push(slot);
    }
  }

  /**
   * Seals the next record. @returns ciphertext | tag, a view that holds until the next seal.
   * @throws RangeError when the key is used up, released, or made for opening, or a length is beyond the module's.
   */
  seal(held: HeldKey, ad: Uint8Array, text: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#lend(held, (slot) => {
      this.#sealAt(this.#wasm.SEAL_TEXT.value, slot, ad, text);
      return this.#sealedView(text.length);
    });
  }

  /**
   * Seals the next record behind `head`, at most 16 bytes. @returns head | ciphertext | tag, which holds until it is
   * given back to {@link frames}. @throws RangeError as {@link seal}
   */
  sealFrame(held: HeldKey, head: Uint8Array, ad: Uint8Array, text: Uint8Array): Uint8Array<ArrayBuffer> {
    const { FRAME_HEAD, FRAME_TEXT_MAX } = this.#wasm;
    assertAtMost('head', head.length, FRAME_HEAD.value);
    const place = text.length > FRAME_TEXT_MAX.value ? undefined : this.frames.next;
    if (place === undefined) return concat(head, this.seal(held, ad, text));
    const at = place + FRAME_HEAD.value;
    this.#lend(held, (slot) => this.#sealAt(at, slot, ad, text));
    this.#bytes.set(head, at - head.length);
    const frame = this.#bytes.subarray(at - head.length, at + text.length + tagBytes);
    this.frames.lend(frame);
    return frame;
  }

  #sealAt(at: number, slot: number, ad: Uint8Array, text: Uint8Array): void {
    assertAtMost('text', text.length, this.#wasm.TEXT_MAX.value);
    this.#putAd(ad);
    this.#bytes.set(text, at);
    if (this.#wasm.slotSeal(slot, at, ad.length, text.length) === 1) return;
    this.#bytes.fill(0, at, at + text.length); // it is still in clear
    throw new RangeError('this key is used up');
  }

  /** Opens the next record. @returns a view that holds until the next open, or null when the tag does not match. */
  open(held: HeldKey, ad: Uint8Array, sealed: Uint8Array): Uint8Array<ArrayBuffer> | null {
    return this.#lend(held, (slot) => {
      if (!this.#putOpen(ad, sealed)) return null;
      const length = sealed.length - tagBytes;
      const result = this.#wasm.slotOpen(slot, ad.length, length);
      if (result < 0) throw new RangeError('this key is used up');
      return result === 1 ? this.#openedView(length) : null;
    });
  }

  /** SHA-256 of the concatenation. */
  sha256(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
    this.#wasm.hashBegin();
    this.#feed(parts);
    this.#wasm.hashFinish();
    return this.#take(this.#wasm.DIGEST.value, digestBytes);
  }

  /** HMAC-SHA-256 of the concatenation. @throws RangeError for a key of more than 16 KiB. */
  hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
    assertAtMost('HMAC key', key.length, this.#wasm.CHUNK_MAX.value);
    this.#bytes.set(key, this.#wasm.CHUNK.value);
    this.#wasm.hmacBegin(key.length);
    this.#feed(parts);
    this.#wasm.hmacFinish();
    return this.#take(this.#wasm.DIGEST.value, digestBytes);
  }

  /** HKDF-Expand. @throws RangeError above 8,160 bytes of output, or for key and info of more than 16 KiB. */
  expand(key: Uint8Array, info: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
    const { CHUNK, CHUNK_MAX, OKM, OKM_MAX } = this.#wasm;
    assertAtMost('HKDF output', length, OKM_MAX.value);
    assertAtMost('HKDF input', key.length + info.length, CHUNK_MAX.value);
    this.#bytes.set(key, CHUNK.value);
    this.#bytes.set(info, CHUNK.value + key.length);
    this.#wasm.hkdfExpand(key.length, info.length, length);
    return this.#take(OKM.value, length);
  }

  /** X25519(scalar, point); 32 zero bytes for a point of low order. */
  x25519(scalar: Uint8Array, point: Uint8Array): Uint8Array<ArrayBuffer> {
    assertLength('scalar', scalar, x25519Bytes);
    assertLength('point', point, x25519Bytes);
    this.#bytes.set(scalar, this.#wasm.SCALAR.value);
    this.#bytes.set(point, this.#wasm.POINT.value);
    this.#wasm.x25519();
    return this.#take(this.#wasm.SHARED.value, x25519Bytes);
  }

  /** @throws RangeError when the key has the wrong length or fails the modulus check of FIPS 203 section 7.2. */
  mlkemEncapsulate(key: Uint8Array, message: Uint8Array): { ciphertext: Uint8Array; secret: Uint8Array } {
    if (key.length !== mlkemPublicBytes) throw new RangeError('the encapsulation key has the wrong length');
    assertLength('message', message, mlkemMessageBytes);
    const { KEM_EK, KEM_MESSAGE, KEM_CIPHERTEXT, KEM_SECRET } = this.#wasm;
    this.#bytes.set(key, KEM_EK.value);
    this.#bytes.set(message, KEM_MESSAGE.value);
    if (this.#wasm.mlkemEncapsulate() === 0) throw new RangeError('the encapsulation key fails its check');
    const ciphertext = this.#bytes.slice(KEM_CIPHERTEXT.value, KEM_CIPHERTEXT.value + mlkemCiphertextBytes);
    return { ciphertext, secret: this.#take(KEM_SECRET.value, secretBytes) };
  }

  /**
   * One packet under a key and nonce of the caller's. @returns ciphertext | tag, a view until the next seal.
   * @throws RangeError when text or additional data is too long for the module.
   */
  aeadSeal(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, text: Uint8Array): Uint8Array<ArrayBuffer> {
    assertKeyAndNonce(key, nonce);
    this.#putSeal(ad, text);
    this.#putKeyAndNonce(key, nonce);
    this.#wasm.aeadSeal(ad.length, text.length);
    return this.#sealedView(text.length);
  }

  /** @returns the text, a view until the next open, or null when the tag does not match. */
  aeadOpen(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array<ArrayBuffer> | null {
    assertKeyAndNonce(key, nonce);
    if (!this.#putOpen(ad, sealed)) return null;
    this.#putKeyAndNonce(key, nonce);
    const length = sealed.length - tagBytes;
    return this.#wasm.aeadOpen(ad.length, length) === 1 ? this.#openedView(length) : null;
  }

  #putSeal(ad: Uint8Array, text: Uint8Array): void {
    assertAtMost('text', text.length, this.#wasm.TEXT_MAX.value);
    this.#putAd(ad);
    this.#bytes.set(text, this.#wasm.SEAL_TEXT.value);
  }

  /** What is too short to hold a tag, or too long to be a record, is a forgery like any other: false. */
  #putOpen(ad: Uint8Array, sealed: Uint8Array): boolean {
    if (sealed.length < tagBytes || sealed.length > this.#wasm.TEXT_MAX.value + tagBytes) return false;
    this.#putAd(ad);
    this.#bytes.set(sealed, this.#wasm.OPEN_TEXT.value);
    return true;
  }

  #putAd(ad: Uint8Array): void {
    assertAtMost('additional data', ad.length, this.#wasm.AD_MAX.value);
    this.#bytes.set(ad, this.#wasm.AD.value);
  }

  #sealedView(length: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.#wasm.SEAL_TEXT.value, this.#wasm.SEAL_TEXT.value + length + tagBytes);
  }

  #openedView(length: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.#wasm.OPEN_TEXT.value, this.#wasm.OPEN_TEXT.value + length);
  }

  #freeAllSlots(): void {
    this.#freeSlots.length = 0;
    for (let slot = this.#wasm.SLOT_COUNT.value - 1; slot > lentSlot; slot--) this.#freeSlots.push(slot);
  }

  /** Runs `use` with the key in a slot; a parked key is there only meanwhile. */
  #lend<T>(held: HeldKey, use: (slot: number) => T): T {
    if (held.slot < 0 || held.generation !== this.#generation) throw new RangeError('this key was wiped');
    if (held.parked === undefined) return use(held.slot);
    this.#bytes.set(held.parked, this.#wasm.SLOTS.value);
    try {
      return use(lentSlot);
    } finally {
      held.parked.set(this.#lentBytes());
      this.#wasm.slotWipe(lentSlot);
    }
  }

  #park(): Uint8Array {
    const parked = secretArray(this.#wasm.SLOT_SIZE.value);
    parked.set(this.#lentBytes());
    this.#wasm.slotWipe(lentSlot);
    this.#parked.add(parked);
    return parked;
  }

  #lentBytes(): Uint8Array {
    return this.#bytes.subarray(this.#wasm.SLOTS.value, this.#wasm.SLOTS.value + this.#wasm.SLOT_SIZE.value);
  }

  #putKeyAndNonce(key: Uint8Array, nonce: Uint8Array): void {
    this.#bytes.set(key, this.#wasm.KEY.value);
    this.#bytes.set(nonce, this.#wasm.NONCE.value);
  }

  /** Makes the key in its place. @returns its encapsulation key. */
  #generate(place: number, seed: Uint8Array): Uint8Array<ArrayBuffer> {
    const { KEM_EK, KEM_SEED, mlkemGenerate } = this.#wasm;
    this.#bytes.set(seed, KEM_SEED.value);
    mlkemGenerate(place);
    return this.#bytes.slice(KEM_EK.value, KEM_EK.value + mlkemPublicBytes);
  }

  #decapsulate(place: number, ciphertext: Uint8Array): Uint8Array<ArrayBuffer> {
    const { KEM_CIPHERTEXT, KEM_SECRET, mlkemDecapsulate } = this.#wasm;
    this.#bytes.set(ciphertext, KEM_CIPHERTEXT.value);
    mlkemDecapsulate(place);
    return this.#take(KEM_SECRET.value, secretBytes);
  }

  #feed(parts: Uint8Array[]): void {
    const { CHUNK, CHUNK_MAX } = this.#wasm;
    for (const part of parts) {
      for (let at = 0; at < part.length; at += CHUNK_MAX.value) {
        const piece = part.subarray(at, at + CHUNK_MAX.value);
        this.#bytes.set(piece, CHUNK.value);
        this.#wasm.hashUpdate(piece.length);
      }
    }
  }

  /** Copies a secret out of a door and wipes it there. */
  #take(from: number, length: number): Uint8Array<ArrayBuffer> {
    const out = secretArray(length);
    out.set(this.#bytes.subarray(from, from + length));
    this.#forget(from, length);
    return out;
  }

  #forget(from: number, length: number): void {
    this.#bytes.fill(0, from, from + length);
  }
}

function assertKeyAndNonce(key: Uint8Array, nonce: Uint8Array): void {
  assertLength('key', key, keyBytes);
  assertLength('nonce', nonce, nonceBytes);
}

function assertAtMost(name: string, length: number, most: number): void {
  if (length > most) throw new RangeError(`${name} must have at most ${most} bytes, not ${length}`);
}
