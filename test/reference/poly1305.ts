/** Poly1305 as RFC 8439 section 2.5 tells it, in big integers: the slow twin of wasm/assembly/poly1305.ts. Tests only. */
import { fromLittleEndian, toLittleEndian } from './integers.ts';

const p = (1n << 130n) - 5n;
const clamp = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

export function poly1305(key: Uint8Array, message: Uint8Array): Uint8Array {
  const r = fromLittleEndian(key.subarray(0, 16)) & clamp;
  const s = fromLittleEndian(key.subarray(16, 32));
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + fromLittleEndian(block) + (1n << BigInt(8 * block.length))) * r) % p;
  }
  return toLittleEndian((sum + s) & ((1n << 128n) - 1n), 16);
}
