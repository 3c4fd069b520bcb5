/** Local ports for connections we open (RFC 6056 algorithm 1: a random start, then the next free one). */
import { EPHEMERAL_COUNT, EPHEMERAL_FIRST } from './limits.ts';

/** @param random 32 random bits. @returns null when every port is in use. */
export function pickPort(random: number, isUsed: (port: number) => boolean): number | null {
  const start = random % EPHEMERAL_COUNT;
  for (let i = 0; i < EPHEMERAL_COUNT; i++) {
    const port = EPHEMERAL_FIRST + ((start + i) % EPHEMERAL_COUNT);
    if (!isUsed(port)) return port;
  }
  return null;
}
