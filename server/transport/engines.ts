/**
 * Which engine speaks WebTransport here: the first whose native module this machine can load. Where none can, the tunnel
 * still runs over WebSocket.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { OpenCertificates } from './certificates.ts';
import type { TransportServer } from './session.ts';

export const engineNames = ['quinn', 'quiche'] as const;
export type EngineName = (typeof engineNames)[number];

export interface EngineOptions {
  /** The only one to try. */
  readonly engine?: EngineName | undefined;
  /** Origins that may open a tunnel, compared byte for byte. */
  readonly origins: readonly string[];
  readonly clock: Clock;
  /** 32 secret bytes that stay the same over restarts, where the owner keeps some (see quiche/stateless-reset.ts). */
  readonly resetKey?: Uint8Array | undefined;
  /** Instead of certificates of our own making, which browsers know by their hashes. */
  readonly certificates?: OpenCertificates | undefined;
  /** Told why an engine was passed over. */
  readonly onUnavailable?: (engine: string, cause: unknown) => void;
}

/** The one that is kept up to date comes first (docs/decisions/0006-two-quic-engines.md). */
const loaders: Record<EngineName, (options: EngineOptions) => Promise<TransportServer>> = {
  quinn: async ({ clock, certificates }) => {
    const [{ loadQuinn }, { QuinnTransport }] = await Promise.all([
      import('./quinn/native.ts'),
      import('./quinn/quinn-transport.ts'),
    ]);
    return new QuinnTransport({ native: loadQuinn(), clock, certificates });
  },
  quiche: async (options) => new (await import('./quiche/quiche-transport.ts')).QuicheTransport(options),
};

/** A WebTransport server that does not listen yet, or undefined where no engine loads. */
export async function loadTransport(options: EngineOptions): Promise<TransportServer | undefined> {
  for (const name of engineNames) {
    if (options.engine !== undefined && options.engine !== name) continue;
    try {
      return await loaders[name](options);
    } catch (cause) {
      options.onUnavailable?.(name, cause);
    }
  }
  return undefined;
}
