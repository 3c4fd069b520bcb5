/**
 * A connection as a Node stream, alike enough to net.Socket that http.Server, http.Agent and undici take it. It
 * turns the backpressure of streams into that of TCP and back: an unread Readable closes the window, a full send
 * buffer holds the write callback. Application code never runs inside of packet processing.
 *
 * `destroy()` without an error after everything was written and read is an orderly close; with an error, with
 * unwritten or with unread bytes it is a RST, so that a cut stream can never look complete to the peer.
 */
import { Duplex } from 'node:stream';
import type { Clock } from '../../protocol/clock.ts';
import { formatAddress } from './address.ts';
import type { Connection } from './connection.ts';
import { Deadline } from './deadline.ts';
import { NetworkError } from './errors.ts';
import { SOCKET_CHUNK } from './limits.ts';

/** The settings of a socket, as net has them. */
export interface TcpSocketOptions {
  /** Keep our direction open when the peer ended its own; default false, as in net. A byte-for-byte relay wants true. */
  readonly allowHalfOpen?: boolean | undefined;
}

type Callback = (error?: Error | null) => void;

/** @fires connect, ready, timeout and the events of Duplex. Made by NetStack only. */
export class TcpSocket extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly remoteFamily: 'IPv4' | 'IPv6';
  readonly localAddress: string;
  readonly localPort: number;
  readonly localFamily: 'IPv4' | 'IPv6';
  /** Until the peer has answered our SYN. */
  connecting: boolean;
  bytesRead = 0;
  bytesWritten = 0;
  /** Milliseconds of silence until 'timeout'; 0 for never. */
  timeout = 0;
  readonly #connection: Connection;
  readonly #idle: Deadline;
  #demand = false;
  #deliveryDue = false;
  #unwritten: Uint8Array[] = [];
  /** Bytes of the first unwritten chunk that the connection has taken. */
  #taken = 0;
  #onWritten: Callback | null = null;
  /** Length of the write whose callback is outstanding. */
  #writing = 0;
  #ended = false;

  constructor(connection: Connection, clock: Clock, options: TcpSocketOptions = {}) {
    super({ allowHalfOpen: options.allowHalfOpen ?? false, highWaterMark: SOCKET_CHUNK });
    const { flow } = connection;
    this.#connection = connection;
    this.remoteAddress = formatAddress(flow.remote);
    this.remotePort = flow.remotePort;
    this.remoteFamily = this.localFamily = flow.version === 4 ? 'IPv4' : 'IPv6';
    this.localAddress = formatAddress(flow.local);
    this.localPort = flow.localPort;
    this.connecting = connection.state === 'syn-sent';
    this.#idle = new Deadline(clock, () => this.emit('timeout'));
    connection.user = {
      established: () => this.#onEstablished(),
      readable: () => this.#onReadable(),
      writable: () => this.#onWritable(),
      closed: (error) => {
        if (error !== null) this.destroy(error);
      },
    };
  }

  // Called from packet processing, so everything that runs application code is put off.

  #onEstablished(): void {
    this.connecting = false;
    process.nextTick(() => {
      if (this.destroyed) return;
      this.emit('connect');
      this.emit('ready');
    });
  }

  #onReadable(): void {
    if (!this.#demand || this.#deliveryDue) return;
    // One turn of the event loop gathers what a burst of packets brings into one chunk.
    this.#deliveryDue = true;
    setImmediate(this.#deliver);
  }

  #onWritable(): void {
    if (this.#onWritten === null || !this.#hand()) return;
    const done = this.#onWritten;
    this.#onWritten = null;
    process.nextTick(() => {
      this.#writing = 0;
      done();
    });
  }

  // Readable.

  override _read(): void {
    this.#demand = true;
    this.#onReadable();
  }

  readonly #deliver = (): void => {
    this.#deliveryDue = false;
    const { buffer } = this.#connection.receive;
    while (this.#demand && buffer.length > 0 && !this.destroyed) {
      const chunk = Buffer.allocUnsafe(Math.min(buffer.length, SOCKET_CHUNK));
      this.#connection.read(chunk, chunk.length);
      this.bytesRead += chunk.length;
      this.#active();
      // push() may run the application, which may pause, read on or destroy.
      this.#demand = this.push(chunk);
    }
    if (buffer.length > 0 || !this.#connection.receive.finished || this.#ended || this.destroyed) return;
    this.#ended = true;
    this.push(null);
  };

  // Writable.

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: Callback): void {
    this.#write([chunk], callback);
  }

  override _writev(chunks: { chunk: Uint8Array }[], callback: Callback): void {
    this.#write(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  #write(chunks: Uint8Array[], callback: Callback): void {
    if (this.#connection.state === 'closed') {
      callback(new NetworkError('EPIPE', 'write'));
      return;
    }
    this.#unwritten = chunks;
    this.#active();
    if (this.#hand()) {
      callback();
      return;
    }
    this.#onWritten = callback;
    this.#writing = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Hands the connection what it takes. @returns whether that was everything. */
  #hand(): boolean {
    let done = 0;
    for (const chunk of this.#unwritten) {
      const count = this.#connection.append(chunk, this.#taken);
      this.#taken += count;
      this.bytesWritten += count;
      if (this.#taken < chunk.length) break;
      this.#taken = 0;
      done++;
    }
    this.#unwritten = done === this.#unwritten.length ? [] : this.#unwritten.slice(done);
    if (done > 0 || this.#taken > 0) this.#connection.push();
    return this.#unwritten.length === 0;
  }

  override _final(callback: Callback): void {
    this.#connection.close();
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#idle.dispose();
    const cut = this.#unwritten.length > 0 || this.writableLength > this.#writing;
    const unread = !this.#ended && (this.readableLength > 0 || this.#connection.receive.buffer.length > 0);
    const orderly = error === null && !this.connecting && !cut && (!unread || this.#connection.send.finQueued);
    if (orderly) this.#connection.orphan();
    else this.#connection.abort(null);
    this.connecting = false;
    this.#unwritten = [];
    this.#onWritten?.(error ?? new NetworkError('ECONNABORTED', 'write'));
    this.#onWritten = null;
    callback(error);
  }

  // What net.Socket has.

  get pending(): boolean {
    return this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  address(): { address: string; port: number; family: string } {
    return { address: this.localAddress, port: this.localPort, family: this.localFamily };
  }

  /** Nagle's algorithm is never on; accepted for the sake of callers. */
  setNoDelay(_noDelay?: boolean): this {
    return this;
  }

  setKeepAlive(enable = false, initialDelayMs = 0): this {
    if (!this.destroyed) this.#connection.timers.keepAlive(enable ? Math.max(1_000, initialDelayMs) : 0);
    return this;
  }

  /**
   * Ends the connection with ETIMEDOUT when what is written while nothing is in flight finds no answer for so long: a
   * kept connection then fails as soon as a new one would. In the middle of a transfer the stack stays patient.
   */
  setAnswerLimit(ms: number): this {
    if (!this.destroyed) this.#connection.timers.limitAnswer(ms);
    return this;
  }

  /** Emits 'timeout' after so much silence; it is the listener that ends the connection, as with net. */
  setTimeout(ms: number, onTimeout?: () => void): this {
    this.timeout = ms;
    if (onTimeout !== undefined) {
      if (ms === 0) this.removeListener('timeout', onTimeout);
      else this.once('timeout', onTimeout);
    }
    if (ms === 0) this.#idle.stop();
    else this.#active();
    return this;
  }

  #active(): void {
    if (this.timeout > 0 && !this.destroyed) this.#idle.arm(this.timeout);
  }

  /** Sockets of this stack never keep the process alive; the source of packets does. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Ends, and destroys once everything written was handed over. */
  destroySoon(): void {
    if (!this.writableEnded) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Ends at once with a RST. */
  resetAndDestroy(): this {
    this.#connection.abort(null);
    return this.destroy();
  }
}
