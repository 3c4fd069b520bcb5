/**
 * Whether QUIC gets through, without a QUIC engine: a first packet of a version that nobody speaks is answered by Version
 * Negotiation (RFC 9000, sections 5.2.2, 6.1, 15 and 17.2.1).
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** Reserved so that servers negotiate. */
const greaseVersion = 0x1a2a3a4a;
/** RFC 9000, section 14.1. */
const firstPacketBytes = 1_200;
const idBytes = 8;

/** @param address an IP address. @returns true when an answer to our own packet came within the time. */
export async function quicAnswers(address: string, port: number, limitMs = 3_000): Promise<boolean> {
  const ours = randomBytes(idBytes);
  const packet = Buffer.alloc(firstPacketBytes);
  packet[0] = 0xc0;
  packet.writeUInt32BE(greaseVersion, 1);
  packet[5] = idBytes;
  randomBytes(idBytes).copy(packet, 6);
  packet[6 + idBytes] = idBytes;
  ours.copy(packet, 7 + idBytes);
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const answered = Promise.withResolvers<boolean>();
  socket.on('message', (answer) => {
    if (isNegotiation(answer, ours)) answered.resolve(true);
  });
  // A port that is closed may say so; a firewall says nothing.
  socket.on('error', () => answered.resolve(false));
  const send = (): void => socket.send(packet, port, address, () => undefined);
  const again = setInterval(send, limitMs / 4);
  const end = setTimeout(() => answered.resolve(false), limitMs);
  send();
  try {
    return await answered.promise;
  } finally {
    clearInterval(again);
    clearTimeout(end);
    socket.close();
  }
}

/** Long header, version 0, and the id we gave as ours. */
function isNegotiation(answer: Buffer, ours: Buffer): boolean {
  if (answer.length < 7 + idBytes || (answer[0]! & 0x80) === 0 || answer.readUInt32BE(1) !== 0) return false;
  return answer[5] === idBytes && answer.subarray(6, 6 + idBytes).equals(ours);
}
