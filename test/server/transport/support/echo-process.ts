/**
 * A process that serves both engines and echoes, for the tests that kill it. Arguments: the allowed origin, and the UDP
 * port, 0 for a free one, or `standby` to be told the port in a message when it is free.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QuicheTransport } from '../../../../server/transport/quiche/quiche-transport.ts';
import { WebSocketTransport } from '../../../../server/transport/websocket.ts';
import { realClock } from './clock.ts';
import { echoCarrier } from './echo.ts';

const options = { origins: [process.argv[2]!], clock: realClock, resetKey: new Uint8Array(32).fill(1) };
const quiche = new QuicheTransport(options);
const webSocket = new WebSocketTransport(options);
quiche.onCarrier = webSocket.onCarrier = (carrier) => void echoCarrier(carrier);
const web = createServer((_request, response) => response.writeHead(404).end());
web.on('upgrade', (request, socket, head) => webSocket.handleUpgrade(request, socket, head));
if (process.argv[3] === 'standby') process.send?.('ready');
const wanted = process.argv[3] === 'standby' ? (await once(process, 'message'))[0] : process.argv[3];
const { port } = await quiche.listen({ host: '127.0.0.1', port: Number(wanted) });
web.listen(0, '127.0.0.1', () => {
  const certHashes = quiche.certHashes().map((hash) => [...hash]);
  process.send?.({ quic: port, ws: (web.address() as AddressInfo).port, certHashes });
});
process.on('disconnect', () => process.exit());
