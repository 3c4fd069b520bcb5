/**
 * Bytes as the wire has them: big-endian integers, length-prefixed fields, constant-time comparison, and the three
 * texts of bytes (UTF-8, hex, base64url). RFC 3629, RFC 4648 section 5.
 * The texts are written out because the protocol's realm has neither TextEncoder nor atob; each decoder accepts exactly
 * one spelling of a value. Not a serialisation library: every layout is spelled out where it is used.
 */

/** Input that does not have the layout it claims to have. The message never repeats the input. */
export class DecodeError extends Error {
  readonly code = 'decode';
  constructor(what: string, options?: ErrorOptions) {
    super(`malformed: ${what}`, options);
    this.name = 'DecodeError';
  }
}

/** A fresh array with all parts one after the other. */
export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A copy in memory of its own. `slice()` would not do: on a Buffer, which transports hand out, it is a view. */
export function copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/**
 * Compares without stopping at the first difference, so that the time says nothing of where a guess went wrong.
 * Lengths are public and may answer at once.
 */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** True when every byte is zero; looks at all of them. */
export function isZero(bytes: Uint8Array): boolean {
  let seen = 0;
  for (const byte of bytes) seen |= byte;
  return seen === 0;
}

/** Overwrites secrets with zeros. Undefined parts are allowed, so that a `finally` need not ask what exists yet. */
export function wipe(...secrets: (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** @throws TypeError when `bytes` has another length: a caller's mistake, never a peer's. */
export function assertLength(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new TypeError(`${name} must have ${length} bytes, not ${bytes.length}`);
}

/** @throws TypeError for a string with a lone surrogate, which has no UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  if (!text.isWellFormed()) throw new TypeError('a string with a lone surrogate has no UTF-8');
  const out: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (point < 0x80) out.push(point);
    else if (point < 0x800) out.push(0xc0 | (point >> 6), tail(point));
    else if (point < 0x10000) out.push(0xe0 | (point >> 12), tail(point >> 6), tail(point));
    else out.push(0xf0 | (point >> 18), tail(point >> 12), tail(point >> 6), tail(point));
  }
  return Uint8Array.from(out);
}

const tail = (bits: number): number => 0x80 | (bits & 0x3f);

/** Strict: overlong forms, surrogates and broken sequences are a {@link DecodeError}, never U+FFFD. */
export function utf8Decode(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!;
    const extra = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    if (extra < 0 || at + extra >= bytes.length) throw new DecodeError('UTF-8');
    let point = extra === 0 ? first : first & (0x3f >> extra);
    for (let i = 1; i <= extra; i++) {
      const next = bytes[at + i]!;
      if ((next & 0xc0) !== 0x80) throw new DecodeError('UTF-8');
      point = (point << 6) | (next & 0x3f);
    }
    if (point < [0, 0x80, 0x800, 0x10000][extra]! || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
      throw new DecodeError('UTF-8');
    parts.push(String.fromCodePoint(point));
    at += extra + 1;
  }
  return parts.join('');
}

/** Lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Lower case only. */
export function unhex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) throw new DecodeError('hexadecimal');
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const letterValue = new Map(Array.from(alphabet, (letter, value) => [letter, value]));

/** Without padding. */
export function base64url(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [a, b, c] = [bytes[at]!, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0];
    const group = (a << 16) | (b << 8) | c;
    const letters = Math.min(4, bytes.length - at + 1);
    for (let i = 0; i < letters; i++) text += alphabet[(group >> (18 - 6 * i)) & 63];
  }
  return text;
}

/** Refuses padding, other alphabets, and spare bits that are not zero. */
export function unbase64url(text: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let [bits, held, at] = [0, 0, 0];
  for (const letter of text) {
    const value = letterValue.get(letter);
    if (value === undefined) throw new DecodeError('base64url');
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[at++] = bits >> held;
    }
  }
  if (text.length % 4 === 1 || (bits & ((1 << held) - 1)) !== 0) throw new DecodeError('base64url');
  return out;
}

/** Appends fields; {@link Writer.done} hands out the bytes once. */
export class Writer {
  #buffer = new Uint8Array(256);
  #length = 0;

  #room(length: number): number {
    const at = this.#length;
    if (at + length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(at + length, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, at));
      this.#buffer.fill(0); // it may hold a secret that the caller will wipe in the final copy only
      this.#buffer = grown;
    }
    this.#length = at + length;
    return at;
  }

  #number(value: number, size: number): this {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size))
      throw new RangeError(`the value does not fit in ${size} bytes`);
    const at = this.#room(size);
    for (let i = size - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) this.#buffer[at + i] = rest % 256;
    return this;
  }

  u8(value: number): this {
    return this.#number(value, 1);
  }

  u16(value: number): this {
    return this.#number(value, 2);
  }

  u24(value: number): this {
    return this.#number(value, 3);
  }

  u32(value: number): this {
    return this.#number(value, 4);
  }

  /** A bigint, or a number that is a whole safe integer (milliseconds, lengths). */
  u64(value: bigint | number): this {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('not a whole safe integer');
    const whole = BigInt(value);
    if (whole < 0n || whole >= 2n ** 64n) throw new RangeError('the value does not fit in 8 bytes');
    return this.u32(Number(whole >> 32n)).u32(Number(whole & 0xffff_ffffn));
  }

  bytes(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  zeros(count: number): this {
    this.#room(count);
    return this;
  }

  /** u8 length | bytes */
  vec8(value: Uint8Array): this {
    return this.u8(value.length).bytes(value);
  }

  /** u16 length | bytes */
  vec16(value: Uint8Array): this {
    return this.u16(value.length).bytes(value);
  }

  /** u32 length | bytes */
  vec32(value: Uint8Array): this {
    return this.u32(value.length).bytes(value);
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes so far, as a fresh array; the writer is empty afterwards. */
  done(): Uint8Array<ArrayBuffer> {
    const bytes = this.#buffer.slice(0, this.#length);
    this.#buffer.fill(0, 0, this.#length);
    this.#length = 0;
    return bytes;
  }
}

/** Takes fields off hostile bytes. Every method throws {@link DecodeError} instead of reading past the end. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    if (length > this.remaining) throw new DecodeError('ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #integer(size: number): number {
    return this.bytes(size).reduce((value, byte) => value * 256 + byte, 0);
  }

  u8(): number {
    return this.#integer(1);
  }

  u16(): number {
    return this.#integer(2);
  }

  u24(): number {
    return this.#integer(3);
  }

  u32(): number {
    return this.#integer(4);
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }

  /** A u64 of milliseconds as a number; refuses what a number cannot hold exactly. */
  time(): number {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new DecodeError('time out of range');
    return Number(value);
  }

  vec8(): Uint8Array {
    return this.bytes(this.u8());
  }

  vec16(): Uint8Array {
    return this.bytes(this.u16());
  }

  vec32(): Uint8Array {
    return this.bytes(this.u32());
  }

  /** Everything that is left must be padding. */
  zeros(): void {
    if (!isZero(this.bytes(this.remaining))) throw new DecodeError('padding is not zero');
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** A byte too many is an error: two readers must never disagree on where an object ends. */
  end(): void {
    if (this.remaining !== 0) throw new DecodeError('trailing bytes');
  }
}
