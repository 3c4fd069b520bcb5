/**
 * Packets read and made the slow and obvious way, with DataView and a checksum of its own: the twin that the stack's
 * own codec is judged by, and the hand that deals it segments no stack would send.
 */

export const FLAG = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 } as const;

export interface Packet {
  version: 4 | 6;
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
  seq: number;
  ack: number;
  flags: number;
  window: number;
  mss?: number;
  shift?: number;
  timestamps?: { value: number; echo: number };
  sackPermitted?: boolean;
  /** Starts and ends. */
  sack?: [start: number, end: number][];
  payload: Uint8Array;
}

/** RFC 1071 by the book, on any bytes. */
export function slowChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum % 65536) + Math.floor(sum / 65536);
  return 0xffff - sum;
}

function addressBytes(text: string): number[] {
  if (text.includes('.')) return text.split('.').map(Number);
  const [front = '', back = ''] = text.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const head = words(front);
  const tail = words(back);
  const all = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
  return all.flatMap((word) => [word >> 8, word & 255]);
}

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! * 256 + bytes[2 * i + 1]!).toString(16));
  return words.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}

/** Reads a whole, valid TCP packet; throws when a checksum or a length is wrong. */
export function readPacket(bytes: Uint8Array): Packet {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[0]! >> 4 === 4 ? 4 : 6;
  const n = version === 4 ? 4 : 16;
  const at = version === 4 ? 20 : 40;
  const addresses = bytes.slice(at - 2 * n, at);
  if (version === 4 && slowChecksum(bytes.slice(0, 20)) !== 0) throw new Error('IPv4 checksum');
  const length = version === 4 ? view.getUint16(2) : 40 + view.getUint16(4);
  if (length !== bytes.length) throw new Error('IP length');
  const tcp = bytes.slice(at);
  if (slowChecksum(Uint8Array.from([...addresses, 0, 6, tcp.length >> 8, tcp.length & 255, ...tcp])) !== 0) {
    throw new Error('TCP checksum');
  }
  const headerLength = (bytes[at + 12]! >> 4) * 4;
  return {
    version,
    source: addressText(addresses.slice(0, n)),
    destination: addressText(addresses.slice(n)),
    sourcePort: view.getUint16(at),
    destinationPort: view.getUint16(at + 2),
    seq: view.getUint32(at + 4),
    ack: view.getUint32(at + 8),
    flags: bytes[at + 13]!,
    window: view.getUint16(at + 14),
    ...readOptions(view, at + 20, at + headerLength),
    payload: bytes.slice(at + headerLength),
  };
}

function readOptions(view: DataView, start: number, end: number): Partial<Packet> {
  const options: Partial<Packet> = {};
  for (let at = start; at < end; ) {
    const kind = view.getUint8(at);
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    if (kind === 2) options.mss = view.getUint16(at + 2);
    if (kind === 4) options.sackPermitted = true;
    if (kind === 5) options.sack = readBlocks(view, at);
    if (kind === 3) options.shift = view.getUint8(at + 2);
    if (kind === 8) options.timestamps = { value: view.getUint32(at + 2), echo: view.getUint32(at + 6) };
    at += view.getUint8(at + 1);
  }
  return options;
}

function readBlocks(view: DataView, at: number): [number, number][] {
  const count = (view.getUint8(at + 1) - 2) / 8;
  return Array.from({ length: count }, (_, n) => [view.getUint32(at + 2 + 8 * n), view.getUint32(at + 6 + 8 * n)]);
}

/** An IP packet around any payload, checksum of the IPv4 header included. */
export function makeIp(source: string, destination: string, protocol: number, payload: Uint8Array): Uint8Array {
  const from = addressBytes(source);
  const to = addressBytes(destination);
  if (from.length === 16) {
    const length = [payload.length >> 8, payload.length & 255];
    return Uint8Array.from([0x60, 0, 0, 0, ...length, protocol, 64, ...from, ...to, ...payload]);
  }
  const total = 20 + payload.length;
  const header = Uint8Array.from([0x45, 0, total >> 8, total & 255, 0, 0, 0, 0, 64, protocol, 0, 0, ...from, ...to]);
  new DataView(header.buffer).setUint16(10, slowChecksum(header));
  return Uint8Array.from([...header, ...payload]);
}

/** The checksum of a message that has a pseudo-header; `message` holds zero in its place. */
export function pseudoChecksum(source: string, destination: string, protocol: number, message: Uint8Array): number {
  const pseudo = [...addressBytes(source), ...addressBytes(destination), 0, protocol];
  return slowChecksum(Uint8Array.from([...pseudo, message.length >> 8, message.length & 255, ...message]));
}

/** Makes what {@link readPacket} reads. */
export function makePacket(packet: Packet): Uint8Array {
  const options: number[] = [];
  if (packet.mss !== undefined) options.push(2, 4, packet.mss >> 8, packet.mss & 255);
  if (packet.shift !== undefined) options.push(1, 3, 3, packet.shift);
  if (packet.timestamps !== undefined) {
    const stamps = new DataView(new ArrayBuffer(8));
    stamps.setUint32(0, packet.timestamps.value);
    stamps.setUint32(4, packet.timestamps.echo);
    options.push(1, 1, 8, 10, ...new Uint8Array(stamps.buffer));
  }
  if (packet.sackPermitted) options.push(1, 1, 4, 2);
  if (packet.sack !== undefined) {
    const blocks = new DataView(new ArrayBuffer(8 * packet.sack.length));
    for (const [n, [start, end]] of packet.sack.entries()) {
      blocks.setUint32(8 * n, start);
      blocks.setUint32(8 * n + 4, end);
    }
    options.push(1, 1, 5, 2 + blocks.byteLength, ...new Uint8Array(blocks.buffer));
  }
  const headerLength = 20 + options.length;
  const tcp = new Uint8Array(headerLength + packet.payload.length);
  const view = new DataView(tcp.buffer);
  view.setUint16(0, packet.sourcePort);
  view.setUint16(2, packet.destinationPort);
  view.setUint32(4, packet.seq);
  view.setUint32(8, packet.ack);
  view.setUint8(12, headerLength << 2);
  view.setUint8(13, packet.flags);
  view.setUint16(14, packet.window);
  tcp.set(options, 20);
  tcp.set(packet.payload, headerLength);
  view.setUint16(16, pseudoChecksum(packet.source, packet.destination, 6, tcp));
  return makeIp(packet.source, packet.destination, 6, tcp);
}
