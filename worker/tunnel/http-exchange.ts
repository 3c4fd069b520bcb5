/**
 * One HTTP exchange between the app's service worker and a tunnel stream: head, body under credit, response head,
 * body under credit. A request that changes nothing and was not answered yet is sent again when the session is lost.
 */
import { encodeRequestHead, ResponseHeadReader } from '../../protocol/exchange/http.ts';
import type { Stream } from '../../protocol/stream.ts';
import { type FromTunnel, firstCreditBytes, type RequestMessage, type ToTunnel } from '../app-messages.ts';
import { BodyQueue } from './body-queue.ts';
import { failureCode, type TunnelUse } from './tunnel-use.ts';

type Say = (message: FromTunnel, transfer?: Transferable[]) => void;

const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const maxAttempts = 6;
const chunkBytes = 64 * 1024;

/** Names that stay between gateway and service worker. */
const mirrored = ':set-cookie';

export class HttpExchange {
  readonly #request: RequestMessage;
  readonly #use: TunnelUse;
  readonly #say: Say;
  readonly #body: BodyQueue;
  #stream: Stream | undefined;
  #cancelled = false;
  #answered = false;
  #credit = firstCreditBytes;
  #creditArrived: (() => void) | undefined;

  constructor(request: RequestMessage, use: TunnelUse, say: Say) {
    this.#request = request;
    this.#use = use;
    this.#say = say;
    this.#body = new BodyQueue((bytes) => say({ t: 'credit', id: request.id, bytes }));
  }

  take(message: Exclude<ToTunnel, { t: 'request' }>): void {
    if (message.t === 'body') this.#body.push(message.chunk);
    else if (message.t === 'body-end') this.#body.end();
    else if (message.t === 'cancel') this.#cancel();
    else if (message.t === 'credit') {
      this.#credit += message.bytes;
      this.#creditArrived?.();
    }
  }

  /** Never rejects: failures are told to the service worker. */
  async run(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt();
      } catch (error) {
        this.#stream?.reset('cancelled');
        if (this.#cancelled) return;
        const { code, correlation } = failureCode(error);
        if (this.#mayRepeat(code, attempt)) continue;
        return this.#say({ t: 'error', id: this.#request.id, code, correlation });
      }
    }
  }

  #mayRepeat(code: string, attempt: number): boolean {
    const lost = code === 'session_closed' || code === 'truncated';
    const { method, hasBody } = this.#request;
    return lost && !this.#answered && !hasBody && repeatable.has(method) && attempt < maxAttempts;
  }

  async #attempt(): Promise<void> {
    const stream = await this.#use.open('http');
    this.#stream = stream;
    if (this.#cancelled) throw new TypeError('cancelled');
    await stream.write(encodeRequestHead(this.#head()));
    const sent = this.#sendBody(stream);
    // An upload that fails shows when its answer is read; until then nobody else hears of it.
    sent.catch(() => undefined);
    await this.#receive(stream);
    await sent;
  }

  #head() {
    const { method, target, headers, cookies, dest, mode, site } = this.#request;
    const fetched: [string, string][] = [
      [':cookies', cookies],
      [':dest', dest],
      [':mode', mode],
      [':site', site],
    ];
    return { method, target, headers: [...this.#use.hidden, ...fetched, ...headers] };
  }

  async #sendBody(stream: Stream): Promise<void> {
    if (this.#request.hasBody) {
      for (let chunk = await this.#body.next(); chunk !== null; chunk = await this.#body.next()) {
        await stream.write(chunk);
        this.#body.credit(chunk.byteLength);
      }
    }
    await stream.finish();
  }

  async #receive(stream: Stream): Promise<void> {
    const { id } = this.#request;
    const reader = new ResponseHeadReader();
    let rest: Uint8Array | undefined;
    while (rest === undefined) {
      const chunk = await stream.read();
      if (chunk === null) throw Object.assign(new Error('no response head'), { code: 'truncated' });
      rest = reader.push(chunk);
    }
    const { status, headers } = reader.head;
    this.#answered = true;
    const setCookies = headers.filter(([name]) => name === mirrored).map(([, value]) => value);
    this.#say({ t: 'head', id, status, headers: headers.filter(([name]) => !name.startsWith(':')), setCookies });
    for (let chunk: Uint8Array | null = rest; chunk !== null; chunk = await stream.read()) await this.#deliver(chunk);
    this.#say({ t: 'end', id });
  }

  async #deliver(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
      await this.#untilCredit();
      const part = bytes.subarray(at, at + chunkBytes);
      // Transferred, so it must be a buffer of its own.
      const chunk = part.byteLength === part.buffer.byteLength ? part : part.slice();
      this.#credit -= chunk.byteLength;
      this.#say({ t: 'chunk', id: this.#request.id, chunk }, [chunk.buffer as ArrayBuffer]);
    }
  }

  async #untilCredit(): Promise<void> {
    while (this.#credit <= 0) {
      await new Promise<void>((resolve) => {
        this.#creditArrived = resolve;
      });
      if (this.#cancelled) throw new TypeError('cancelled');
    }
  }

  #cancel(): void {
    this.#cancelled = true;
    this.#stream?.reset('cancelled');
    this.#body.end();
    this.#creditArrived?.();
  }
}
