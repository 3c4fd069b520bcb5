/** A network of wires in memory: late, lossy, out of order and twice, as asked, and the same for the same seed. */
import type { Clock } from '../../../protocol/clock.ts';
import type { Endpoint, ListenOptions, Wire, WireEvents } from '../../../server/wireguard/wire.ts';
import { formatEndpoint } from '../../../server/wireguard/wire.ts';
import type { Seeded } from './seeded.ts';

export interface Faults {
  /** Each a probability. */
  loss?: number;
  duplicate?: number;
  reorder?: number;
}

export interface Captured {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly datagram: Uint8Array;
}

export class MemoryNetwork {
  readonly captured: Captured[] = [];
  faults: Faults = {};
  /** False swallows a datagram. */
  filter: (captured: Captured) => boolean = () => true;
  readonly #clock: Clock;
  readonly #random: Seeded;
  readonly #wires = new Map<string, WireEvents>();

  constructor(clock: Clock, random: Seeded) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A wire whose datagrams come from `address`. */
  wire(address: string): MemoryWire {
    return new MemoryWire(this, address);
  }

  attach(at: Endpoint, events: WireEvents): void {
    this.#wires.set(formatEndpoint(at), events);
  }

  detach(at: Endpoint): void {
    this.#wires.delete(formatEndpoint(at));
  }

  carry(datagram: Uint8Array, from: Endpoint, to: Endpoint): void {
    const captured = { from, to, datagram: Uint8Array.from(datagram) };
    this.captured.push(captured);
    if (!this.filter(captured)) return;
    const { loss = 0, duplicate = 0, reorder = 0 } = this.faults;
    const copies = this.#random.next() < loss ? 0 : this.#random.next() < duplicate ? 2 : 1;
    for (let n = 0; n < copies; n++) {
      const delay = this.#random.next() < reorder ? 5 + this.#random.below(20) : 5;
      this.#clock.after(delay, () => this.inject(captured.datagram, from, to));
    }
  }

  /** Delivers a datagram at once, whoever made it. */
  inject(datagram: Uint8Array, from: Endpoint, to: Endpoint): void {
    this.#wires.get(formatEndpoint(to))?.receive(Uint8Array.from(datagram), from);
  }
}

export class MemoryWire implements Wire {
  readonly #network: MemoryNetwork;
  #at: Endpoint;
  #events: WireEvents | null = null;

  constructor(network: MemoryNetwork, address: string) {
    this.#network = network;
    this.#at = { address, port: 0 };
  }

  get endpoint(): Endpoint {
    return this.#at;
  }

  async open({ port }: ListenOptions, events: WireEvents): Promise<{ port: number }> {
    this.#events = events;
    this.moveTo({ address: this.#at.address, port });
    return { port };
  }

  /** The device is somewhere else from now on, and does not know. */
  moveTo(at: Endpoint): void {
    this.#network.detach(this.#at);
    this.#at = at;
    if (this.#events !== null) this.#network.attach(at, this.#events);
  }

  send(datagram: Uint8Array, to: Endpoint): void {
    this.#network.carry(datagram, this.#at, to);
  }

  async close(): Promise<void> {
    this.#network.detach(this.#at);
  }
}
