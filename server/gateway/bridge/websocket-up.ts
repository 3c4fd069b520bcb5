/**
 * Messages from the client to the service. A message too large for one record goes on as fragments, so that it never
 * stands in memory as a whole; the service sees one message.
 */

import { WebSocket } from 'ws';
import { concat } from '../../../protocol/bytes.ts';
import { decodeClose, opcode, type WebSocketPart, WebSocketPartReader } from '../../../protocol/exchange/websocket.ts';
import { BridgeError, type TunnelStream } from './tunnel-stream.ts';

/** Runs until the client has closed. @returns payload bytes. */
export async function sendUp(stream: TunnelStream, rest: Uint8Array, webSocket: WebSocket): Promise<number> {
  const reader = new WebSocketPartReader();
  let bytes = 0;
  let closing: Uint8Array = new Uint8Array(0);
  for (let chunk: Uint8Array | null = rest; chunk !== null; chunk = await stream.read()) {
    for (const part of reader.push(chunk)) {
      bytes += part.chunk.length;
      if (part.opcode !== opcode.close) {
        await send(webSocket, part);
        continue;
      }
      closing = concat(closing, part.chunk);
      if (part.isLast) close(webSocket, closing);
    }
  }
  if (!reader.isBetween) throw new BridgeError('truncated');
  // A client that ends without a word has left; the service is told so (RFC 6455 section 7.4.1).
  if (webSocket.readyState === WebSocket.OPEN) webSocket.close(1001);
  return bytes;
}

/** Resolves when the service's connection has taken it. */
function send(webSocket: WebSocket, part: WebSocketPart): Promise<void> {
  // What is sent after a close goes nowhere, as in a browser.
  if (webSocket.readyState !== WebSocket.OPEN) return Promise.resolve();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  webSocket.send(part.chunk, { binary: part.opcode === opcode.binary, fin: part.isLast }, (error) => {
    // A connection that is closing drops what comes late; how it ends is told by its close.
    if (error != null && webSocket.readyState === WebSocket.OPEN) reject(error);
    else resolve();
  });
  return promise;
}

function close(webSocket: WebSocket, payload: Uint8Array): void {
  const { code, reason } = decodeClose(payload);
  if (code === undefined) webSocket.close();
  else if (!isSendable(code)) throw new BridgeError('protocol');
  else webSocket.close(code, reason);
}

/** RFC 6455 section 7.4: codes an endpoint may put into a close frame. */
function isSendable(code: number): boolean {
  const isReserved = code === 1004 || code === 1005 || code === 1006;
  return (code >= 1000 && code <= 1014 && !isReserved) || (code >= 3000 && code <= 4999);
}
