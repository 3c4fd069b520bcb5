/**
 * One end of a pre-shared key's exchange as a process of its own: WireGuard over UDP on loopback, and the exchange inside it.
 * Its parent is the control plane. Armed, it is killed in the middle of an exchange, by itself, as a machine dies: at once.
 *
 *     parent → end   { begin }  keys and addresses       { first }  another first key      { arm }  where to die
 *                    { speak }  the gateway's alone: bytes through the tunnel and back
 *     end → parent   { began }  its UDP port             { spoke }  the epoch they went under
 */
import { randomBytes } from 'node:crypto';
import { type Duplex, duplexPair } from 'node:stream';
import { systemClock } from '../../../server/channel/system-clock.ts';
import { GatewayPeer } from '../../../server/connector/gateway-peer.ts';
import { ConnectorKeys } from '../../../server/gateway/connector-keys.ts';
import { logger, setLogLevel } from '../../../server/log.ts';
import { NetStack } from '../../../server/netstack/stack.ts';
import { pskPort } from '../../../server/psk/limits.ts';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';
import { DataPlane } from '../../../server/wireguard/plane.ts';

export const messages = ['offer', 'answer', 'confirm', 'done'] as const;
/** Before the message leaves, or as it arrives. */
export interface Moment {
  readonly message: (typeof messages)[number];
  readonly side: 'sender' | 'receiver';
}

export interface Beginning {
  readonly role: 'gateway' | 'connector';
  /** Base64. */
  readonly privateKey: string;
  readonly peerKey: string;
  readonly peerPort: number;
  readonly first: string;
}

export type Told =
  | { readonly begin: Beginning }
  | { readonly first: string }
  | { readonly arm: Moment }
  | { readonly speak: true };
export type Says = { readonly began: number } | { readonly spoke: number };

export const inner = { gateway: '100.100.0.1', connector: '100.100.0.2' } as const;
const log = logger('test');
const say = (what: Says) => process.send?.(what);
let armed: Moment | undefined;

/** What an exchange says and hears, with the chance to die at a message. */
function watched(socket: Duplex): Duplex {
  const [near, far] = duplexPair();
  const look = (side: Moment['side'], bytes: Uint8Array) => {
    const dies = armed?.side === side && messages.indexOf(armed.message) === bytes[0]! - 1;
    if (dies) process.kill(process.pid, 'SIGKILL');
  };
  far.on('data', (bytes: Buffer) => {
    look('sender', bytes);
    socket.write(bytes);
  });
  far.on('end', () => socket.end()).on('close', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    look('receiver', bytes);
    far.write(bytes);
  });
  socket.on('end', () => far.end()).on('close', () => far.destroy());
  for (const end of [near, far, socket]) end.on('error', () => {});
  return near;
}

interface Began {
  readonly port: number;
  readonly take: (told: Told) => void;
}

async function beginConnector({ first, ...given }: Beginning): Promise<Began> {
  const device = new WireGuardDevice({ privateKey: Buffer.from(given.privateKey, 'base64') });
  const { port } = await device.listen({ port: 0, host: '127.0.0.1' });
  const stack = new NetStack({ addresses: [inner.connector], output: (packet) => device.send(packet) });
  device.onPacket = (packet) => stack.input(packet);
  const peer = new GatewayPeer(device, log);
  stack.listen({ port: pskPort }, (socket) => peer.exchange(watched(socket)));
  stack.listen({ port: 7 }, (socket) => void socket.on('error', () => {}).pipe(socket));
  const gateway = {
    ...{ publicKey: given.peerKey, endpoint: `127.0.0.1:${given.peerPort}` },
    allowedIps: [`${inner.gateway}/32`],
  };
  peer.set(gateway, first);
  const take = (told: Told) => {
    if ('first' in told) peer.set(gateway, told.first);
  };
  return { port, take };
}

async function beginGateway({ first, ...given }: Beginning): Promise<Began> {
  const device = new WireGuardDevice({ privateKey: Buffer.from(given.privateKey, 'base64') });
  const { port } = await device.listen({ port: 0, host: '127.0.0.1' });
  const stack = new NetStack({ addresses: [inner.gateway], output: (packet) => device.send(packet) });
  const plane = new DataPlane({ device, stack });
  const keys = new ConnectorKeys({
    ...{ device, clock: systemClock, log, renewMs: 500 },
    connect: async (target) => watched(await plane.connect(target)),
  });
  device.onSession = (peer) => keys.sessionMade(peer);
  const [publicKey, allowedIps] = [given.peerKey, [`${inner.connector}/32`]];
  const know = (key: string) => {
    const presharedKey = Uint8Array.from(keys.present(publicKey) ?? Buffer.from(key, 'base64'));
    device.setPeer({ publicKey, allowedIps, presharedKey, endpoint: `127.0.0.1:${given.peerPort}` });
    keys.set([{ name: 'site', publicKey, allowedIps, pskExchange: true }], { [publicKey]: key });
  };
  know(first);
  const speak = async () => {
    await keys.ready(publicKey, AbortSignal.timeout(60_000));
    const socket = await plane.connect({ host: inner.connector, port: 7, wireguardKey: publicKey });
    const said = randomBytes(10_000);
    socket.end(said);
    const heard = Buffer.concat(await socket.toArray());
    if (heard.equals(said)) say({ spoke: Number(keys.status(publicKey)?.epoch) });
  };
  const take = (told: Told) => {
    if ('first' in told) know(told.first);
    if ('speak' in told) void speak();
  };
  return { port, take };
}

if (process.send !== undefined) {
  setLogLevel('silent');
  let take: ((told: Told) => void) | undefined;
  process.on('message', async (told: Told) => {
    if ('arm' in told) armed = told.arm;
    else if ('begin' in told) {
      const began = await (told.begin.role === 'gateway' ? beginGateway : beginConnector)(told.begin);
      take = began.take;
      say({ began: began.port });
    } else take?.(told);
  });
  process.on('disconnect', () => process.exit(0));
}
