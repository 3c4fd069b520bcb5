/** How far this machine's clock is off: by a time server (SNTP, RFC 4330), or by the Date of an answer (RFC 9110, 6.6.1). */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type Finding, fail, ok, warn } from './finding.ts';

const packetBytes = 48;
/** From 1900 to 1970. */
const eraS = 2_208_988_800;
const limitMs = 3_000;
/** Signed requests are refused at a minute (request_stale). */
const refusedMs = 60_000;
const noticedMs = 10_000;

/** @returns ms that our clock is ahead; undefined when no server answered. */
export async function aheadOfServer(address: string, port = 123): Promise<number | undefined> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const told = Promise.withResolvers<number | undefined>();
  const request = Buffer.alloc(packetBytes);
  request[0] = (4 << 3) | 3; // version 4, client
  const sentAt = Date.now();
  socket.on('message', (answer) => {
    const [mode, stratum] = [(answer[0] ?? 0) & 7, answer[1] ?? 0];
    // Stratum 0 is a refusal.
    if (answer.length < packetBytes || mode !== 4 || stratum === 0) return;
    const transmitted = (answer.readUInt32BE(40) - eraS) * 1_000 + (answer.readUInt32BE(44) / 2 ** 32) * 1_000;
    told.resolve((sentAt + Date.now()) / 2 - transmitted);
  });
  socket.on('error', () => told.resolve(undefined));
  const end = setTimeout(() => told.resolve(undefined), limitMs);
  socket.send(request, port, address, () => undefined);
  try {
    return await told.promise;
  } finally {
    clearTimeout(end);
    socket.close();
  }
}

/** @param aheadMs of the clock that `against` names. */
export function judgeClock(aheadMs: number, against: string): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  const message = `The clock of this machine is ${seconds} s ${aheadMs < 0 ? 'behind' : 'ahead of'} ${against}.`;
  const advice = 'Let the clock be set by a time server: sign-in and certificates depend on it.';
  if (Math.abs(aheadMs) >= refusedMs) return fail('clock', message, advice);
  return Math.abs(aheadMs) >= noticedMs
    ? warn('clock', message, advice)
    : ok('clock', `The clock agrees with ${against}.`);
}
