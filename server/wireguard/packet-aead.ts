/**
 * ChaCha20-Poly1305 of transport packets (paper section 5.4.6) in the Wasm kernel: a packet is too short to pay for an
 * OpenSSL context, which costs three times the work itself. Where the project has not been built, node:crypto does the
 * same (aead.ts). Handshakes stay with node:crypto.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Kernel, loadKernel } from '../../wasm/kernel.ts';
import { open, sealInto } from './aead.ts';
import { TAG_BYTES } from './limits.ts';

const path = join(import.meta.dirname, '../../build/wasm/latchkey.wasm');
const none = new Uint8Array(0);
/** Filled anew for each packet; the first 32 bits stay zero. */
const nonce = new Uint8Array(12);
const nonceView = new DataView(nonce.buffer);

/** Undefined until it is first wanted, null where it was not built. */
let kernel: Kernel | null | undefined;

function load(): Kernel | null {
  kernel = existsSync(path) ? loadKernel(new WebAssembly.Module(readFileSync(path))) : null;
  return kernel;
}

function setNonce(counter: number): void {
  nonceView.setUint32(4, counter >>> 0, true);
  nonceView.setUint32(8, Math.floor(counter / 2 ** 32), true);
}

/** Seals `body` but for its last 16 bytes in place and puts the tag there. At most 64 KiB. */
export function sealPacket(body: Uint8Array, key: Uint8Array, counter: number): void {
  const text = body.subarray(0, body.length - TAG_BYTES);
  const wasm = kernel === undefined ? load() : kernel;
  if (wasm === null) {
    sealInto(body, key, counter, text);
    return;
  }
  setNonce(counter);
  body.set(wasm.aeadSeal(key, nonce, none, text));
}

/**
 * Opens `sealed`, in its own memory where it is genuine; a forgery leaves it as it is.
 * @returns the plaintext, or null when the tag does not match.
 */
export function openPacket(key: Uint8Array, counter: number, sealed: Uint8Array): Uint8Array | null {
  const wasm = kernel === undefined ? load() : kernel;
  if (wasm === null) return open(key, counter, sealed);
  setNonce(counter);
  const text = wasm.aeadOpen(key, nonce, none, sealed);
  if (text === null) return null;
  sealed.set(text);
  // Not a Buffer, whose slice() shares memory where the reader of a Uint8Array expects a copy.
  return new Uint8Array(sealed.buffer, sealed.byteOffset, text.length);
}
