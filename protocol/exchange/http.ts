/**
 * The head that begins an HTTP exchange in a stream (docs/protocol.md, "Inside a stream"); the body is the bytes after
 * it and ends with FIN. Never HTTP text: the gateway alone speaks that, so there is nothing here to smuggle with.
 *
 *     request   u32 length of the rest | u16 len, method | u16 len, target | u16 count | count × header
 *     response  u32 length of the rest | u16 status | u16 count | count × header
 *     header    u16 len, name | u16 len, value        one character is one byte (latin-1), as HTTP has them
 *
 * Names that begin with ':' are between worker and gateway and never reach a service. Trailers are not carried.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { ByteQueue } from './byte-queue.ts';
import { ExchangeError } from './error.ts';

/** A head's length, its own four length bytes not counted. */
export const maxHeadBytes = 64 * 1024;
/** Headers in one head. */
export const maxHeaders = 256;

/** In the order in which they stand; a name may repeat. */
export type Header = readonly [name: string, value: string];

export type RequestHead = { readonly method: string; readonly target: string; readonly headers: readonly Header[] };
export type ResponseHead = { readonly status: number; readonly headers: readonly Header[] };

/** RFC 9110 section 5.6.2, with our own ':' in front. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const name = /^:?[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** No control characters but tab: RFC 9110 section 5.5. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const value = /^[^\x00-\x08\x0a-\x1f\x7f]*$/;
/** Visible characters, beginning with '/' or being '*': origin-form and asterisk-form of RFC 9112 section 3.2. */
const target = /^(\/[\x21-\x7e\x80-\xff]*|\*)$/;

function isHeader([headerName, headerValue]: Header): boolean {
  return name.test(headerName) && value.test(headerValue);
}

function isRequest(head: RequestHead): boolean {
  return token.test(head.method) && target.test(head.target) && head.headers.every(isHeader);
}

function isResponse(head: ResponseHead): boolean {
  return head.status >= 100 && head.status <= 599 && head.headers.every(isHeader);
}

/** @throws TypeError for a character that is no byte */
function latin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) throw new TypeError('heads hold latin-1 only');
    bytes[i] = code;
  }
  return bytes;
}

function latin1Decode(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function framed(writer: Writer, headers: readonly Header[]): Uint8Array<ArrayBuffer> {
  if (headers.length > maxHeaders) throw new ExchangeError('too_large', 'headers');
  writer.u16(headers.length);
  for (const [headerName, headerValue] of headers) {
    if (headerValue.length > maxHeadBytes) throw new ExchangeError('too_large', 'header');
    writer.vec16(latin1(headerName)).vec16(latin1(headerValue));
  }
  const rest = writer.done();
  if (rest.length > maxHeadBytes) throw new ExchangeError('too_large', 'head');
  return new Writer().vec32(rest).done();
}

/** @throws ExchangeError 'too_large'; TypeError for what no head may hold */
export function encodeRequestHead(head: RequestHead): Uint8Array<ArrayBuffer> {
  if (!isRequest(head)) throw new TypeError('not a request head');
  if (head.target.length >= maxHeadBytes) throw new ExchangeError('too_large', 'target');
  return framed(new Writer().vec16(latin1(head.method)).vec16(latin1(head.target)), head.headers);
}

/** @throws ExchangeError 'too_large'; TypeError for what no head may hold */
export function encodeResponseHead(head: ResponseHead): Uint8Array<ArrayBuffer> {
  if (!isResponse(head)) throw new TypeError('not a response head');
  return framed(new Writer().u16(head.status), head.headers);
}

function readHeaders(reader: Reader): Header[] {
  const count = reader.u16();
  if (count > maxHeaders) throw new ExchangeError('too_large', 'headers');
  const headers: Header[] = [];
  for (let i = 0; i < count; i++) headers.push([latin1Decode(reader.vec16()), latin1Decode(reader.vec16())]);
  reader.end();
  return headers;
}

function decodeRequest(reader: Reader): RequestHead {
  const [method, requestTarget] = [latin1Decode(reader.vec16()), latin1Decode(reader.vec16())];
  const head = { method, target: requestTarget, headers: readHeaders(reader) };
  if (!isRequest(head)) throw new ExchangeError('malformed', 'request head');
  return head;
}

function decodeResponse(reader: Reader): ResponseHead {
  const head = { status: reader.u16(), headers: readHeaders(reader) };
  if (!isResponse(head)) throw new ExchangeError('malformed', 'response head');
  return head;
}

/** Finds the head at the front of a stream, in whatever pieces it comes. Hostile input. */
class HeadReader<Head> {
  readonly #decode: (reader: Reader) => Head;
  readonly #queue = new ByteQueue();
  #length: number | undefined;
  #head: Head | undefined;

  constructor(decode: (reader: Reader) => Head) {
    this.#decode = decode;
  }

  /**
   * @returns the first bytes of the body, maybe none, once the head is whole; undefined before. Then it is finished.
   * @throws ExchangeError
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#head) throw new TypeError('this head was read');
    this.#queue.push(chunk);
    this.#length ??= this.#takeLength();
    const bytes = this.#length === undefined ? undefined : this.#queue.take(this.#length);
    if (!bytes) return undefined;
    this.#head = this.#parse(bytes);
    return this.#queue.take(this.#queue.length);
  }

  /** What {@link push} found. */
  get head(): Head {
    if (!this.#head) throw new TypeError('the head is not whole');
    return this.#head;
  }

  #takeLength(): number | undefined {
    const bytes = this.#queue.take(4);
    if (!bytes) return undefined;
    const length = new Reader(bytes).u32();
    if (length > maxHeadBytes) throw new ExchangeError('too_large', 'head');
    return length;
  }

  #parse(bytes: Uint8Array): Head {
    try {
      return this.#decode(new Reader(bytes));
    } catch (error) {
      if (error instanceof DecodeError) throw new ExchangeError('malformed', 'head');
      throw error;
    }
  }
}

export class RequestHeadReader extends HeadReader<RequestHead> {
  constructor() {
    super(decodeRequest);
  }
}

export class ResponseHeadReader extends HeadReader<ResponseHead> {
  constructor() {
    super(decodeResponse);
  }
}
