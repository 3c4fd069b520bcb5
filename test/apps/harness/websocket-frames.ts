/** Reads the WebSocket messages of one direction out of a connection's bytes (RFC 6455 section 5), without extensions. */

/** A message as it went by: control frames, which belong to one hop, are left out except the close code. */
export interface Message {
  readonly kind: 'text' | 'binary' | 'close';
  /** Text as it is, binary as base64, a close as its code. */
  readonly payload: string;
}

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8 } as const;
const noStatus = '1005';

export class MessageReader {
  readonly #onMessage: (message: Message) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];
  #opcode = 0;

  constructor(onMessage: (message: Message) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (let length = this.#frame(); length > 0; length = this.#frame()) this.#bytes = this.#bytes.subarray(length);
  }

  /** @returns the length of the first frame, 0 while it is incomplete. */
  #frame(): number {
    const head = headOf(this.#bytes);
    if (head === undefined || this.#bytes.length < head.end) return 0;
    const payload = Buffer.from(this.#bytes.subarray(head.begin, head.end));
    if (head.mask !== undefined) for (let i = 0; i < payload.length; i++) payload[i]! ^= head.mask[i & 3]!;
    this.#take(head.opcode, head.isFinal, payload);
    return head.end;
  }

  #take(opcode: number, isFinal: boolean, payload: Buffer): void {
    if (opcode === opcodes.close) {
      const code = payload.length < 2 ? noStatus : String(payload.readUInt16BE(0));
      this.#onMessage({ kind: 'close', payload: code });
    }
    if (opcode > opcodes.binary) return;
    if (opcode !== opcodes.continuation) this.#opcode = opcode;
    this.#parts.push(payload);
    if (!isFinal) return;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    const isText = this.#opcode === opcodes.text;
    this.#onMessage({ kind: isText ? 'text' : 'binary', payload: whole.toString(isText ? 'utf8' : 'base64') });
  }
}

interface Head {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly mask: Buffer | undefined;
  readonly begin: number;
  readonly end: number;
}

function headOf(bytes: Buffer): Head | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const masked = (bytes[1]! & 0x80) !== 0;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const begin = 2 + lengthBytes + (masked ? 4 : 0);
  if (bytes.length < begin) return undefined;
  const length =
    lengthBytes === 2 ? bytes.readUInt16BE(2) : lengthBytes === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  const mask = masked ? bytes.subarray(begin - 4, begin) : undefined;
  return { opcode: bytes[0]! & 0x0f, isFinal: (bytes[0]! & 0x80) !== 0, mask, begin, end: begin + length };
}
