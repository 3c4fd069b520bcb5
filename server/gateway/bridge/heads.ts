/** Heads at the edge of the tunnel: a request head is read in time and as it comes, a response head is written. */
import type { Clock } from '../../../protocol/clock.ts';
import {
  encodeResponseHead,
  type RequestHead,
  RequestHeadReader,
  type ResponseHead,
} from '../../../protocol/exchange/http.ts';
import type { Header } from '../exchange/headers.ts';
import { requestHeadLimitMs } from '../limits.ts';
import { BridgeError, type TunnelStream } from './tunnel-stream.ts';

/** @throws BridgeError `timeout` for a client that opens a stream and says nothing, `truncated` for half a head. */
export async function readHead(
  stream: TunnelStream,
  clock: Clock,
): Promise<{ readonly head: RequestHead; readonly rest: Uint8Array }> {
  const reader = new RequestHeadReader();
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => undefined);
  const cancel = clock.after(requestHeadLimitMs, () => late.reject(new BridgeError('timeout')));
  try {
    for (;;) {
      const chunk = await Promise.race([stream.read(), late.promise]);
      if (chunk === null) throw new BridgeError('truncated');
      const rest = reader.push(chunk);
      if (rest !== undefined) return { head: reader.head, rest };
    }
  } finally {
    cancel();
  }
}

/** @throws BridgeError `upstream_failed` when the service's head does not fit into the tunnel. */
export function encodeHead({ status, headers }: ResponseHead): Uint8Array {
  try {
    return encodeResponseHead({ status, headers });
  } catch (cause) {
    throw new BridgeError('upstream_failed', { cause });
  }
}

/** Node's flat list of a received message, as pairs. */
export function pairs(raw: readonly string[]): Header[] {
  return Array.from({ length: raw.length >> 1 }, (_, i): Header => [raw[2 * i] ?? '', raw[2 * i + 1] ?? '']);
}
