/**
 * What we use of `@moq/web-transport`'s native module, and how it is loaded. Its package exports only TypeScript sources,
 * which Node does not run from node_modules, so the module is taken by its path. Its promises reject with an Error whose
 * text is for people; nothing is decided by it but whether a port was taken.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The receiving half of a stream. A call waits for the one before it: `stop` while a `read` is pending comes after it. */
export interface NativeRecvStream {
  /** At most so many bytes; null at the end. Rejects when the stream was reset or the session is over. */
  read(maxBytes: number): Promise<Buffer | null>;
  stop(code: number): Promise<void>;
}

/** The sending half; calls wait for each other likewise, in no promised order. */
export interface NativeSendStream {
  /** Resolves when the bytes are in the stream's buffer; they must not change until then. */
  write(bytes: Buffer): Promise<void>;
  finish(): Promise<void>;
  reset(code: number): Promise<void>;
}

export interface NativeBiStream {
  /** Once. */
  takeSend(): NativeSendStream;
  /** Once. */
  takeRecv(): NativeRecvStream;
}

export interface NativeSession {
  /** Rejects when the session is over. */
  acceptBi(): Promise<NativeBiStream>;
  openBi(): Promise<NativeBiStream>;
  /** Throws when it is too large for the path now, or the peer takes none. */
  sendDatagram(bytes: Buffer): void;
  /** Rejects when the session is over. */
  recvDatagram(): Promise<Buffer>;
  /** Says so to the peer and gives it three round trips, 100 ms at least, to take it. */
  close(code: number, reason: string): void;
  /** Resolves when the connection is gone. */
  closed(): Promise<unknown>;
}

/** A CONNECT that wants its answer. Origin and peer address are not to be had. */
export interface NativeRequest {
  readonly url: Promise<string>;
  ok(): Promise<NativeSession>;
  reject(status: number): Promise<void>;
}

export interface NativeServer {
  /** The next request, or null when the server is closed. */
  accept(): Promise<NativeRequest | null>;
  /** Blocks the whole thread for as long as an `accept` is pending. */
  close(): void;
}

export interface QuinnModule {
  readonly NapiServer: {
    /** `address` is `ip:port`, IPv6 in brackets; PEM. Throws when it cannot be bound. */
    bind(address: string, certificate: Buffer, key: Buffer): NativeServer;
  };
  readonly NapiClient: {
    withCertificateHashes(sha256: Buffer[]): { connect(url: string): Promise<NativeSession> };
  };
}

/** @throws Error when there is no module for this machine, or the system's C library is older than it wants (glibc 2.38). */
export function loadQuinn(): QuinnModule {
  const module = new URL('../napi.cjs', import.meta.resolve('@moq/web-transport'));
  try {
    return createRequire(import.meta.url)(fileURLToPath(module)) as QuinnModule;
  } catch (error) {
    throw new Error(firstCause(error), { cause: error });
  }
}

/** The loader tries several places and chains what each said; the first place is the one that counts. */
function firstCause(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : 'unknown';
}
