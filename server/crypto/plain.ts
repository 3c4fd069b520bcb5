/**
 * From node's Buffer to the Uint8Array that protocol/ speaks: the same memory, without Buffer's own `slice`, `toString`
 * and `toJSON`, the last of which would print a key.
 */
export function plain(buffer: Uint8Array<ArrayBufferLike>): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
