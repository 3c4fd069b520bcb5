/** Two devices that know each other, on a network in memory. */
import { randomBytes } from 'node:crypto';
import { type PeerConfig, WireGuardDevice } from '../../../server/wireguard/device.ts';
import { PrivateKey, type StaticPublic } from '../../../server/wireguard/keys.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryNetwork, type MemoryWire } from './memory-network.ts';
import { newSeed, Seeded } from './seeded.ts';

export interface End {
  readonly device: WireGuardDevice;
  readonly wire: MemoryWire;
  readonly key: string;
  readonly privateKey: Uint8Array;
  /** Inner packets, as they arrived. */
  readonly received: Uint8Array[];
}

export interface Pair {
  readonly clock: FakeClock;
  readonly network: MemoryNetwork;
  readonly random: Seeded;
  readonly a: End;
  readonly b: End;
}

export const addressA = '10.7.0.1';
export const addressB = '10.7.0.2';

export function publicKeyOf(privateKey: Uint8Array): string {
  return Buffer.from(new PrivateKey<StaticPublic>(privateKey).publicKey).toString('base64');
}

/** A device on `network`, listening; peers are the caller's to set. */
export async function newEnd(
  network: MemoryNetwork,
  clock: FakeClock,
  address: string,
  privateKey: Uint8Array = randomBytes(32),
): Promise<End> {
  const wire = network.wire(address);
  const device = new WireGuardDevice({ privateKey, clock, wire });
  await device.listen({ port: 51_820 });
  const received: Uint8Array[] = [];
  device.onPacket = (packet) => received.push(packet);
  return { device, wire, key: Buffer.from(device.publicKey).toString('base64'), privateKey, received };
}

/** @param more goes into the peer configuration of both ends. */
export async function newPair(more: Partial<PeerConfig> = {}, moreOfB: Partial<PeerConfig> = more): Promise<Pair> {
  const clock = new FakeClock();
  const random = new Seeded(newSeed());
  const network = new MemoryNetwork(clock, random);
  const a = await newEnd(network, clock, '192.0.2.1');
  const b = await newEnd(network, clock, '192.0.2.2');
  a.device.setPeer({
    publicKey: b.key,
    allowedIps: [`${addressB}/32`, 'fd00::2/128'],
    endpoint: '192.0.2.2:51820',
    ...more,
  });
  b.device.setPeer({
    publicKey: a.key,
    allowedIps: [`${addressA}/32`, 'fd00::1/128'],
    endpoint: '192.0.2.1:51820',
    ...moreOfB,
  });
  return { clock, network, random, a, b };
}

/** Message types on the wire since `from`, as letters: I nitiation, R esponse, C ookie, K eepalive, D ata. */
export function story(network: MemoryNetwork, from = 0): string {
  return network.captured
    .slice(from)
    .map(({ datagram }) => {
      const type = ['?', 'I', 'R', 'C', 'D'][datagram[0]!] ?? '?';
      return type === 'D' && datagram.length === 32 ? 'K' : type;
    })
    .join('');
}
