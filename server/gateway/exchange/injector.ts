/**
 * Puts one element into an HTML document as it streams by; every other byte passes through unchanged, whatever the
 * boundaries of the chunks. It knows as much of character encodings as it must: UTF-16 has two-byte units, every other
 * encoding the web still uses writes markup as ASCII (Encoding standard, section 4.1).
 */
import { concat } from '../../../protocol/bytes.ts';
import { HtmlScanner } from './html-scanner.ts';
import { isUnknownType, looksLikeHtml } from './html-sniffing.ts';

type Units = 'bytes' | 'utf-16le' | 'utf-16be';

const nothing = new Uint8Array(0);

export class Injector {
  readonly #element: string;
  /** XML is refused by its parser when it is not well-formed, so there only a real `<head>` will do. */
  readonly #headOnly: boolean;
  readonly #scanner = new HtmlScanner();
  /** Whether the bytes have still to show that they are a page. */
  #isUnknown: boolean;
  #units: Units | undefined;
  #declared: Units;
  #held: Uint8Array = nothing;
  #scanned = 0;
  #done = false;

  /** @param element ASCII. @param contentType of the response, with its parameters; '' for none. */
  constructor(element: string, contentType: string) {
    this.#element = element;
    this.#isUnknown = isUnknownType(contentType);
    this.#headOnly = /^\s*application\/xhtml\+xml/i.test(contentType);
    this.#declared = declaredUnits(contentType);
  }

  /** The next bytes to pass on; may be empty while a tag's name is still incomplete. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.#done) return chunk;
    const bytes = this.#held.length === 0 ? chunk : concat(this.#held, chunk);
    if (this.#isUnknown) {
      const isHtml = looksLikeHtml(bytes);
      if (isHtml === undefined) return this.#hold(bytes, 0);
      if (!isHtml) return this.#passAll(bytes);
      this.#isUnknown = false;
    }
    if (this.#units === undefined && !this.#detect(bytes)) return this.#hold(bytes, 0);
    return this.#scan(bytes);
  }

  /**
   * The document ends: what was held back, and the element where nothing came that it could have gone before. Such a page is
   * there to be filled by another's script. One of text alone gets none, since scripts read all of that.
   */
  finish(): Uint8Array {
    if (this.#done || this.#isUnknown || this.#headOnly || !this.#scanner.isBare) return this.#held;
    this.#units ??= this.#declared;
    return this.#insert(this.#held, this.#held.length);
  }

  /** A byte order mark overrides what the header declares. False while one byte could still become one. */
  #detect(bytes: Uint8Array): boolean {
    const [first, second] = bytes;
    if (first === undefined) return false;
    if (second === undefined && (first === 0xfe || first === 0xff)) return false;
    const marked =
      first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
    this.#units = marked ?? this.#declared;
    return true;
  }

  #scan(bytes: Uint8Array): Uint8Array {
    const width = this.#units === 'bytes' ? 1 : 2;
    let tag = 0;
    let at = this.#scanned;
    for (; at + width <= bytes.length; at += width) {
      const unit = this.#unit(bytes, at);
      if (unit === less) tag = at;
      const verdict = this.#scanner.take(unit);
      if (verdict === 'here') return this.#insert(bytes, at + width);
      if (verdict === 'before-tag') return this.#headOnly ? this.#passAll(bytes) : this.#insert(bytes, tag);
    }
    const safe = this.#scanner.undecided ? tag : at;
    this.#scanned = at - safe;
    return this.#hold(bytes, safe);
  }

  #unit(bytes: Uint8Array, at: number): number {
    if (this.#units === 'bytes') return bytes[at]!;
    const [first, second] = [bytes[at]!, bytes[at + 1]!];
    return this.#units === 'utf-16le' ? first | (second << 8) : (first << 8) | second;
  }

  #hold(bytes: Uint8Array, from: number): Uint8Array {
    this.#held = bytes.slice(from);
    return bytes.subarray(0, from);
  }

  #insert(bytes: Uint8Array, at: number): Uint8Array {
    this.#done = true;
    this.#held = nothing;
    return concat(bytes.subarray(0, at), this.#encoded(), bytes.subarray(at));
  }

  #passAll(bytes: Uint8Array): Uint8Array {
    this.#done = true;
    this.#held = nothing;
    return bytes;
  }

  #encoded(): Uint8Array {
    if (this.#units === 'bytes') return Buffer.from(this.#element, 'latin1');
    const encoded = Buffer.from(this.#element, 'utf16le');
    return this.#units === 'utf-16le' ? encoded : encoded.swap16();
  }
}

const less = 0x3c;

function declaredUnits(contentType: string): Units {
  const label = /;\s*charset\s*=\s*["']?\s*([^\s;"']+)/i.exec(contentType)?.[1]?.toLowerCase();
  if (label === 'utf-16be' || label === 'unicodefffe') return 'utf-16be';
  // The Encoding standard's labels of UTF-16LE; plain "utf-16" is one of them.
  const little = ['utf-16', 'utf-16le', 'unicode', 'unicodefeff', 'ucs-2', 'iso-10646-ucs-2', 'csunicode'];
  return label !== undefined && little.includes(label) ? 'utf-16le' : 'bytes';
}
