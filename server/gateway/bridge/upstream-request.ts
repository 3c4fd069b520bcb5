/**
 * HTTP/1.1 to a service: sends one request with its body and waits for the response head. Node's own client is used
 * rather than undici, which takes an unasked-for `100 Continue` for a broken connection (RFC 9110 section 15.2 says to
 * skip it), and because the same pool then serves upgrades.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Clock } from '../../../protocol/clock.ts';
import type { UpstreamRequest } from '../exchange/request-rules.ts';
import { maxResponseHeadBytes, responseHeadLimitMs } from '../limits.ts';
import type { BodyFraming, RequestBody } from './request-body.ts';
import { BridgeError, type TunnelStream } from './tunnel-stream.ts';
import { errnoOf, streamCodeOf } from './upstream-error.ts';
import type { UpstreamPool } from './upstream-pool.ts';

/** A response that has begun. */
export interface UpstreamExchange {
  readonly response: IncomingMessage;
  /** Resolves when the request's body has been taken from the tunnel, by the service or by nobody. */
  readonly bodySent: Promise<void>;
  /**
   * To be called after the last byte: a connection that breaks under a body without a length looks to Node's parser
   * like its end. @throws the connection's error.
   */
  assertWhole(): void;
  /** Must be called in every outcome: it ends what is still under way. */
  release(): void;
}

interface Sending {
  readonly pool: UpstreamPool;
  readonly clock: Clock;
}

/** @throws BridgeError, or the connection's own error. */
export async function sendUpstream(
  stream: TunnelStream,
  request: UpstreamRequest,
  body: RequestBody,
  { pool, clock }: Sending,
): Promise<UpstreamExchange> {
  const framing = await body.frame(request.contentLength, clock);
  for (let attempt = 1; ; attempt++) {
    const attempted = new Attempt(stream, request, framing, body, { pool, clock });
    try {
      return await attempted.response();
    } catch (error) {
      attempted.release();
      if (!attempted.mayRepeat(error, attempt)) throw error;
    }
  }
}

/**
 * Methods that change nothing (RFC 9110 section 9.2.1). Others are not sent twice, not even PUT and DELETE: the service
 * may have done the first, and somebody else's change may lie between the two.
 */
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS']);

/** One try on one connection. */
class Attempt {
  readonly #request: UpstreamRequest;
  readonly #framing: BodyFraming;
  readonly #client: ClientRequest;
  readonly #bodySent: Promise<void>;
  readonly #clock: Clock;
  readonly #late = Promise.withResolvers<never>();
  #noLongerOwed = () => {};
  #hasResponse = false;
  #failure: Error | undefined;
  #isReleased = false;
  #isWhole = false;

  constructor(
    stream: TunnelStream,
    request: UpstreamRequest,
    framing: BodyFraming,
    body: RequestBody,
    { pool, clock }: Sending,
  ) {
    this.#clock = clock;
    this.#late.promise.catch(() => undefined);
    this.#request = request;
    this.#framing = framing;
    this.#client = httpRequest({
      agent: pool.agent,
      method: request.method,
      path: request.target,
      headers: [...request.headers, ...framingHeaders(request, framing)].flat(),
      maxHeaderSize: maxResponseHeadBytes,
    });
    this.#client.on('error', (error) => {
      this.#failure ??= error;
    });
    // Over before the response was: the client gave up, or the session ended.
    void stream.closed.then(() => {
      if (!this.#isWhole) this.release();
    });
    this.#bodySent = this.#sendBody(body);
    this.#bodySent.catch(() => undefined);
  }

  async response(): Promise<UpstreamExchange> {
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        this.#client.once('response', resolve);
        this.#client.once('error', reject);
        this.#client.once('close', () => reject(new BridgeError('upstream_failed')));
        this.#client.once('upgrade', (_response, socket) => {
          socket.destroy();
          reject(new BridgeError('upstream_failed'));
        });
        // A body that broke off in the tunnel must not reach the service as if it were complete.
        this.#bodySent.catch(reject);
        this.#late.promise.catch(reject);
      });
      this.#hasResponse = true;
      return {
        response,
        bodySent: this.#bodySent,
        assertWhole: () => this.#assertWhole(response),
        release: () => this.release(),
      };
    } finally {
      this.#noLongerOwed();
    }
  }

  /** A kept connection may die just as it is used; whether the request was processed is not known then. */
  mayRepeat(error: unknown, attempt: number): boolean {
    if (attempt > 1 || !this.#client.reusedSocket || !repeatable.has(this.#request.method)) return false;
    if (this.#framing.kind !== 'none' && this.#framing.kind !== 'whole') return false;
    return errnoOf(error) === 'ECONNRESET' || errnoOf(error) === 'EPIPE';
  }

  /** From now on the service keeps us waiting: for room, or for its answer. While the client does, nobody is late. */
  #serviceOwes(): void {
    this.#noLongerOwed();
    if (this.#hasResponse || this.#isReleased) return;
    const late = () => this.#late.reject(new BridgeError('timeout'));
    this.#noLongerOwed = this.#clock.after(responseHeadLimitMs, late);
  }

  #assertWhole(response: IncomingMessage): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (!response.complete) throw new BridgeError('upstream_failed');
    this.#isWhole = true;
  }

  release(): void {
    this.#isReleased = true;
    this.#noLongerOwed();
    // A connection whose exchange is complete has gone back to the pool; destroying the request leaves it there.
    this.#client.destroy();
  }

  async #sendBody(body: RequestBody): Promise<void> {
    const client = this.#client;
    try {
      if (this.#framing.kind === 'whole') for (const chunk of this.#framing.chunks) await this.#write(chunk);
      else if (this.#framing.kind !== 'none') for await (const chunk of body.chunks()) await this.#write(chunk);
      client.end();
      this.#serviceOwes();
    } catch (error) {
      if (this.#hasResponse && streamCodeOf(error) === 'upstream_failed' && !this.#isReleased) {
        // The service answered and wants no more: the rest is read so that the client can finish.
        await body.discard();
        return;
      }
      client.destroy();
      throw error;
    }
  }

  #write(chunk: Uint8Array): Promise<void> {
    const client = this.#client;
    if (client.destroyed) return Promise.reject(new BridgeError('upstream_failed'));
    if (client.write(chunk)) return Promise.resolve();
    this.#serviceOwes();
    return new Promise((resolve, reject) => {
      const done = (act: () => void) => () => {
        this.#noLongerOwed();
        client.off('drain', drained).off('close', closed);
        act();
      };
      const drained = done(resolve);
      const closed = done(() => reject(new BridgeError('upstream_failed')));
      client.once('drain', drained).once('close', closed);
    });
  }
}

/** Methods that carry no body unless they say so; everything else says that its body is empty. */
const bodiless = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

function framingHeaders(request: UpstreamRequest, framing: BodyFraming): [string, string][] {
  switch (framing.kind) {
    case 'none':
      return bodiless.has(request.method) ? [] : [['content-length', '0']];
    case 'whole':
    case 'length':
      return [['content-length', String(framing.length)]];
    case 'chunked':
      return [['transfer-encoding', 'chunked']];
    default:
      return framing satisfies never;
  }
}
