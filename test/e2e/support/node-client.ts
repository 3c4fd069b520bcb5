/**
 * The tunnel's client in Node: verifies what the hub answered, connects over WebSocket by the protocol's own client,
 * and speaks HTTP and WebSocket inside streams. What the browser's Worker does, with node:crypto in place of the Wasm.
 */
import { createHash } from 'node:crypto';
import { base64url, unbase64url } from '../../../protocol/bytes.ts';
import type { Carrier } from '../../../protocol/carrier.ts';
import { connectClient } from '../../../protocol/connect-client.ts';
import type { Crypto, Signer } from '../../../protocol/crypto.ts';
import { verifyDescriptor } from '../../../protocol/descriptor.ts';
import { encodeRequestHead, type Header, ResponseHeadReader } from '../../../protocol/exchange/http.ts';
import {
  encodeCloseMessage,
  encodeWebSocketMessage,
  opcode,
  WebSocketMessageReader,
} from '../../../protocol/exchange/websocket.ts';
import { ObjectError } from '../../../protocol/lks1.ts';
import { followPins, verifyRole } from '../../../protocol/pins.ts';
import type { Session } from '../../../protocol/session.ts';
import type { SessionHooks } from '../../../protocol/session-options.ts';
import type { Stream } from '../../../protocol/stream.ts';
import { systemClock } from '../../../server/channel/system-clock.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { carry, dialWebSocket, type Tap, tapped } from './node-carrier.ts';
import type { LaunchAnswer, Launched, NodePerson } from './node-person.ts';

export interface ConnectOptions {
  readonly crypto?: Crypto;
  readonly tap?: Tap;
  /** In place of a WebSocket. */
  readonly carrier?: Carrier;
  readonly session?: SessionHooks;
  /** In place of what the launch answered. */
  readonly svid?: Uint8Array;
  readonly posture?: Uint8Array;
  readonly signer?: Signer;
}

/** The keys of a gateway that the pinned root vouches for. */
export interface TrustedGateway {
  readonly publicKey: Uint8Array;
  readonly stealthKey: Uint8Array;
}

/**
 * From the fingerprint of the enrolment link down to the gateway's keys.
 * @throws ObjectError for anything on the way that is not signed by what stands above it.
 */
export async function trustedGateway(answer: LaunchAnswer, fingerprint: string): Promise<TrustedGateway> {
  const generations = [...answer.earlier, answer].map(({ pins, root }) => ({
    pins: unbase64url(pins),
    root: unbase64url(root),
  }));
  const { root } = await followPins(nodeCrypto, generations, unbase64url(fingerprint));
  for (const certificate of answer.certificates) {
    const directory = await verifyRole(nodeCrypto, systemClock, root, unbase64url(certificate), 'directory').catch(
      ofAnotherRole,
    );
    if (directory === undefined) continue;
    return verifyDescriptor(nodeCrypto, systemClock, unbase64url(answer.descriptor), directory);
  }
  throw new ObjectError('wrong_signer');
}

function ofAnotherRole(error: unknown): undefined {
  if (error instanceof ObjectError && error.code === 'wrong_subject') return undefined;
  throw error;
}

/** Opens a session. @throws DialRefused, HandshakeError, ObjectError */
export async function connect(
  port: number,
  fingerprint: string,
  launched: Launched,
  options: ConnectOptions = {},
): Promise<Session> {
  const gateway = await trustedGateway(launched.answer, fingerprint);
  const carrier = options.carrier ?? carry(await dialWebSocket(port));
  return connectClient({
    carrier: options.tap === undefined ? carrier : tapped(carrier, options.tap),
    crypto: options.crypto ?? nodeCrypto,
    clock: systemClock,
    gateway,
    identity: {
      svid: options.svid ?? unbase64url(launched.answer.svid),
      posture: options.posture ?? unbase64url(launched.answer.posture),
      signer: options.signer ?? launched.signer,
    },
    ...(options.session !== undefined && { session: options.session }),
  });
}

/** As a tab does: a control plane that is away is asked again after so long (worker/tunnel/renewals.ts). */
const renewAgainMs = 5_000;

/**
 * Renews the credential whenever the control plane says it is time, and tells the gateway, until the session ends. A renewal
 * that comes to nothing is tried again; the gateway ends the session when none came in time.
 * @returns how many times so far.
 */
export function keepAlive(person: NodePerson, session: Session, launched: Launched): { readonly count: number } {
  const kept = { count: 0 };
  let cancel = (): void => undefined;
  const after = (ms: number, held: Launched): void => {
    cancel = systemClock.after(Math.max(0, ms), () => void renew(held));
  };
  const renew = async (held: Launched): Promise<void> => {
    try {
      const renewed = await person.renew(held);
      if (session.state.code !== undefined) return;
      await session.reauth(unbase64url(renewed.answer.svid));
      kept.count += 1;
      after(renewed.answer.renewAfter - Date.now(), renewed);
    } catch {
      if (session.state.code === undefined) after(renewAgainMs, held);
    }
  };
  void session.closed.then(() => cancel());
  after(launched.answer.renewAfter - Date.now(), launched);
  return kept;
}

// ── HTTP ──

export interface TunnelRequest {
  readonly method?: string;
  readonly target: string;
  readonly headers?: readonly Header[];
  readonly body?: Uint8Array;
}

/** A response whose body is still in the stream. */
export interface Exchange {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly stream: Stream;
  /** What came of the body with the head. */
  readonly first: Uint8Array;
}

/** Sends a whole request and waits for the head. @throws StreamError */
export async function begin(session: Session, service: string, request: TunnelRequest): Promise<Exchange> {
  const stream = await session.open({ kind: 'http', service });
  const length: Header[] = request.body === undefined ? [] : [['content-length', String(request.body.length)]];
  const headers: Header[] = [[':dest', 'empty'], [':mode', 'cors'], [':site', 'same-origin'], ...length];
  const { method = 'GET', target } = request;
  await stream.write(encodeRequestHead({ method, target, headers: [...headers, ...(request.headers ?? [])] }));
  if (request.body !== undefined) await stream.write(request.body);
  await stream.finish();
  return { ...(await readHead(stream)), stream };
}

async function readHead(stream: Stream): Promise<Omit<Exchange, 'stream'>> {
  const reader = new ResponseHeadReader();
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) throw new Error('the stream ended before a response head');
    const first = reader.push(chunk);
    if (first !== undefined) return { status: reader.head.status, headers: reader.head.headers, first };
  }
}

/** The rest of a body, up to the authenticated end. @throws StreamError when there is none */
export async function* bodyOf({ stream, first }: Exchange): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) yield chunk;
}

/** One whole exchange. */
export async function fetchThrough(
  session: Session,
  service: string,
  request: TunnelRequest | string,
): Promise<{ status: number; headers: readonly Header[]; body: Buffer }> {
  const exchange = await begin(session, service, typeof request === 'string' ? { target: request } : request);
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyOf(exchange)) chunks.push(chunk);
  return { status: exchange.status, headers: exchange.headers, body: Buffer.concat(chunks) };
}

/** SHA-256 and length of a body as it arrives. @param onChunk awaited after each piece. */
export async function digestOf(
  exchange: Exchange,
  onChunk: (bytes: number) => Promise<void> | void = () => undefined,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of bodyOf(exchange)) {
    hash.update(chunk);
    bytes += chunk.length;
    await onChunk(bytes);
  }
  return { bytes, sha256: hash.digest('hex') };
}

// ── WebSocket ──

/** An open WebSocket inside a stream. */
export class TunnelWebSocket {
  readonly #stream: Stream;
  readonly #reader = new WebSocketMessageReader();

  private constructor(stream: Stream, first: Uint8Array) {
    this.#stream = stream;
    this.#reader.push(first);
  }

  /** @throws StreamError, or Error for another status than 101 */
  static async open(session: Session, service: string, target: string): Promise<TunnelWebSocket> {
    const stream = await session.open({ kind: 'websocket', service });
    await stream.write(encodeRequestHead({ method: 'GET', target, headers: [[':mode', 'websocket']] }));
    const { status, first } = await readHead(stream);
    if (status !== 101) throw new Error(`the upgrade was answered with ${status}`);
    return new TunnelWebSocket(stream, first);
  }

  send(payload: Uint8Array, kind: 'text' | 'binary' = 'binary'): Promise<void> {
    return this.#stream.write(encodeWebSocketMessage(opcode[kind], payload));
  }

  /** The next message; null at the end. */
  async receive(): Promise<{ opcode: number; payload: Uint8Array } | null> {
    for (;;) {
      const message = this.#reader.next();
      if (message !== undefined) return message;
      const chunk = await this.#stream.read();
      if (chunk === null) return null;
      this.#reader.push(chunk);
    }
  }

  async close(): Promise<void> {
    await this.#stream.write(encodeCloseMessage({ code: 1_000, reason: '' }));
    await this.#stream.finish();
  }
}

/** For a request: a jar key, which a browser's Worker would derive. */
export function jarKeyHeader(jarKey: Uint8Array): Header {
  return [':jar-key', base64url(jarKey)];
}
