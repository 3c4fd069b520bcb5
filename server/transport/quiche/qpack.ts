/**
 * Field sections of HTTP/3 (QPACK, RFC 9204) without a dynamic table: our SETTINGS leave its capacity at 0, so a peer may
 * use the static table and literals only, and every section stands for itself. Names and values are latin-1 strings.
 */
import { Http3Error } from './error.ts';
import { decodeHuffman } from './huffman.ts';
import { staticTable } from './qpack-table.ts';

export type FieldLine = readonly [name: string, value: string];

/** Decodes one section from a hostile peer. `maxFields` bounds the lines; the caller bounds the bytes. */
export function decodeFieldSection(bytes: Uint8Array, maxFields: number): FieldLine[] {
  const reader = new SectionReader(bytes);
  // Required Insert Count and Delta Base: both 0 where nothing dynamic can be referred to (section 4.5.1).
  if (reader.integer(8) !== 0 || reader.integer(7) !== 0) throw new Http3Error('qpack_failed');
  const fields: FieldLine[] = [];
  while (!reader.done) {
    if (fields.length === maxFields) throw new Http3Error('excessive_load');
    fields.push(reader.line());
  }
  return fields;
}

/** Encodes a short section: whole static lines by index, all else as plain literals. */
export function encodeFieldSection(fields: readonly FieldLine[]): Uint8Array {
  const out: number[] = [0, 0];
  for (const [name, value] of fields) {
    const index = staticTable.findIndex((line) => line[0] === name && line[1] === value);
    if (index >= 0) {
      // 1 T=1 index(6+)
      pushInteger(out, 0xc0, 6, index);
      continue;
    }
    // 0 0 1 N=0 H=0 name length(3+)
    pushInteger(out, 0x20, 3, name.length);
    pushLatin1(out, name);
    pushInteger(out, 0, 7, value.length);
    pushLatin1(out, value);
  }
  return Uint8Array.from(out);
}

class SectionReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** One field line representation (section 4.5). Those that refer to the dynamic table are errors. */
  line(): FieldLine {
    const first = this.#peek();
    // 1 T index(6+): a whole line
    if (first & 0x80) {
      if (!(first & 0x40)) throw new Http3Error('qpack_failed');
      return this.#static(this.integer(6));
    }
    // 0 1 N T index(4+): name by reference
    if (first & 0x40) {
      if (!(first & 0x10)) throw new Http3Error('qpack_failed');
      return [this.#static(this.integer(4))[0], this.#string(7)];
    }
    // 0 0 1 N H length(3+): literal name
    if (first & 0x20) return [this.#string(3), this.#string(7)];
    // 0 0 0 …: post-base references
    throw new Http3Error('qpack_failed');
  }

  /** An integer with a prefix of `bits` bits (RFC 7541, section 5.1). Above 2^28 it is nonsense here. */
  integer(bits: number): number {
    const max = 2 ** bits - 1;
    let value = this.#take() & max;
    if (value < max) return value;
    for (let shift = 0; ; shift += 7) {
      if (shift > 21) throw new Http3Error('qpack_failed');
      const byte = this.#take();
      value += (byte & 0x7f) * 2 ** shift;
      if (!(byte & 0x80)) return value;
    }
  }

  /** A string whose Huffman flag is the bit above its length prefix. */
  #string(bits: number): string {
    const huffman = (this.#peek() >> bits) & 1;
    const length = this.integer(bits);
    if (length > this.#bytes.length - this.#at) throw new Http3Error('qpack_failed');
    const raw = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return latin1(huffman ? decodeHuffman(raw) : raw);
  }

  #static(index: number): FieldLine {
    const line = staticTable[index];
    if (line === undefined) throw new Http3Error('qpack_failed');
    return line;
  }

  #peek(): number {
    if (this.done) throw new Http3Error('qpack_failed');
    return this.#bytes[this.#at]!;
  }

  #take(): number {
    const byte = this.#peek();
    this.#at += 1;
    return byte;
  }
}

function pushInteger(out: number[], flags: number, bits: number, value: number): void {
  const max = 2 ** bits - 1;
  if (value < max) {
    out.push(flags | value);
    return;
  }
  out.push(flags | max);
  let rest = value - max;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
}

function pushLatin1(out: number[], text: string): void {
  for (let i = 0; i < text.length; i++) out.push(text.charCodeAt(i) & 0xff);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
