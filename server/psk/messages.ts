/** The exchange's messages on a connection inside the tunnel: each has one length, so they need no framing. */
import type { Duplex } from 'node:stream';

/** The connection ended before a message was whole. */
export class CutError extends Error {
  readonly code = 'cut';
  constructor() {
    super('psk exchange: cut');
    this.name = 'CutError';
  }
}

/** @returns exactly `length` bytes. @throws CutError */
export async function receive(stream: Duplex, length: number): Promise<Uint8Array> {
  for (;;) {
    const bytes = stream.read(length) as Buffer | null;
    // What is left before an end comes short.
    if (bytes !== null && bytes.length === length) return Uint8Array.from(bytes);
    if (bytes !== null || stream.readableEnded || stream.destroyed) throw new CutError();
    await changed(stream);
  }
}

/** Resolves at the next bytes or at the end. */
function changed(stream: Duplex): Promise<void> {
  const names = ['readable', 'end', 'close', 'error'] as const;
  return new Promise((resolve) => {
    const settle = () => {
      for (const name of names) stream.off(name, settle);
      resolve();
    };
    for (const name of names) stream.on(name, settle);
  });
}
