/** The client's end of the WebSocket transport, by `ws`. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Carrier } from '../../../../protocol/carrier.ts';
import { MessageCarrier } from '../../../../protocol/message-carrier.ts';
import { SocketOfMessages } from '../../../../server/transport/websocket-socket.ts';
import type { World } from './world.ts';

export async function connectWebSocket(
  world: Pick<World, 'tcpPort' | 'shellOrigin'>,
): Promise<Carrier & { raw: WebSocket }> {
  const raw = new WebSocket(`ws://127.0.0.1:${world.tcpPort}/tunnel`, {
    origin: world.shellOrigin,
    headers: { host: new URL(world.shellOrigin).host },
  });
  const carrier = new MessageCarrier({
    socket: new SocketOfMessages(raw),
    peer: 'gateway',
    bufferedBytes: 256 * 1024,
    pauseAboveBytes: 1 << 20,
    refuseAboveBytes: 4 << 20,
    channels: 1_024,
    onMalformed: () => undefined,
  });
  raw.on('message', (data) => carrier.message(data as Buffer));
  raw.on('close', () => carrier.lost());
  raw.on('error', () => undefined);
  await once(raw, 'open');
  return Object.assign(carrier, { raw });
}
