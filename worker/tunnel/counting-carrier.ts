/** Counts what is handed to the transport, so that anyone can see that nothing is sent that the Wasm did not seal. */
import type { Carrier, Channel, Datagrams } from '../../protocol/carrier.ts';

const record = 0x17;
const auth = 0x04;

/** @param sent called once for each sealed frame: every record, and the handshake's AUTH. */
export function countingCarrier(carrier: Carrier, sent: () => void): Carrier {
  const counted = (channel: Channel): Channel => ({
    streamId: channel.streamId,
    send(frame) {
      if (frame[0] === record || frame[0] === auth) sent();
      return channel.send(frame);
    },
    receive: () => channel.receive(),
    finish: () => channel.finish(),
    abort: () => channel.abort(),
  });
  return {
    transport: carrier.transport,
    closed: carrier.closed,
    datagrams: carrier.datagrams && countedDatagrams(carrier.datagrams, sent),
    open: (streamId) => counted(carrier.open(streamId)),
    accept: async () => {
      const channel = await carrier.accept();
      return channel && counted(channel);
    },
    close: () => carrier.close(),
  };
}

function countedDatagrams(datagrams: Datagrams, sent: () => void): Datagrams {
  return {
    get maxBytes() {
      return datagrams.maxBytes;
    },
    send(datagram) {
      sent();
      datagrams.send(datagram);
    },
    set onDatagram(take: Datagrams['onDatagram']) {
      datagrams.onDatagram = take;
    },
    get onDatagram() {
      return datagrams.onDatagram;
    },
  };
}
