/** Where secrets are kept outside the module. Not for anything a reader may keep: its holder wipes it. */

/** Memory that the garbage collector never moves: small typed arrays of their own may be copied around, and not wiped. */
export function secretArray(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}
