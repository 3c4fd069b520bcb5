/** Whole handshakes a second, both roles in this process, over a wire that is a function call. */
import { randomBytes } from 'node:crypto';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';
import type { Endpoint, Wire, WireEvents } from '../../../server/wireguard/wire.ts';
import { median } from '../interleaved.ts';

const rounds = 5;
/** Below what makes a device ask for cookies, which is another matter. */
const perRound = 100;

const addressOf = { near: { address: '192.0.2.1', port: 1 }, far: { address: '192.0.2.2', port: 1 } } as const;

/** A pair of devices meets once for each peer: `near` has them all, `far` is each of them in turn. */
export async function handshakesPerSecond(): Promise<number> {
  const each: number[] = [];
  for (let round = 0; round < rounds; round++) each.push(await oneRound());
  return median(each);
}

async function oneRound(): Promise<number> {
  const wires = new Map<string, WireEvents>();
  const near = await open(wires, addressOf.near);
  const nearKey = Buffer.from(near.publicKey).toString('base64');
  const fars: WireGuardDevice[] = [];
  for (let n = 0; n < perRound; n++) {
    const address = { ...addressOf.far, port: n + 1 };
    const far = await open(wires, address);
    near.setPeer({
      publicKey: Buffer.from(far.publicKey).toString('base64'),
      allowedIps: [`10.0.${n}.1/32`],
    });
    fars.push(far);
  }
  const began = process.cpuUsage();
  // A persistent keepalive begins at once, and so with a handshake.
  for (const far of fars) {
    far.setPeer({
      ...{ publicKey: nearKey, allowedIps: ['10.1.0.1/32'], persistentKeepaliveS: 25 },
      endpoint: `${addressOf.near.address}:${addressOf.near.port}`,
    });
  }
  const { user, system } = process.cpuUsage(began);
  const done = near.counters.handshakesCompleted;
  if (done !== perRound) throw new Error(`${done} of ${perRound} handshakes completed`);
  await Promise.all([near, ...fars].map((device) => device.close()));
  return (1_000_000 * perRound) / (user + system);
}

async function open(wires: Map<string, WireEvents>, at: Endpoint): Promise<WireGuardDevice> {
  const nameOf = ({ address, port }: Endpoint): string => `${address}:${port}`;
  const wire: Wire = {
    open: async (_options, events) => {
      wires.set(nameOf(at), events);
      return { port: at.port };
    },
    send: (datagram, to) => wires.get(nameOf(to))?.receive(datagram, at),
    close: async () => void wires.delete(nameOf(at)),
  };
  const device = new WireGuardDevice({ privateKey: randomBytes(32), wire });
  await device.listen({ port: at.port });
  return device;
}
