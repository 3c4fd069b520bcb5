/**
 * A connector: a WireGuard peer beside the services. It exposes named services on its tunnel address and binds
 * nothing else. It enrols over the control channel, which tells it its address and the gateway it may talk to.
 */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { ChannelClient } from '../channel/client.ts';
import type { MachineEvidence } from '../channel/machine-evidence.ts';
import {
  type ConnectorHello,
  type ConnectorWelcome,
  type ToConnector,
  toConnectorSchema,
} from '../channel/messages.ts';
import { systemClock } from '../channel/system-clock.ts';
import type { Logger } from '../log.ts';
import { NetStack } from '../netstack/stack.ts';
import { pskPort } from '../psk/limits.ts';
import { WireGuardDevice } from '../wireguard/device.ts';
import { GatewayPeer } from './gateway-peer.ts';

/** The tunnel side of one service: its port and what takes the connections. */
export interface Exposed {
  readonly name: string;
  readonly port: number;
  /** Asks the control plane to publish it as a service of that name. */
  readonly scheme?: NonNullable<ConnectorHello['exposes'][number]['scheme']>;
  readonly serve: (socket: Duplex) => void;
}

export interface ConnectorOptions {
  readonly name: string;
  /** Begins a connection to the control plane. */
  readonly dial: () => Socket;
  readonly token: string;
  /** With a credential of an earlier run. */
  readonly id?: string | undefined;
  readonly onCredential?: (credential: { token: string; id: string }) => void;
  /** Where the WireGuard key is kept, mode 0600. */
  readonly keyFile: string;
  readonly exposes: readonly Exposed[];
  /** Selectors of the process behind each of them, as it is now. */
  readonly workloads?: () => readonly string[][];
  /** The Ed25519 key that certificates are asked for, 32 bytes in base64url. */
  readonly certificateKey?: string;
  /** What the machine shows of itself, for one connection to the control plane. */
  readonly evidence?: (socket: Socket, wireguardKey: Uint8Array) => MachineEvidence | undefined;
  /** Each welcome, before anything is served by it. */
  readonly onWelcome?: (welcome: ConnectorWelcome) => void;
  readonly wireguard: {
    readonly bind: string;
    readonly mtu: number;
    /** Tells the gateway where this peer is; otherwise the gateway learns it when the connector speaks. */
    readonly announce: boolean;
  };
  readonly log: Logger;
}

export interface Connector {
  /** Base64, as WireGuard writes keys. */
  readonly publicKey: string;
  readonly address: string;
  /** Resolves when the control plane has it no more: by then it serves nothing. Starting it anew asks again. */
  readonly refused: Promise<ConnectorError>;
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
  const { wireguard, exposes, log } = options;
  const device = new WireGuardDevice({ privateKey: loadKey(options.keyFile), mtu: wireguard.mtu });
  const { port } = await device.listen({ port: 0, host: wireguard.bind });
  const publicKey = Buffer.from(device.publicKey).toString('base64');
  const gateway = new GatewayPeer(device, log);
  let stack: NetStack | undefined;

  const serve = (address: string) => {
    if (stack !== undefined) return;
    const made = new NetStack({ addresses: [address], mtu: wireguard.mtu, output: (packet) => device.send(packet) });
    device.onPacket = (packet) => made.input(packet);
    made.listen({ port: pskPort }, (socket) => gateway.exchange(socket));
    for (const service of exposes) made.listen({ port: service.port, allowHalfOpen: true }, service.serve);
    stack = made;
  };

  const enrolled = Promise.withResolvers<string>();
  const refused = Promise.withResolvers<ConnectorError>();
  const channel = new ChannelClient<ToConnector>({
    ...{ dial: options.dial, token: options.token, id: options.id },
    ...(options.onCredential !== undefined && { onCredential: options.onCredential }),
    clock: systemClock,
    incoming: toConnectorSchema,
    hello: (socket) => ({
      role: 'connector',
      name: options.name,
      wireguardKey: publicKey,
      ...(wireguard.announce && { endpoint: `${wireguard.bind}:${port}` }),
      exposes: toldOf(options),
      ...(options.certificateKey !== undefined && { certificateKey: options.certificateKey }),
      ...evidenceOf(options.evidence?.(socket, device.publicKey)),
    }),
    onMessage: (message) => {
      if (message.t !== 'welcome' && message.t !== 'gateway') return;
      if (message.t === 'welcome') options.onWelcome?.(message);
      gateway.set(message.gateway, message.presharedKey);
      if (message.t === 'welcome') {
        serve(message.address);
        enrolled.resolve(message.address);
      }
    },
    onTrouble: (error) => log.warn({ err: error }, 'the control plane is not reached; trying again'),
    onRefused: (code) => {
      const error = new ConnectorError(code);
      if (stack === undefined) return enrolled.reject(error);
      // What it was let in for is over, though its certificates would go on for a while.
      log.error({ code }, 'the control plane has this connector no more; it serves nothing from here on');
      void close().then(() => refused.resolve(error));
    },
  });
  channel.start();
  const close = async () => {
    channel.close();
    gateway.close();
    stack?.close();
    await device.close();
  };
  try {
    const address = await enrolled.promise;
    log.info({ address, services: exposes.map((service) => service.name) }, 'connector serves');
    return { publicKey, address, close, refused: refused.promise };
  } catch (error) {
    await close();
    throw error;
  }
}

function toldOf({ exposes, workloads }: ConnectorOptions): ConnectorHello['exposes'] {
  const seen = workloads?.();
  return exposes.map(({ serve: _, ...exposed }, at) => ({ ...exposed, ...(seen && { workload: seen[at] }) }));
}

function evidenceOf(evidence: MachineEvidence | undefined): { evidence?: MachineEvidence } {
  return evidence === undefined ? {} : { evidence };
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
