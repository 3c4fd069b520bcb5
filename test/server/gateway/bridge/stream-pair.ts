/**
 * A tunnel stream without a tunnel: two ends with credit between them, FIN and RST as the session has them. The client
 * end speaks the codecs of protocol/exchange, so that a test reads as a browser's worker would.
 */
import type { StreamCode } from '../../../../protocol/codes.ts';
import {
  encodeRequestHead,
  type Header,
  type ResponseHead,
  ResponseHeadReader,
} from '../../../../protocol/exchange/http.ts';
import { StreamError } from '../../../../protocol/stream-error.ts';
import type { TunnelStream } from '../../../../server/gateway/bridge/tunnel-stream.ts';

/** As initialCreditBytes of the protocol. */
export const creditBytes = 256 * 1024;

class Pipe {
  #chunks: Uint8Array[] = [];
  #ended = false;
  #failure: StreamError | undefined;
  #wake = Promise.withResolvers<void>();
  buffered = 0;
  total = 0;

  async write(bytes: Uint8Array): Promise<void> {
    // The writer may reuse its bytes once this resolves.
    const copy = bytes.slice();
    while (this.buffered > creditBytes && this.#failure === undefined) await this.#wake.promise;
    if (this.#failure !== undefined) throw this.#failure;
    this.#chunks.push(copy);
    this.buffered += copy.length;
    this.total += copy.length;
    this.#stir();
  }

  end(): void {
    this.#ended = true;
    this.#stir();
  }

  fail(failure: StreamError): void {
    this.#failure ??= failure;
    this.#chunks = [];
    this.#stir();
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.buffered -= chunk.length;
        this.#stir();
        return chunk;
      }
      if (this.#ended) return null;
      await this.#wake.promise;
    }
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  #stir(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers();
    resolve();
  }
}

/** What came of an exchange, read to its end. */
export interface Received extends ResponseHead {
  readonly body: Buffer;
}

export class StreamPair {
  readonly up = new Pipe();
  readonly down = new Pipe();
  readonly gateway: TunnelStream;
  readonly #closed = Promise.withResolvers<void>();
  resetBy: { side: 'client' | 'gateway'; code: StreamCode } | undefined;

  constructor() {
    this.gateway = {
      read: () => this.up.read(),
      write: (bytes) => this.down.write(bytes),
      finish: async () => this.#finish(this.down),
      reset: (code) => this.#reset('gateway', code),
      closed: this.#closed.promise,
    };
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.up.write(bytes);
  }

  finish(): void {
    this.#finish(this.up);
  }

  read(): Promise<Uint8Array | null> {
    return this.down.read();
  }

  reset(code: StreamCode): void {
    this.#reset('client', code);
  }

  async sendHead(method: string, target: string, headers: readonly Header[] = []): Promise<void> {
    await this.write(encodeRequestHead({ method, target, headers }));
  }

  /** The response head and the first bytes behind it. */
  async readHead(): Promise<ResponseHead & { rest: Uint8Array }> {
    const reader = new ResponseHeadReader();
    for (;;) {
      const chunk = await this.read();
      if (chunk === null) throw new Error('the stream ended before its head');
      const rest = reader.push(chunk);
      if (rest !== undefined) return { ...reader.head, rest };
    }
  }

  /** Everything, up to an authentic end. */
  async receive(): Promise<Received> {
    const { status, headers, rest } = await this.readHead();
    const parts = [rest];
    for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) parts.push(chunk);
    return { status, headers, body: Buffer.concat(parts) };
  }

  #finish(pipe: Pipe): void {
    pipe.end();
    if (this.up.isEnded && this.down.isEnded) this.#closed.resolve();
  }

  #reset(side: 'client' | 'gateway', code: StreamCode): void {
    if (this.resetBy !== undefined || (this.up.isEnded && this.down.isEnded)) return;
    this.resetBy = { side, code };
    const failure = new StreamError(code);
    this.up.fail(failure);
    this.down.fail(failure);
    this.#closed.resolve();
  }
}
