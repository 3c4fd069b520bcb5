/** One of our devices, a wireguard-go one veth away, and pings between them. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import type { Clock } from '../../../protocol/clock.ts';
import { type PeerConfig, WireGuardDevice } from '../../../server/wireguard/device.ts';
import { systemClock } from '../../../server/wireguard/system-clock.ts';
import { echoPacket, readEcho } from '../../server/wireguard/packets.ts';
import { type Namespace, newNamespace, type WireGuardOptions, type WireGuardProcess } from '../../support/namespace.ts';

/** Inner addresses: ours and the far peer's, for each family. */
export const inner = {
  4: { near: '10.77.0.1', far: '10.77.0.2' },
  6: { near: 'fd77::1', far: 'fd77::2' },
} as const;

export interface FarPeer {
  readonly far: Namespace;
  device: WireGuardDevice;
  go: WireGuardProcess;
  readonly ours: { readonly privateKey: Uint8Array; readonly publicKey: string; port: number };
  /** What wireguard-go was started with: for starting it again. */
  readonly goOptions: WireGuardOptions;
  /** What the device was told of it. */
  readonly peerConfig: PeerConfig;
}

export interface FarPeerOptions {
  readonly presharedKey?: Uint8Array;
  /** Outer family. */
  readonly over?: 4 | 6;
  /** Who knows the other's endpoint, and so can begin. Both without it. */
  readonly initiator?: 'ours' | 'theirs';
  /** Of our device. */
  readonly clock?: Clock;
}

export async function newFarPeer(t: TestContext, options: FarPeerOptions = {}): Promise<FarPeer> {
  const far = newNamespace();
  t.after(() => far.destroy());
  const privateKey = randomBytes(32);
  const device = new WireGuardDevice({ privateKey, clock: options.clock ?? systemClock });
  t.after(() => device.close());
  const [near, there] = options.over === 6 ? [`[${far.near6}]`, `[${far.far6}]`] : [far.near4, far.far4];
  const { port } = await device.listen({ port: 0 });
  const publicKey = Buffer.from(device.publicKey).toString('base64');
  const psk = options.presharedKey === undefined ? {} : { presharedKey: options.presharedKey };
  const goOptions: WireGuardOptions = {
    privateKey: randomBytes(32),
    addresses: [`${inner[4].far}/24`, `${inner[6].far}/64`],
    peers: [
      {
        publicKey,
        allowedIps: [`${inner[4].near}/32`, `${inner[6].near}/128`],
        ...psk,
        ...(options.initiator === 'ours' ? {} : { endpoint: `${near}:${port}` }),
      },
    ],
  };
  const go = await far.startWireGuard(goOptions);
  const peerConfig: PeerConfig = {
    publicKey: go.publicKey,
    allowedIps: [`${inner[4].far}/32`, `${inner[6].far}/128`],
    ...psk,
    ...(options.initiator === 'theirs' ? {} : { endpoint: `${there}:${go.port}` }),
  };
  device.setPeer(peerConfig);
  return { far, device, go, ours: { privateKey, publicKey, port }, goOptions, peerConfig };
}

/**
 * Sends an ICMP echo request from our side and waits for its reply.
 * @returns the payload that came back.
 */
export async function ping(
  device: WireGuardDevice,
  family: 4 | 6,
  sequence: number,
  payload: Uint8Array,
): Promise<Uint8Array> {
  const { near, far } = inner[family];
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  device.onPacket = (packet) => {
    const echo = readEcho(packet);
    if (echo?.type === 'reply' && echo.sequence === sequence) resolve(echo.payload);
  };
  const request = echoPacket({ source: near, destination: far, sequence, payload });
  device.send(request);
  return promise;
}

/** Sends every UDP packet back where it came from: with both addresses and both ports swapped its checksums still hold. */
export function reflectUdp(device: WireGuardDevice): { readonly count: number } {
  const reflected = { count: 0 };
  device.onPacket = (packet) => {
    const six = packet[0]! >> 4 === 6;
    if (packet[six ? 6 : 9] !== 17) return;
    reflected.count++;
    const [at, length, ports] = six ? [8, 16, 40] : [12, 4, 20];
    const back = Uint8Array.from(packet);
    back.set(packet.subarray(at + length, at + 2 * length), at);
    back.set(packet.subarray(at, at + length), at + length);
    back.set(packet.subarray(ports + 2, ports + 4), ports);
    back.set(packet.subarray(ports, ports + 2), ports + 2);
    device.send(back);
  };
  return reflected;
}

const farScript = `
const { createSocket } = require('node:dgram');
const [host, size, times] = process.argv.slice(1);
const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
const payload = Buffer.alloc(Number(size), 'latchkey');
let left = Number(times);
socket.on('message', (answer) => {
  if (!answer.equals(payload)) { console.log('changed'); process.exit(1); }
  if (--left === 0) { console.log('all came back'); socket.close(); clearInterval(again); }
});
const send = () => socket.send(payload, 7, host);
// One at a time is enough; a lost first one (the handshake) is sent again.
const again = setInterval(send, 200);
send();
`;

/**
 * Lets a process in the namespace send UDP datagrams to our inner address until `times` have come back unchanged.
 * @returns what it says at the end: "all came back".
 */
export async function farSends(far: Namespace, family: 4 | 6, size: number, times = 3): Promise<string> {
  const args = ['-e', farScript, '--', inner[family].near, `${size}`, `${times}`];
  const child = far.spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  await once(child, 'close');
  return said.trim();
}
