/** What every UDP socket is to its user, whoever carries its datagrams: the stack (udp.ts) or the system. It is closed once. */

/** The far end of a datagram. */
export interface UdpPeer {
  readonly address: Uint8Array;
  readonly port: number;
}

export abstract class DatagramEnd {
  /** Settles once, never rejects. */
  readonly closed: Promise<void>;
  /** Takes each datagram, its bytes the callee's, with who sent it. */
  onDatagram: ((datagram: Uint8Array, from: UdpPeer) => void) | undefined;
  /** A datagram of ours came to nobody: `ECONNREFUSED` where nothing listens, `EHOSTUNREACH` where nothing is. */
  onUnreachable: ((code: 'ECONNREFUSED' | 'EHOSTUNREACH') => void) | undefined;
  /** To be called when nothing is held any more. */
  protected readonly settle: () => void;
  #isClosed = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.settle = resolve;
  }

  protected get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onDatagram = undefined;
    this.onUnreachable = undefined;
    this.release();
  }

  /** Lets go of what carries it; once. */
  protected abstract release(): void;
}
