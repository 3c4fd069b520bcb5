/**
 * The raw contenders, in a process of their own: the product's WebTransport engine, and the WebSocket library it uses,
 * moving bytes that nobody seals. A client's first message says what it wants: `give N` or `take N`.
 * Argument: the origin that may connect. Says `{"webtransport","certHashes","path","websocket"}`.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Channel } from '../../../protocol/carrier.ts';
import { maxRecordBytes, recordType } from '../../../protocol/limits.ts';
import { systemClock } from '../../../server/channel/system-clock.ts';
import { mintTicket } from '../../../server/channel/tickets.ts';
import { loadTransport } from '../../../server/transport/engines.ts';

const origins = [process.argv[2] ?? ''];
const messageBytes = 64 * 1024;
const message = randomBytes(messageBytes);
/** What the engine's channels carry: frames as large as they get. Their content is of no interest to it. */
const frame = randomBytes(4 + maxRecordBytes);
frame.set([recordType, 0, maxRecordBytes >> 8, maxRecordBytes & 0xff]);

const engine = await loadTransport({ origins, clock: systemClock });
if (engine === undefined) throw new Error('no WebTransport engine loads here');
engine.onCarrier = async (carrier) => {
  for (let channel = await carrier.accept(); channel !== null; channel = await carrier.accept())
    serve(channel).catch(() => undefined);
};
const { port } = await engine.listen({ host: '127.0.0.1', port: 0 });

async function serve(channel: Channel): Promise<void> {
  const first = await channel.receive();
  if (first === null) return;
  const { give, take } = orders(Buffer.from(first.subarray(4)).toString());
  for (let sent = 0; sent < give; sent += frame.length) await channel.send(frame);
  for (let taken = 0; taken < take; ) taken += (await channel.receive())?.length ?? Number.POSITIVE_INFINITY;
  if (take > 0) await channel.send(frame);
  channel.finish();
}

function orders(text: string): { give: number; take: number } {
  const [verb, count] = text.split(' ');
  return { give: verb === 'give' ? Number(count) : 0, take: verb === 'take' ? Number(count) : 0 };
}

const web = createServer();
new WebSocketServer({ server: web, perMessageDeflate: false }).on('connection', (socket) => {
  let left = 0;
  socket.on('message', (data, isBinary) => {
    if (isBinary) left -= (data as Buffer).length;
    else {
      const { give, take } = orders(String(data));
      if (give > 0) pump(give);
      left = take;
    }
    if (isBinary && left <= 0) socket.send('taken');
  });
  const pump = (bytes: number) => {
    if (bytes <= 0) return;
    // Called when the message is with the kernel: what waits is bounded.
    socket.send(message, () => pump(bytes - message.length));
  };
});
await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));

process.send?.({
  webtransport: port,
  certHashes: engine.certHashes().map((hash) => [...hash]),
  websocket: (web.address() as AddressInfo).port,
});
process.on('message', () => {
  // A ticket is good once and not for long: one for each connection.
  const { ticketKey } = engine;
  const path = ticketKey === undefined ? '/tunnel' : `/tunnel/${mintTicket(ticketKey, Date.now(), '127.0.0.1')}`;
  process.send?.({ path });
});
process.on('disconnect', () => process.exit());
