/** The engines that load here behind one face, for the tests that all must pass. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Carrier } from '../../../../protocol/carrier.ts';
import { mintTicket } from '../../../../server/channel/tickets.ts';
import { type QuicheOptions, QuicheTransport } from '../../../../server/transport/quiche/quiche-transport.ts';
import { loadQuinn, type QuinnModule } from '../../../../server/transport/quinn/native.ts';
import { QuinnTransport } from '../../../../server/transport/quinn/quinn-transport.ts';
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
  readonly name: 'quinn' | 'quiche' | 'websocket';
  /** What it tells of who is at the far end, of a client of {@link Running.connect}. */
  readonly peer: CarrierPeer;
  start(onCarrier: (carrier: Carrier, peer: CarrierPeer) => void): Promise<Running>;
}

/** The module, or why it is not to be had here (its glibc is newer than Debian 12's). */
export const quinn = tryQuinn();

/** Where the ticket was asked for, not where the client is: quinn does not tell that. */
const asker = '192.0.2.7';
const loopback = '127.0.0.1';

export const engines: readonly Engine[] = [
  ...('module' in quinn
    ? [engine('quinn', startQuinn, { address: asker, origin: undefined, transport: 'webtransport' })]
    : []),
  engine('quiche', (onCarrier) => startQuiche(onCarrier), { address: loopback, origin, transport: 'webtransport' }),
  engine('websocket', startWebSocket, { address: loopback, origin, transport: 'websocket' }),
];

function engine(name: Engine['name'], start: Engine['start'], peer: CarrierPeer): Engine {
  return { name, start, peer };
}

function tryQuinn(): { readonly module: QuinnModule } | { readonly missing: string } {
  try {
    return { module: loadQuinn() };
  } catch (error) {
    return { missing: `quinn does not load here: ${(error as Error).message}` };
  }
}

/** A ticket for one connection to a transport that wants one. */
export function ticketPath(transport: { readonly ticketKey: Uint8Array | undefined }): string {
  return transport.ticketKey === undefined
    ? '/tunnel'
    : `/tunnel/${mintTicket(transport.ticketKey, Date.now(), asker)}`;
}

export async function startQuinn(
  onCarrier: (carrier: Carrier, peer: CarrierPeer) => void,
): Promise<Running & { transport: QuinnTransport }> {
  if ('missing' in quinn) throw new Error(quinn.missing);
  const transport = new QuinnTransport({ native: quinn.module, clock: realClock });
  transport.onCarrier = onCarrier;
  const { port } = await transport.listen({ host: '127.0.0.1', port: 0 });
  const connect = (from = origin) => connectQuic(port, from, { path: ticketPath(transport) });
  return { transport, port, connect, stop: () => transport.close() };
}

export async function startQuiche(
  onCarrier: (carrier: Carrier, peer: CarrierPeer) => void,
  options: Pick<QuicheOptions, 'maxHalfOpen'> = {},
): Promise<Running & { transport: QuicheTransport }> {
  const transport = new QuicheTransport({ origins: [origin], clock: realClock, ...options });
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
