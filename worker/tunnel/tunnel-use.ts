/** What an exchange may ask of the tunnel: a stream to its one service, and the words every request carries. */
import type { StreamKind } from '../../protocol/codes.ts';
import type { Header } from '../../protocol/exchange/http.ts';
import type { Stream } from '../../protocol/stream.ts';
import type { HttpPasswords } from './http-passwords.ts';
import type { Transfers } from './transfers.ts';

export interface OpenMore {
  /** All that will be said in it: on its way before the gateway has agreed, and maybe heard though opening fails. */
  readonly whole?: Uint8Array | undefined;
  /** Gives up waiting, and tells the gateway so. */
  readonly signal: AbortSignal;
}

export interface TunnelUse {
  /**
   * A new stream, waiting for a session when there is none; to the tunnel's own service unless another is named, which
   * the gateway allows where that one is set to be called by this one.
   * @throws StreamError or TunnelFault
   */
  open(kind: StreamKind, service?: string, more?: OpenMore): Promise<Stream>;
  /** Pseudo headers that only the gateway reads: the key of the cookie jar, the id of this tab. */
  readonly hidden: readonly Header[];
  /** The app's origin, for the Origin header of a WebSocket. */
  readonly origin: string;
  /** What the service is told when it asks for a password; without it the page hears of that itself. */
  readonly passwords?: Pick<HttpPasswords, 'known' | 'keep' | 'afterRefusal'>;
  /** Where bodies are counted; nobody counts where it is absent. */
  readonly transfers?: Pick<Transfers, 'begin'>;
}

/** The code and correlation id of whatever went wrong, for the page that shows it. */
export function failureCode(error: unknown): { code: string; correlation: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'internal';
  const correlation = error instanceof Error && 'correlation' in error ? String(error.correlation ?? '') : '';
  return { code, correlation };
}
