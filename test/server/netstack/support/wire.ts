/**
 * Two stacks and the wire between them, in memory, on a fake clock. The wire delays, loses, doubles, reorders and
 * damages packets as a seed decides, and can be tapped.
 */
import { NetStack, type NetStackOptions } from '../../../../server/netstack/stack.ts';
import { FakeClock } from './fake-clock.ts';
import { type Random, randomBytes, seeded } from './random.ts';

export interface Faults {
  /** One way. */
  delayMs?: number;
  /** Probabilities. */
  loss?: number;
  duplicate?: number;
  corrupt?: number;
  reorder?: number;
  /** How much later a reordered packet arrives, at most. */
  reorderMs?: number;
}

export type Direction = 'toServer' | 'toClient';

/** Sees a packet before the faults do; false drops it. */
export type Tap = (packet: Uint8Array, direction: Direction) => boolean;

export interface PairOptions extends Faults {
  seed?: number;
  mtu?: number;
  client?: Partial<NetStackOptions>;
  server?: Partial<NetStackOptions>;
}

export const CLIENT4 = '100.100.0.1';
export const SERVER4 = '100.100.0.2';
export const CLIENT6 = 'fd6c:6b::1';
export const SERVER6 = 'fd6c:6b::2';

export class Pair {
  readonly clock = new FakeClock();
  readonly client: NetStack;
  readonly server: NetStack;
  readonly faults: Faults;
  tap: Tap = () => true;
  /** Packets that were put on the wire. */
  carried = 0;
  readonly #random: Random;

  constructor(options: PairOptions = {}) {
    const { seed = 1, mtu = 1420, client, server, ...faults } = options;
    this.#random = seeded(seed);
    this.faults = faults;
    const random = (length: number) => randomBytes(this.#random, length);
    const shared = { clock: this.clock, mtu, random };
    this.client = new NetStack({
      ...shared,
      addresses: [CLIENT4, CLIENT6],
      output: (packet) => this.#carry(packet, 'toServer'),
      ...client,
    });
    this.server = new NetStack({
      ...shared,
      addresses: [SERVER4, SERVER6],
      output: (packet) => this.#carry(packet, 'toClient'),
      ...server,
    });
  }

  /** Puts a packet on the wire as if a stack had sent it, beyond tap and faults. */
  deliver(packet: Uint8Array, direction: Direction, delayMs = this.faults.delayMs ?? 1): void {
    const to = direction === 'toServer' ? this.server : this.client;
    this.clock.after(delayMs, () => to.input(packet));
  }

  #carry(packet: Uint8Array, direction: Direction): void {
    this.carried++;
    if (!this.tap(packet, direction)) return;
    const { loss = 0, duplicate = 0 } = this.faults;
    if (this.#random() < loss) return;
    this.deliver(this.#damaged(packet), direction, this.#delay());
    if (this.#random() < duplicate) this.deliver(packet, direction, this.#delay());
  }

  #delay(): number {
    const { delayMs = 1, reorder = 0, reorderMs = 20 } = this.faults;
    return this.#random() < reorder ? delayMs + Math.ceil(this.#random() * reorderMs) : delayMs;
  }

  #damaged(packet: Uint8Array): Uint8Array {
    if (this.#random() >= (this.faults.corrupt ?? 0)) return packet;
    const damaged = packet.slice();
    damaged[Math.floor(this.#random() * damaged.length)]! ^= 1 << Math.floor(this.#random() * 8);
    return damaged;
  }
}
