/**
 * Initial sequence numbers and timestamp offsets (RFC 6528, RFC 7323 section 7.1): a keyed hash of the four-tuple,
 * so nobody can guess them from another connection's, plus a clock for the sequence number, so that the next
 * connection between the same ports starts above the last one.
 */
import { createHmac } from 'node:crypto';
import type { ConnectionSeed } from './connection.ts';
import type { Flow } from './flow.ts';
import { add } from './sequence.ts';

/** The RFC's clock ticks every 4 microseconds. */
const TICKS_PER_MS = 250;

/** @param secret of this stack, at least 16 bytes. */
export function seedFor(flow: Flow, secret: Uint8Array, nowMs: number): ConnectionSeed {
  const digest = createHmac('sha256', secret)
    .update(flow.local)
    .update(flow.remote)
    .update(Uint8Array.of(flow.localPort >>> 8, flow.localPort, flow.remotePort >>> 8, flow.remotePort))
    .digest();
  return {
    iss: add(digest.readUInt32BE(0), Math.floor(nowMs * TICKS_PER_MS) % 2 ** 32),
    timestampOffset: digest.readUInt32BE(4),
  };
}
