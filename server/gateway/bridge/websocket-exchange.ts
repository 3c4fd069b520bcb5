/**
 * One WebSocket: a request head out of the tunnel, an upgrade made by the gateway to the service, then messages both
 * ways under backpressure and the close code of whoever closes. Pings are between gateway and service; the tunnel has
 * its own (docs/protocol.md, "Inside a stream"; RFC 6455). Large messages go up in pieces and are held whole on the way
 * down, where the library gives them whole.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { translateRequest, type UpstreamRequest } from '../exchange/request-rules.ts';
import { translateResponse } from '../exchange/response-rules.ts';
import { closeLimitMs, connectLimitMs, maxMessageBytes } from '../limits.ts';
import { encodeHead, pairs, readHead } from './heads.ts';
import { answeredRequest, endBadly, type HttpDependencies, withCookies } from './http-exchange.ts';
import { BridgeError, type ExchangeOutcome, type TunnelStream } from './tunnel-stream.ts';
import { MessagesDown } from './websocket-down.ts';
import { sendUp } from './websocket-up.ts';

/** @throws whatever ended the exchange early; the stream has then been reset with its code. */
export async function serveWebSocket(stream: TunnelStream, deps: HttpDependencies): Promise<ExchangeOutcome> {
  const progress = { isAnswered: false };
  try {
    return await exchange(stream, deps, progress);
  } catch (error) {
    await endBadly(stream, error, deps.correlation, progress.isAnswered);
    throw error;
  }
}

async function exchange(
  stream: TunnelStream,
  deps: HttpDependencies,
  progress: { isAnswered: boolean },
): Promise<ExchangeOutcome> {
  const { head, rest } = await readHead(stream, deps.clock);
  if (head.method !== 'GET') throw new BridgeError('protocol');
  const told = head.headers.filter(([name]) => name !== ':mode');
  const request = translateRequest({ ...head, headers: [...told, [':mode', 'websocket']] }, deps.context);
  await deps.judge({ method: 'WEBSOCKET', target: request.target });
  const open = await deps.openJar(request.facts.jarKey);
  const answered = answeredRequest(request, head);
  const socket = await deps.pool.connect();
  const webSocket = newWebSocket(withCookies(request, open.jar.header(answered)), protocolsOf(head.headers), socket);
  void stream.closed.then(() => webSocket.terminate());
  try {
    const down = new MessagesDown(webSocket, stream);
    const response = await answerOf(webSocket);
    const received = { status: response.statusCode ?? 0, headers: pairs(response.rawHeaders) };
    const plan = translateResponse(received, answered, deps.context, open.jar, deps.shim);
    await open.save();
    progress.isAnswered = true;
    await stream.write(encodeHead({ status: plan.status, headers: plan.headers.filter(isPassed) }));
    if (plan.status !== 101) {
      await stream.finish();
      return { status: plan.status, bytesUp: 0, bytesDown: 0 };
    }
    const [bytesUp, bytesDown] = await Promise.all([sendUp(stream, rest, webSocket), down.run()]);
    return { status: 101, bytesUp, bytesDown };
  } finally {
    webSocket.terminate();
    socket.destroy();
  }
}

/** Extensions are between the gateway and the service. */
const isPassed = ([name]: readonly [string, string]): boolean =>
  !name.startsWith('sec-websocket-') || name === 'sec-websocket-protocol';

function protocolsOf(headers: readonly (readonly [string, string])[]): string[] {
  return headers
    .filter(([name]) => name.toLowerCase() === 'sec-websocket-protocol')
    .flatMap(([, value]) => value.split(','))
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');
}

/** Everything of the handshake itself is the library's to write. */
function newWebSocket(request: UpstreamRequest, protocols: string[], socket: Duplex): WebSocket {
  const headers: Record<string, string> = {};
  for (const [name, value] of request.headers) {
    if (name.startsWith('sec-websocket-') || name === 'accept-encoding') continue;
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  try {
    const { host = 'localhost' } = headers;
    return new WebSocket(`ws://${host}${request.target}`, protocols, {
      headers,
      // The connection stands already, TLS included; the declaration knows net's function only.
      createConnection: (() => socket) as never,
      handshakeTimeout: connectLimitMs,
      maxPayload: maxMessageBytes,
      perMessageDeflate: { threshold: 1_024 },
      followRedirects: false,
      // Spread, because the library's declarations do not know it yet.
      ...{ closeTimeout: closeLimitMs },
    });
  } catch (cause) {
    socket.destroy();
    // A protocol name that is no token, or the same one twice.
    throw new BridgeError('protocol', { cause });
  }
}

/** The response to the upgrade, whatever its status. */
function answerOf(webSocket: WebSocket): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let upgraded: IncomingMessage | undefined;
    webSocket.once('upgrade', (response) => {
      upgraded = response;
    });
    // "open" and not "upgrade": the library judges the answer in between.
    webSocket.once('open', () => (upgraded === undefined ? reject(new BridgeError('internal')) : resolve(upgraded)));
    webSocket.once('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response);
    });
    webSocket.once('error', (cause) => reject(new BridgeError('upstream_failed', { cause })));
    webSocket.once('close', () => reject(new BridgeError('upstream_failed')));
  });
}
