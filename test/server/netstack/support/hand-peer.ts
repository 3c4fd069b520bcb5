/**
 * A peer driven by hand, segment by segment, against one stack under test: for what a proper stack would never send
 * and for the exact answer the RFC asks.
 */

import type { TcpSocket } from '../../../../server/netstack/socket.ts';
import { NetStack, type NetStackOptions } from '../../../../server/netstack/stack.ts';
import { FakeClock } from './fake-clock.ts';
import { FLAG, makePacket, type Packet, readPacket } from './packets.ts';
import { randomBytes, seeded } from './random.ts';

export const PEER = '10.0.0.9';
export const HOST = '10.0.0.1';
export const PEER_PORT = 40_000;
const ISS = 5_000_000;

export class HandPeer {
  readonly clock = new FakeClock();
  readonly stack: NetStack;
  /** What the stack sent since the last {@link take}. */
  sent: Packet[] = [];
  /** Raw packets that are not TCP. */
  other: Uint8Array[] = [];
  port = 80;
  /** The next sequence number of ours, and the next we expect. */
  seq = ISS;
  ack = 0;
  window = 65_535;

  constructor(options: Partial<NetStackOptions> = {}) {
    const random = seeded(7);
    this.stack = new NetStack({
      addresses: [HOST],
      clock: this.clock,
      // Each segment is a turn of its own, so that its answer is there at once.
      afterTurn: (work) => work(),
      random: (length) => randomBytes(random, length),
      output: (packet) => {
        if (packet[9] === 6) this.sent.push(readPacket(packet));
        else this.other.push(packet);
      },
      ...options,
    });
  }

  /** Sends one segment; fields not named are those of a proper ACK. */
  send(fields: Partial<Packet> = {}): void {
    this.stack.input(
      makePacket({
        version: 4,
        source: PEER,
        destination: HOST,
        sourcePort: PEER_PORT,
        destinationPort: this.port,
        seq: this.seq,
        ack: this.ack,
        flags: FLAG.ACK,
        window: this.window,
        payload: new Uint8Array(),
        ...fields,
      }),
    );
  }

  /** Takes what the stack has sent so far. */
  take(): Packet[] {
    const sent = this.sent;
    this.sent = [];
    return sent;
  }

  /** The one segment the stack has sent. */
  takeOne(): Packet {
    const sent = this.take();
    if (sent.length !== 1) throw new Error(`expected one segment, got ${sent.length}`);
    return sent[0]!;
  }

  /** Opens a connection to the stack without window scaling or timestamps unless `syn` has them. */
  async open(syn: Partial<Packet> = { mss: 1000 }): Promise<TcpSocket> {
    const { promise, resolve } = Promise.withResolvers<TcpSocket>();
    const listener = this.stack.listen({ port: this.port, allowHalfOpen: true }, resolve);
    this.send({ flags: FLAG.SYN, ack: 0, ...syn });
    const answer = this.takeOne();
    this.seq++;
    this.ack = (answer.seq + 1) >>> 0;
    const stamps = syn.timestamps && { timestamps: { value: syn.timestamps.value, echo: answer.timestamps!.value } };
    this.send({ ...stamps });
    const socket = await promise;
    listener.close();
    this.take();
    return socket;
  }

  /** Sends text as the next in order. */
  text(payload: Uint8Array, fields: Partial<Packet> = {}): void {
    this.send({ payload, flags: FLAG.ACK | FLAG.PSH, ...fields });
    this.seq = (this.seq + payload.length) >>> 0;
  }
}
