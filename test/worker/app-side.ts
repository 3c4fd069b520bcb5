/** A gateway's streams and an app's ports, for tests of what the Worker does between the two. */
import { concat } from '../../protocol/bytes.ts';
import { encodeResponseHead, type Header, type RequestHead, RequestHeadReader } from '../../protocol/exchange/http.ts';
import type { Stream } from '../../protocol/stream.ts';
import type { FromTunnel, RequestMessage } from '../../worker/app-messages.ts';
import type { OpenMore, TunnelUse } from '../../worker/tunnel/tunnel-use.ts';
import { Arrivals, newPair } from '../protocol/session/pair.ts';

export const hidden: readonly Header[] = [[':jar-key', 'jar']];

/** A tunnel that can lose its session and get another. */
export class TestTunnel implements TunnelUse {
  readonly hidden = hidden;
  readonly origin = 'http://wiki.apps.localhost';
  #pair: Awaited<ReturnType<typeof newPair>>;
  opened = 0;
  /** Services that were named, in order. */
  readonly asked: string[] = [];

  private constructor(pair: Awaited<ReturnType<typeof newPair>>) {
    this.#pair = pair;
  }

  static async start(): Promise<TestTunnel> {
    return new TestTunnel(await newPair());
  }

  open(kind: 'http' | 'websocket' | 'tcp' | 'udp', called?: string, more?: OpenMore): Promise<Stream> {
    this.opened += 1;
    if (called !== undefined) this.asked.push(called);
    return this.#pair.client.open({ kind, service: 'wiki', ...more });
  }

  /** The next stream at the gateway, accepted. */
  async accept(): Promise<Stream> {
    return (await this.#pair.incoming.next()).accept();
  }

  /** The next stream at the gateway, before anything was said about it. */
  incoming() {
    return this.#pair.incoming.next();
  }

  get isQuiet(): boolean {
    return this.#pair.incoming.isEmpty;
  }

  /** The transport is cut and a new session stands. */
  async lose(): Promise<void> {
    const before = this.#pair;
    this.#pair = await newPair();
    before.link.client.close();
    await before.client.closed;
  }

  async end(): Promise<void> {
    this.#pair.client.close('done');
    await this.#pair.gateway.closed;
  }
}

/** What an exchange says, one message at a time. */
export class Said extends Arrivals<FromTunnel> {
  readonly say = (message: FromTunnel, transfer: Transferable[] = []): void => {
    // As a port does it: what is changed afterwards does not show, and what is transferred is gone.
    this.push(structuredClone(message, { transfer }));
  };

  /** The messages of one kind next in line, others passed by. */
  async until<T extends FromTunnel['t']>(kind: T): Promise<Extract<FromTunnel, { t: T }>> {
    for (;;) {
      const message = await this.next();
      if (message.t === kind) return message as Extract<FromTunnel, { t: T }>;
    }
  }
}

export function request(fields: Partial<RequestMessage> = {}): RequestMessage {
  const plain = { t: 'request', id: 7, method: 'GET', target: '/', headers: [], hasBody: false } as const;
  return { ...plain, dest: 'document', mode: 'navigate', site: 'none', cookies: '', ...fields };
}

/** Reads the request's head off a stream; `rest` is what came behind it. */
export async function readHead(stream: Stream): Promise<{ head: RequestHead; rest: Uint8Array }> {
  const reader = new RequestHeadReader();
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) throw new Error('no head');
    const rest = reader.push(chunk);
    if (rest !== undefined) return { head: reader.head, rest };
  }
}

/** Reads what is left. */
export async function readRest(stream: Stream, rest: Uint8Array): Promise<Uint8Array> {
  const chunks = [rest];
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) chunks.push(chunk);
  return concat(...chunks);
}

export async function answer(stream: Stream, status: number, headers: Header[], body: Uint8Array): Promise<void> {
  await stream.write(concat(encodeResponseHead({ status, headers }), body));
}
