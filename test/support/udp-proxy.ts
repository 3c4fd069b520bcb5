/**
 * A network path in user space: forwards UDP between any number of clients and one server, on loopback unless it is said
 * otherwise, and loses, repeats, delays and damages datagrams by a seed. What a kernel without netem cannot be asked for.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { seededRandom } from '../protocol/session/seeded-random.ts';

/** Shares of all datagrams, 0 to 1, in each direction. */
export interface PathFaults {
  readonly loss?: number;
  readonly duplicate?: number;
  /** Held back by 5 to 25 ms, so that later ones overtake it. */
  readonly reorder?: number;
  /** One bit is flipped. */
  readonly corrupt?: number;
}

export interface PathCounts {
  forwarded: number;
  lost: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
}

/** IPv4 addresses: where clients find the path, and where their server is. Clients have one address between them. */
export interface PathEnds {
  readonly listen?: string;
  readonly server?: string;
}

type Send = (datagram: Uint8Array) => void;

const millionth = 1e6;
const holdMs = { least: 5, spread: 20 };

export class UdpProxy {
  /** What clients send to. */
  readonly port: number;
  readonly counts: PathCounts = { forwarded: 0, lost: 0, duplicated: 0, reordered: 0, corrupted: 0 };
  /** May be changed at any time. */
  faults: PathFaults;
  readonly #front: Socket;
  readonly #target: number;
  readonly #server: string;
  readonly #random: (below: number) => number;
  /** The server's side of each client, by the client's port. */
  readonly #backs = new Map<number, Socket>();
  readonly #held = new Set<NodeJS.Timeout>();

  private constructor(front: Socket, target: number, server: string, seed: number, faults: PathFaults) {
    this.#front = front;
    this.#target = target;
    this.#server = server;
    this.faults = faults;
    this.#random = seededRandom(seed);
    this.port = front.address().port;
    front.on('message', (datagram, { address, port }) => {
      const back = this.#backOf(address, port);
      this.#pass(datagram, (bytes) => back.send(bytes, this.#target, this.#server));
    });
  }

  static async start(
    target: number,
    seed: number,
    faults: PathFaults = {},
    { listen = '127.0.0.1', server = '127.0.0.1' }: PathEnds = {},
  ): Promise<UdpProxy> {
    const front = newSocket();
    front.bind(0, listen);
    await once(front, 'listening');
    return new UdpProxy(front, target, server, seed, faults);
  }

  #backOf(address: string, client: number): Socket {
    const known = this.#backs.get(client);
    if (known !== undefined) return known;
    const back = newSocket();
    back.on('message', (datagram) => this.#pass(datagram, (bytes) => this.#front.send(bytes, client, address)));
    this.#backs.set(client, back);
    return back;
  }

  #pass(datagram: Uint8Array, send: Send): void {
    const { loss, duplicate, reorder, corrupt } = this.faults;
    if (this.#happens(loss)) {
      this.counts.lost += 1;
      return;
    }
    const bytes = this.#happens(corrupt) ? this.#damaged(datagram) : datagram;
    if (this.#happens(duplicate)) {
      this.counts.duplicated += 1;
      send(bytes);
    }
    this.counts.forwarded += 1;
    if (this.#happens(reorder)) this.#hold(bytes, send);
    else send(bytes);
  }

  #happens(share = 0): boolean {
    return share > 0 && this.#random(millionth) < share * millionth;
  }

  #damaged(datagram: Uint8Array): Uint8Array {
    this.counts.corrupted += 1;
    const bytes = Uint8Array.from(datagram);
    const at = this.#random(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#random(8));
    return bytes;
  }

  #hold(bytes: Uint8Array, send: Send): void {
    this.counts.reordered += 1;
    const timer = setTimeout(() => {
      this.#held.delete(timer);
      send(bytes);
    }, holdMs.least + this.#random(holdMs.spread));
    this.#held.add(timer);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#held) clearTimeout(timer);
    for (const socket of [this.#front, ...this.#backs.values()]) socket.close();
  }
}

function newSocket(): Socket {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
  // A port that nobody listens on any more answers by ICMP; to a path that is one more lost datagram.
  socket.on('error', () => undefined);
  return socket;
}
