/**
 * Serves one port of an app's origin. What comes over it is not trusted: it can ask for exchanges with the one service
 * of this tunnel and for nothing else.
 */
import type { FromTunnel, ToTunnel, WebSocketToTunnel } from '../app-messages.ts';
import { HttpExchange } from './http-exchange.ts';
import type { TunnelUse } from './tunnel-use.ts';
import { WebSocketExchange } from './websocket-exchange.ts';

const webSocketKinds: ReadonlySet<string> = new Set(['connect', 'send', 'close']);

/** @param use the tunnel as exchanges may use it. */
export function serveApp(port: MessagePort, use: TunnelUse): void {
  const exchanges = new Map<number, HttpExchange>();
  let socket: WebSocketExchange | undefined;

  const say = (message: FromTunnel, transfer: Transferable[] = []) => port.postMessage(message, transfer);

  port.onmessage = (event: MessageEvent<ToTunnel>) => {
    const message = event.data;
    if (isWebSocket(message)) {
      socket ??= new WebSocketExchange(port, use);
      socket.take(message);
      return;
    }
    if (message.t === 'request') {
      const exchange = new HttpExchange(message, use, say);
      exchanges.set(message.id, exchange);
      void exchange.run().finally(() => exchanges.delete(message.id));
      return;
    }
    exchanges.get(message.id)?.take(message);
  };
  say({ t: 'ready' });
}

function isWebSocket(message: ToTunnel): message is WebSocketToTunnel {
  return webSocketKinds.has(message.t);
}
