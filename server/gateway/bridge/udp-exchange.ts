/**
 * One UDP flow: datagrams both ways, each whole or lost. It ends when the client ends it, or with its session: a service
 * has no way to say that it is done.
 */
import type { UdpFlow } from '../../wireguard/peer-binding.ts';
import { maxWaitingDatagrams } from '../limits.ts';
import type { ExchangeOutcome, TunnelStream } from './tunnel-stream.ts';

/**
 * @param flow this owns it from now on.
 * @throws StreamError when the stream was reset: by the client, as `wrong_peer` when the address leads
 * elsewhere now, or as `unreachable` when the far end says that nothing takes the datagrams.
 */
export async function serveUdp(stream: TunnelStream, flow: UdpFlow): Promise<ExchangeOutcome> {
  const moved = { bytesUp: 0, bytesDown: 0 };
  let [waiting, isOver] = [0, false];
  flow.onDatagram = (datagram) => {
    // A client that takes nothing loses datagrams, as it would anywhere.
    if (waiting >= maxWaitingDatagrams) return;
    waiting++;
    moved.bytesDown += datagram.length;
    stream
      .write(datagram)
      .catch(() => undefined)
      .finally(() => waiting--);
  };
  void flow.closed.then(() => {
    if (!isOver) stream.reset('wrong_peer');
  });
  // As a refused connection of TCP: a service that comes up again is opened again.
  flow.onUnreachable = () => stream.reset('unreachable');
  try {
    for (let datagram = await stream.read(); datagram !== null; datagram = await stream.read()) {
      moved.bytesUp += datagram.length;
      flow.send(datagram);
    }
    await stream.finish();
    return moved;
  } finally {
    isOver = true;
    flow.close();
  }
}
