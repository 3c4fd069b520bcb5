/** The two engines behind one face, for the tests that both must pass. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Carrier } from '../../../../protocol/carrier.ts';
import { QuicheTransport } from '../../../../server/transport/quiche/quiche-transport.ts';
import type { CarrierPeer, CarrierSource } from '../../../../server/transport/session.ts';
import { WebSocketTransport } from '../../../../server/transport/websocket.ts';
import { realClock } from './clock.ts';
import { connectQuic } from './h3-client.ts';
import { connectWs } from './ws-client.ts';

export const origin = 'http://shell.apps.localhost:8700';

export interface Running {
  readonly transport: CarrierSource;
  readonly port: number;
  connect(from?: string): Promise<Carrier>;
  stop(): Promise<void>;
}

export interface Engine {
  readonly name: 'quiche' | 'websocket';
  start(onCarrier: (carrier: Carrier, peer: CarrierPeer) => void): Promise<Running>;
}

export const engines: readonly Engine[] = [
  { name: 'quiche', start: startQuiche },
  { name: 'websocket', start: startWebSocket },
];

export async function startQuiche(
  onCarrier: (carrier: Carrier, peer: CarrierPeer) => void,
): Promise<Running & { transport: QuicheTransport }> {
  const transport = new QuicheTransport({ origins: [origin], clock: realClock });
  transport.onCarrier = onCarrier;
  const { port } = await transport.listen({ host: '127.0.0.1', port: 0 });
  return { transport, port, connect: (from = origin) => connectQuic(port, from), stop: () => transport.close() };
}

export async function startWebSocket(
  onCarrier: (carrier: Carrier, peer: CarrierPeer) => void,
): Promise<Running & { transport: WebSocketTransport }> {
  const transport = new WebSocketTransport({ origins: [origin] });
  transport.onCarrier = onCarrier;
  const web = createServer((_request, response) => response.writeHead(404).end());
  web.on('upgrade', (request, socket, head) => transport.handleUpgrade(request, socket, head));
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const { port } = web.address() as AddressInfo;
  const stop = async () => {
    await transport.close();
    await new Promise((resolve) => web.close(resolve));
  };
  return { transport, port, connect: (from = origin) => connectWs(port, from), stop };
}
