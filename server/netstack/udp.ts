/**
 * UDP (RFC 768) beside the stack's TCP: sockets that send and receive datagrams, whole or not at all. What is larger
 * than the path's packets goes in fragments, nothing is retried, and an ICMP error that a peer is not there reaches the
 * socket that speaks to that peer alone.
 *
 *      0  2  source port      2  2  destination port      4  2  length, header included
 *      6  2  checksum over the pseudo-header too; 0 for none, which IPv6 does not allow (RFC 8200 section 8.1)
 */
import { copyBytes, formatAddress, sameBytes } from './address.ts';
import { addWords, finish, pseudoHeaderSum } from './checksum.ts';
import { DatagramEnd, type UdpPeer } from './datagram-end.ts';
import { ipHeaderLength, newPacket } from './flow.ts';
import { fragmentsOf } from './fragmenting.ts';
import type { IcmpError } from './icmp.ts';
import { type DropReason, type IpView, PROTOCOL } from './ip-packet.ts';
import { MIN_MTU_4, MIN_MTU_6 } from './limits.ts';
import { read32 } from './tcp-options.ts';

const headerBytes = 8;

/** What a socket needs of its stack. */
export interface UdpHost {
  readonly mtu: number;
  /** Our address of this version, if there is one. */
  localFor(remote: Uint8Array): Uint8Array | undefined;
  readonly random: (length: number) => Uint8Array;
  /** The packet leaves when the work at hand is done. */
  send(packet: Uint8Array): void;
  closed(socket: UdpSocket): void;
}

/** A port of ours; with a peer it speaks to that one alone. */
export class UdpSocket extends DatagramEnd {
  readonly localPort: number;
  /** Largest packet that the path to the peer takes. */
  #pathMtu: number;
  readonly #host: UdpHost;
  readonly #peer: UdpPeer | undefined;

  constructor(host: UdpHost, localPort: number, peer: UdpPeer | undefined) {
    super();
    this.#host = host;
    this.#pathMtu = host.mtu;
    this.localPort = localPort;
    this.#peer = peer;
  }

  /** IP literal of the peer; empty without one. */
  get remoteAddress(): string {
    return this.#peer === undefined ? '' : formatAddress(this.#peer.address);
  }

  /** @returns false when it is dropped: closed, no peer, too large for a datagram, or no address of that version */
  send(datagram: Uint8Array, to = this.#peer): boolean {
    if (this.isClosed || to === undefined) return false;
    const local = this.#host.localFor(to.address);
    if (local === undefined) return false;
    if (ipHeaderLength(local) + headerBytes + datagram.length > 0xffff) return false;
    const packet = packetOf(local, this.localPort, to, datagram);
    if (packet.length <= this.#pathMtu) this.#host.send(packet);
    else
      for (const piece of fragmentsOf(packet, this.#pathMtu, read32(this.#host.random(4), 0))) this.#host.send(piece);
    return true;
  }

  /** For the stack: one that came to this port. */
  receive(datagram: Uint8Array, from: UdpPeer): DropReason | null {
    const isPeer = this.#peer === undefined || isSame(this.#peer, from);
    if (!isPeer || this.onDatagram === undefined) return 'no-connection';
    this.onDatagram(datagram, from);
    return null;
  }

  /** For the stack: an ICMP error about a datagram to `to`. @returns whether it was believed */
  errorArrives({ kind, mtu }: Pick<IcmpError, 'kind' | 'mtu'>, to: UdpPeer): boolean {
    if (this.#peer === undefined || !isSame(this.#peer, to)) return false;
    if (kind === 'too-big') {
      const floor = to.address.length === 4 ? MIN_MTU_4 : MIN_MTU_6;
      this.#pathMtu = Math.min(this.#pathMtu, Math.max(mtu, floor));
    } else this.onUnreachable?.(kind === 'refused' ? 'ECONNREFUSED' : 'EHOSTUNREACH');
    return true;
  }

  protected override release(): void {
    this.#host.closed(this);
    this.settle();
  }
}

function isSame(a: UdpPeer, b: UdpPeer): boolean {
  return (
    a.port === b.port &&
    a.address.length === b.address.length &&
    sameBytes(a.address, 0, b.address, 0, a.address.length)
  );
}

function packetOf(local: Uint8Array, localPort: number, to: UdpPeer, datagram: Uint8Array): Uint8Array {
  const length = headerBytes + datagram.length;
  const packet = newPacket(PROTOCOL.udp, local, to.address, length);
  const at = packet.length - length;
  const view = new DataView(packet.buffer, at);
  view.setUint16(0, localPort);
  view.setUint16(2, to.port);
  view.setUint16(4, length);
  packet.set(datagram, at + headerBytes);
  // A sum of zero is written as its other form: zero would say that there is none.
  view.setUint16(
    6,
    finish(addWords(packet, at, packet.length, pseudoSum(packet, at - 2 * local.length, local.length, length))) ||
      0xffff,
  );
  return packet;
}

function pseudoSum(bytes: Uint8Array, addressesAt: number, addressLength: number, length: number): number {
  return pseudoHeaderSum(bytes, addressesAt, addressLength, PROTOCOL.udp, length);
}

/** A datagram as it arrived. */
export interface ReceivedDatagram {
  readonly port: number;
  readonly from: UdpPeer;
  readonly datagram: Uint8Array;
}

/** Reads a hostile packet; what comes back is a copy. */
export function parseUdp(bytes: Uint8Array, ip: IpView): ReceivedDatagram | DropReason {
  const { payloadAt: at, end, addressLength, sourceAt } = ip;
  if (end - at < headerBytes) return 'malformed';
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, headerBytes);
  const [source, port, length, checksum] = [view.getUint16(0), view.getUint16(2), view.getUint16(4), view.getUint16(6)];
  if (length < headerBytes || length > end - at || source === 0 || port === 0) return 'malformed';
  const sum = addWords(bytes, at, at + length, pseudoSum(bytes, sourceAt, addressLength, length));
  if (checksum === 0 ? addressLength === 16 : finish(sum) !== 0) return 'checksum';
  return {
    port,
    from: { address: copyBytes(bytes, sourceAt, sourceAt + addressLength), port: source },
    datagram: copyBytes(bytes, at + headerBytes, at + length),
  };
}
