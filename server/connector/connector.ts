/**
 * A connector: a WireGuard peer beside the services. It exposes named services on its tunnel address and binds
 * nothing else. It enrols over the control channel, which tells it its address and the gateway it may talk to.
 */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ChannelClient } from '../channel/client.ts';
import { type ToConnector, toConnectorSchema } from '../channel/messages.ts';
import { systemClock } from '../channel/system-clock.ts';
import type { Logger } from '../log.ts';
import type { TcpSocket } from '../netstack/socket.ts';
import { NetStack } from '../netstack/stack.ts';
import { pskPort } from '../psk/limits.ts';
import { WireGuardDevice } from '../wireguard/device.ts';
import { GatewayPeer } from './gateway-peer.ts';

export interface ConnectorOptions {
  readonly name: string;
  readonly controlSocket: string;
  readonly token: string;
  /** Where the WireGuard key is kept, mode 0600. */
  readonly keyFile: string;
  /** The tunnel side of each service: its port and what takes the connections. */
  readonly exposes: readonly { name: string; port: number; serve: (socket: TcpSocket) => void }[];
  readonly mtu: number;
  readonly log: Logger;
}

export interface Connector {
  /** Base64, as WireGuard writes keys. */
  readonly publicKey: string;
  readonly address: string;
  close(): Promise<void>;
}

/** The control plane will not have this connector. */
export class ConnectorError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`The control plane refused this connector: ${code}.`);
    this.name = 'ConnectorError';
    this.code = code;
  }
}

/** Resolves when the connector is configured and listens inside the tunnel. @throws ConnectorError */
export async function startConnector(options: ConnectorOptions): Promise<Connector> {
  const device = new WireGuardDevice({ privateKey: loadKey(options.keyFile) });
  const { port } = await device.listen({ port: 0, host: '127.0.0.1' });
  const publicKey = Buffer.from(device.publicKey).toString('base64');
  const gateway = new GatewayPeer(device, options.log);
  let stack: NetStack | undefined;

  const serve = (address: string) => {
    if (stack !== undefined) return;
    const made = new NetStack({ addresses: [address], mtu: options.mtu, output: (packet) => device.send(packet) });
    device.onPacket = (packet) => made.input(packet);
    made.listen({ port: pskPort }, (socket) => gateway.exchange(socket));
    for (const service of options.exposes) made.listen({ port: service.port }, service.serve);
    stack = made;
  };

  const enrolled = Promise.withResolvers<string>();
  const channel = new ChannelClient<ToConnector>({
    path: options.controlSocket,
    token: options.token,
    clock: systemClock,
    incoming: toConnectorSchema,
    hello: () => ({
      role: 'connector',
      name: options.name,
      wireguardKey: publicKey,
      endpoint: `127.0.0.1:${port}`,
      exposes: options.exposes.map(({ name, port: exposed }) => ({ name, port: exposed })),
    }),
    onMessage: (message) => {
      if (message.t !== 'welcome' && message.t !== 'gateway') return;
      gateway.set(message.gateway, message.presharedKey);
      if (message.t === 'welcome') {
        serve(message.address);
        enrolled.resolve(message.address);
      }
    },
    onRefused: (code) => enrolled.reject(new ConnectorError(code)),
  });
  channel.start();
  const address = await enrolled.promise;
  options.log.info({ address, services: options.exposes.map((service) => service.name) }, 'connector serves');
  return {
    publicKey,
    address,
    close: async () => {
      channel.close();
      gateway.close();
      stack?.close();
      await device.close();
    },
  };
}

/** Reads the raw X25519 key, or makes one at the first start. */
function loadKey(file: string): Uint8Array {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync('x25519');
    writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  }
  const jwk = createPrivateKey(readFileSync(file)).export({ format: 'jwk' });
  return Buffer.from(jwk.d ?? '', 'base64url');
}
