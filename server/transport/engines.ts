/**
 * Which engine speaks WebTransport here: the first whose native module this machine can load. Where none can, the tunnel
 * still runs over WebSocket.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { TransportServer } from './session.ts';

export interface EngineOptions {
  /** Origins that may open a tunnel, compared byte for byte. */
  readonly origins: readonly string[];
  readonly clock: Clock;
  /** 32 secret bytes that stay the same over restarts, where the owner keeps some (see quiche/stateless-reset.ts). */
  readonly resetKey?: Uint8Array | undefined;
  /** Told why an engine was passed over. */
  readonly onUnavailable?: (engine: string, cause: unknown) => void;
}

const engines: readonly { name: string; load: (options: EngineOptions) => Promise<TransportServer> }[] = [
  {
    name: 'quiche',
    load: async (options) => new (await import('./quiche/quiche-transport.ts')).QuicheTransport(options),
  },
];

/** A WebTransport server that does not listen yet, or undefined where no engine loads. */
export async function loadTransport(options: EngineOptions): Promise<TransportServer | undefined> {
  for (const { name, load } of engines) {
    try {
      return await load(options);
    } catch (cause) {
      options.onUnavailable?.(name, cause);
    }
  }
  return undefined;
}
