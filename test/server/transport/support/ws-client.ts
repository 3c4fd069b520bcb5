/** A Carrier over a `ws` client, for the tests. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Carrier } from '../../../../protocol/carrier.ts';
import { MessageCarrier } from '../../../../protocol/message-carrier.ts';
import { SocketOfMessages } from '../../../../server/transport/websocket-socket.ts';

/** Rejects with `{ code: 'refused', status }` when the server answers with a status. */
export async function connectWs(
  port: number,
  origin: string,
  path = '/tunnel',
): Promise<Carrier & { webSocket: WebSocket }> {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { origin });
  const carrier = carry(webSocket);
  const refused = once(webSocket, 'unexpected-response').then(([, response]) => {
    webSocket.terminate();
    throw Object.assign(new Error('refused'), { code: 'refused', status: String(response.statusCode) });
  });
  refused.catch(() => undefined);
  await Promise.race([once(webSocket, 'open'), refused]);
  return Object.assign(carrier, { webSocket });
}

function carry(webSocket: WebSocket): MessageCarrier {
  const carrier = new MessageCarrier({
    socket: new SocketOfMessages(webSocket),
    peer: 'gateway',
    bufferedBytes: 256 * 1024,
    pauseAboveBytes: 1 << 20,
    refuseAboveBytes: 4 << 20,
    channels: 1_024,
    onMalformed: () => undefined,
  });
  webSocket.on('message', (data) => carrier.message(data as Buffer));
  webSocket.on('close', () => carrier.lost());
  webSocket.on('error', () => undefined);
  return carrier;
}
