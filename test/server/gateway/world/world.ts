/**
 * A gateway with everything real around it but the control plane and the browser: a control channel over its socket, a
 * connector's WireGuard device and TCP/IP stack on loopback UDP, a web service that listens on that far stack and
 * nowhere else, and clients that speak the protocol from Node.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { connect as connectNet, createServer as createNet, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { unbase64url } from '../../../../protocol/bytes.ts';
import type { Carrier } from '../../../../protocol/carrier.ts';
import type { Clock } from '../../../../protocol/clock.ts';
import { connectClient } from '../../../../protocol/connect-client.ts';
import type { Session } from '../../../../protocol/session.ts';
import type { ClientSvid } from '../../../../protocol/svid.ts';
import type { ServiceRecord, SnapshotContent } from '../../../../server/channel/snapshot-content.ts';
import { systemClock } from '../../../../server/channel/system-clock.ts';
import { type Config, dataPaths, loadConfig, origins } from '../../../../server/config.ts';
import { generateComposite } from '../../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../../server/crypto/node-crypto.ts';
import { Gateway } from '../../../../server/gateway/gateway.ts';
import { type Logger, setLogLevel } from '../../../../server/log.ts';
import { NetStack } from '../../../../server/netstack/stack.ts';
import type { UdpSocket } from '../../../../server/netstack/udp.ts';
import { WireGuardDevice } from '../../../../server/wireguard/device.ts';
import { DataPlane } from '../../../../server/wireguard/plane.ts';
import { loopbackPair } from '../../../support/loopback-carrier.ts';
import { Authority, token } from './authority.ts';

setLogLevel('silent');

export const serviceAddress = '100.100.0.7';
const posture = new Uint8Array(40);
posture.fill(2, 0, 32);
new DataView(posture.buffer).setBigUint64(32, BigInt(Date.now() - 1_000));

/** A folder of this test, for the test to remove, and a configuration that binds free ports on loopback. */
export function testConfig(): Config {
  const data = mkdtempSync(join(tmpdir(), 'latchkey-gateway-'));
  const config = loadConfig({ data, port: 0 });
  return { ...config, wireguard: { ...config.wireguard, port: 0, bind: '127.0.0.1' } };
}

export function record(over: Partial<ServiceRecord> = {}): ServiceRecord {
  return {
    name: 'wiki',
    title: 'Wiki',
    spiffeId: 'spiffe://latchkey.local/ns/default/svc/wiki',
    scheme: 'http',
    address: serviceAddress,
    port: 80,
    path: '/',
    upstreamHost: serviceAddress,
    wireguardKey: '',
    ...over,
  };
}

/** Ada may use everything, bob nothing, and nobody the service that was taken out of use. */
export function snapshot(services: readonly ServiceRecord[], peers: SnapshotContent['peers']): SnapshotContent {
  const user = (id: string, group: string) => ({
    uid: { type: 'User', id },
    attrs: { name: id },
    parents: [{ type: 'Group', id: group }],
  });
  return {
    policies: {
      admins: 'permit (principal in Group::"admins", action, resource);',
      'out-of-use': 'forbid (principal, action, resource == Service::"old");',
      'no-secrets':
        'forbid (principal, action == Action::"request", resource) when { context has path && context.path like "/secret*" };',
    },
    entities: [
      { uid: { type: 'Group', id: 'admins' }, attrs: {}, parents: [] },
      { uid: { type: 'Group', id: 'guests' }, attrs: {}, parents: [] },
      { uid: { type: 'Namespace', id: 'default' }, attrs: {}, parents: [] },
      user('ada', 'admins'),
      user('bob', 'guests'),
      ...services.map(({ name, scheme }) => ({
        uid: { type: 'Service', id: name },
        attrs: { scheme, demo: false, labels: [], evidence: 'none' },
        parents: [{ type: 'Namespace', id: 'default' }],
      })),
    ],
    services: [...services],
    links: [],
    peers,
    subnets: ['100.100.0.0/16'],
    federations: [],
  };
}

/** A connector's half of the data plane, with a web service on port 80 of it. */
export class FarSide {
  readonly device = new WireGuardDevice({ privateKey: randomBytes(32) });
  readonly key = Buffer.from(this.device.publicKey).toString('base64');
  readonly plane: DataPlane;
  readonly http: Server;
  readonly #stack: NetStack;
  port = 0;

  constructor(listener: RequestListener) {
    this.#stack = new NetStack({ addresses: [serviceAddress], output: (packet) => this.device.send(packet) });
    this.plane = new DataPlane({ device: this.device, stack: this.#stack });
    this.http = createHttp(listener);
  }

  async open(): Promise<void> {
    this.port = (await this.device.listen({ port: 0, host: '127.0.0.1' })).port;
    this.plane.listen({ port: 80 }, (socket) => this.http.emit('connection', socket));
  }

  /** A UDP service on this port. */
  openUdp(port: number): UdpSocket {
    return this.#stack.openUdp({ port });
  }

  async close(): Promise<void> {
    this.#stack.close();
    await this.device.close();
  }

  /** Lets the gateway in. */
  admit(gateway: { publicKey: string; port: number }): void {
    const { publicKey, port } = gateway;
    this.device.setPeer({ publicKey, allowedIps: ['100.100.0.1/32'], endpoint: `127.0.0.1:${port}` });
  }

  get peer(): SnapshotContent['peers'][number] {
    return {
      publicKey: this.key,
      allowedIps: [`${serviceAddress}/32`],
      endpoint: `127.0.0.1:${this.port}`,
      name: 'far',
    };
  }
}

/** Who comes to the gateway, if not Ada with a good credential. */
export interface ClientOptions {
  readonly svid?: Partial<ClientSvid>;
  /** Hands in these bytes instead. */
  readonly rawSvid?: Uint8Array;
  readonly carrier?: Carrier;
  readonly clock?: Clock;
}

export class World {
  readonly config = testConfig();
  readonly far: FarSide;
  /** What the gateway has logged, at every level. */
  readonly logged: Record<string, unknown>[] = [];
  readonly authority: Authority;
  gateway!: Gateway;
  /** Hands its connections to the gateway, as the supervisor does. */
  readonly #door = createNet((socket: Socket) => this.gateway.endpoints.http.emit('connection', socket));

  private constructor(listener: RequestListener) {
    this.far = new FarSide(listener);
    mkdirSync(this.config.data, { recursive: true, mode: 0o700 });
    this.authority = new Authority(dataPaths.controlSocket(this.config), snapshot([], []));
  }

  /** @param timers in place of the usual ones */
  static async open(
    listener: RequestListener,
    services: Partial<ServiceRecord>[] = [{}],
    timers: Partial<Config['timers']> = {},
  ): Promise<World> {
    const world = new World(listener);
    Object.assign(world.config.timers, timers);
    await world.far.open();
    world.authority.content = world.content(services);
    await world.authority.listen();
    await new Promise<void>((resolve) => world.#door.listen(0, '127.0.0.1', resolve));
    await world.start();
    return world;
  }

  content(services: Partial<ServiceRecord>[]): SnapshotContent {
    return snapshot(
      services.map((over) => record({ wireguardKey: this.far.key, ...over })),
      [this.far.peer],
    );
  }

  async start(): Promise<void> {
    const { config } = this;
    const refused = Promise.withResolvers<never>();
    refused.promise.catch(() => undefined);
    this.gateway = await Promise.race([
      Gateway.open({
        ...{ config, crypto: nodeCrypto, clock: systemClock, log: this.#logger(), token },
        onRefused: (code) => refused.reject(Object.assign(new Error('refused'), { code })),
      }),
      refused.promise,
    ]);
    this.far.admit(this.gateway.wireguard);
  }

  #logger(): Logger {
    return pino({ level: 'debug' }, { write: (line) => void this.logged.push(JSON.parse(line)) });
  }

  /** Makes this the policy in force at the gateway; resolves when it is. */
  async publish(content: SnapshotContent, ageMs = 0): Promise<void> {
    await this.authority.publish(content, ageMs);
    while (this.gateway.status().policyEpoch !== this.authority.epoch) await setImmediate();
  }

  /** What was opened by {@link World.open}; to be called by the test file at its end. */
  async close(): Promise<void> {
    this.#door.close();
    await this.gateway.close();
    await this.far.close();
    await this.authority.close();
    rmSync(this.config.data, { recursive: true, force: true });
  }

  get tcpPort(): number {
    const address = this.#door.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get shellOrigin(): string {
    return origins.shell(this.config);
  }

  /** A raw connection to the TCP port. */
  rawTcp(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connectNet({ host: '127.0.0.1', port: this.tcpPort }, () => resolve(socket));
      socket.once('error', reject);
    });
  }

  /** A session over a loopback carrier unless another is given. */
  async client(
    options: ClientOptions = {},
  ): Promise<Session & { signer: ReturnType<typeof generateComposite>['signer'] }> {
    const { signer } = generateComposite();
    const svid =
      options.rawSvid ?? (await this.authority.issue({ sessionPublicKey: signer.publicKey, ...options.svid }));
    const { hello } = this.authority;
    if (hello === undefined) throw new Error('the gateway has not joined');
    const session = await connectClient({
      carrier: options.carrier ?? this.loopback(),
      crypto: nodeCrypto,
      clock: options.clock ?? systemClock,
      gateway: { publicKey: unbase64url(hello.publicKey), stealthKey: unbase64url(hello.stealthKey) },
      identity: { svid, posture, signer },
    });
    return Object.assign(session, { signer });
  }

  /** A carrier whose other end the gateway has. */
  loopback(...options: Parameters<typeof loopbackPair>): Carrier {
    return this.loopbackFrom('192.0.2.7', ...options);
  }

  /** The same from an address of the caller's: each has its own share of handshakes. */
  loopbackFrom(address: string, ...options: Parameters<typeof loopbackPair>): Carrier {
    const link = loopbackPair(...options);
    this.gateway.sessions.take(link.gateway, { address, origin: this.shellOrigin, transport: 'loopback' });
    return link.client;
  }
}
