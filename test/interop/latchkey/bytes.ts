/**
 * Bytes of the second implementation: integers, length prefixes, a cursor that refuses to run over. docs/protocol.md,
 * "Conventions". Not for the product, whose own is in protocol/bytes.ts.
 */

/** What the specification does not allow. */
export class Violation extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'Violation';
  }
}

export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}

export const none = new Uint8Array(0);
export const text = (string: string): Uint8Array => new TextEncoder().encode(string);

export function cat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A big-endian integer of so many bytes. */
export function uint(value: number | bigint, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let rest = BigInt(value);
  for (let at = bytes - 1; at >= 0; at--, rest >>= 8n) out[at] = Number(rest & 255n);
  must(rest === 0n, 'a number that does not fit');
  return out;
}

/** `length | bytes` */
export const vec = (lengthBytes: number, bytes: Uint8Array): Uint8Array => cat(uint(bytes.length, lengthBytes), bytes);

export const padded = (bytes: Uint8Array, length: number): Uint8Array =>
  cat(bytes, new Uint8Array(length - bytes.length));

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** Reads from the front. */
export class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    must(this.#at + length <= this.#bytes.length, 'a layout that is cut short');
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  big(bytes: number): bigint {
    return this.take(bytes).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  }

  uint(bytes: number): number {
    return Number(this.big(bytes));
  }

  vec(lengthBytes: number): Uint8Array {
    return this.take(this.uint(lengthBytes));
  }

  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }

  /** Everything that follows is padding. */
  zeros(): void {
    must(isZero(this.rest()), 'padding that is not zero');
  }

  end(): void {
    must(this.#at === this.#bytes.length, 'a byte too many');
  }
}
