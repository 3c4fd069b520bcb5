/**
 * ChaCha20 and ChaCha20-Poly1305 as RFC 8439 tells them, one word at a time: the slow twin of
 * wasm/assembly/chacha20.ts and aead.ts. Not for anything but tests.
 */
import { poly1305 } from './poly1305.ts';

const columnsThenDiagonals = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** Section 2.1. */
function quarterRound(x: Uint32Array, [a, b, c, d]: readonly [number, number, number, number]): void {
  for (const [first, second] of [
    [16, 12],
    [8, 7],
  ] as const) {
    x[a]! += x[b]!;
    x[d] = rotate(x[d]! ^ x[a]!, first);
    x[c]! += x[d]!;
    x[b] = rotate(x[b]! ^ x[c]!, second);
  }
}

/** Section 2.3: one 64-byte block of key stream. */
export function chacha20Block(key: Uint8Array, counter: number, nonce: Uint8Array): Uint8Array {
  const state = new Uint32Array(16);
  const bytes = new Uint8Array(state.buffer); // this machine is little-endian, as every one Node runs on
  bytes.set(new TextEncoder().encode('expand 32-byte k'));
  bytes.set(key, 16);
  state[12] = counter;
  bytes.set(nonce, 52);
  const mixed = state.slice();
  for (let round = 0; round < 10; round++) for (const quarter of columnsThenDiagonals) quarterRound(mixed, quarter);
  return new Uint8Array(mixed.map((word, i) => word + state[i]!).buffer);
}

/** Section 2.4. */
export function chacha20(key: Uint8Array, counter: number, nonce: Uint8Array, text: Uint8Array): Uint8Array {
  return text.map((byte, i) => byte ^ chacha20Block(key, counter + (i >> 6), nonce)[i & 63]!);
}

function lengthAsU64(length: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  return bytes;
}

/** Section 2.8: ciphertext | tag. */
export function chacha20Poly1305(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, text: Uint8Array): Uint8Array {
  const oneTimeKey = chacha20Block(key, 0, nonce).subarray(0, 32);
  const ciphertext = chacha20(key, 1, nonce, text);
  const padded = (part: Uint8Array) => [...part, ...new Uint8Array((16 - (part.length % 16)) % 16)];
  const message = [...padded(ad), ...padded(ciphertext), ...lengthAsU64(ad.length), ...lengthAsU64(text.length)];
  return Uint8Array.from([...ciphertext, ...poly1305(oneTimeKey, Uint8Array.from(message))]);
}
