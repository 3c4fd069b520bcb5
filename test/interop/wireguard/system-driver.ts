/** A machine in a namespace whose gateway uses an interface of the system, and what can be seen of it from outside. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { PlanePeer } from '../../../server/channel/messages.ts';
import type { PeerRecord } from '../../../server/channel/snapshot-content.ts';
import type { Config } from '../../../server/config.ts';
import { GatewayPeer } from '../../../server/connector/gateway-peer.ts';
import type { Finding } from '../../../server/doctor/finding.ts';
import { logger } from '../../../server/log.ts';
import { NetStack } from '../../../server/netstack/stack.ts';
import { pskPort } from '../../../server/psk/limits.ts';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';
import { guardScript } from '../../../server/wireguard/system/guard-rules.ts';
import { type Namespace, newNamespace, publicKeyOf } from '../../support/namespace.ts';

/** Inside the tunnel: the gateway's, and the service's beside its connector. */
export const addresses = { gateway: '100.100.0.1', gateway6: 'fd6c:6b::1', service: '100.100.0.2' } as const;

interface Target {
  readonly host: string;
  readonly port: number;
  readonly wireguardKey: string;
  readonly text: string;
}

export type Question = { readonly limitMs?: number } & (
  | { readonly ask: 'open'; readonly privateKey: string; readonly wireguard: Partial<Config['wireguard']> }
  | { readonly ask: 'peers'; readonly peers: readonly PeerRecord[]; readonly psks?: Record<string, string> }
  | ({ readonly ask: 'tcp' | 'udp' } & Target)
  | { readonly ask: 'status' | 'doctor' }
);

export interface Answer {
  readonly error?: string;
  readonly port?: number;
  readonly text?: string;
  readonly peers?: PlanePeer[];
  readonly findings?: Finding[];
}

export class Machine {
  readonly place: Namespace;
  readonly interfaceName: string;
  readonly gatewayKey: string;
  readonly #privateKey = randomBytes(32);
  #gateway: ChildProcess | undefined;
  #wireguard: ChildProcess | undefined;

  /** Its default route leads to us, as that of a machine on a network does. */
  constructor(t: TestContext) {
    this.place = newNamespace();
    t.after(() => this.place.destroy());
    this.interfaceName = `${this.place.name}s`;
    this.gatewayKey = publicKeyOf(this.#privateKey);
    this.place.exec('ip', 'route', 'add', 'default', 'via', this.place.near4);
  }

  /** A wireguard-go with the gateway's address on it. */
  async makeInterface(): Promise<void> {
    const child = this.place.spawn('wireguard-go', ['-f', this.interfaceName], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, WG_PROCESS_FOREGROUND: '1', LOG_LEVEL: 'verbose' },
    });
    this.#wireguard = child;
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error('wireguard-go ended')));
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (text: Buffer) => String(text).includes('UAPI listener started') && resolve());
    });
    this.place.exec('ip', 'addr', 'add', `${addresses.gateway}/32`, 'dev', this.interfaceName);
    this.place.exec('ip', '-6', 'addr', 'add', `${addresses.gateway6}/128`, 'dev', this.interfaceName, 'nodad');
    this.place.exec('ip', 'link', 'set', this.interfaceName, 'mtu', '1420', 'up');
  }

  async endInterface(): Promise<void> {
    const ended = once(this.#wireguard!, 'exit');
    this.#wireguard!.kill('SIGTERM');
    await ended;
  }

  /** What `latchkey wg guard` prints, run by a shell. */
  guard(name = this.interfaceName): void {
    const settings = { interfaceName: name, addresses: [addresses.gateway, addresses.gateway6] };
    this.place.exec('sh', '-c', guardScript(settings));
  }

  async startGateway(wireguard: Partial<Config['wireguard']>): Promise<Answer> {
    const script = fileURLToPath(new URL('./system-gateway.ts', import.meta.url));
    this.#gateway = this.place.spawn(process.execPath, [script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await once(this.#gateway, 'message');
    return this.ask({ ask: 'open', privateKey: this.#privateKey.toString('base64'), wireguard });
  }

  async ask(question: Question): Promise<Answer> {
    const settled = new AbortController();
    const { signal } = settled;
    const answered = Promise.race([
      once(this.#gateway!, 'message', { signal }),
      once(this.#gateway!, 'exit', { signal }).then(() => Promise.reject(new Error('the gateway ended'))),
    ]).finally(() => settled.abort());
    this.#gateway!.send(question);
    const [answer] = (await answered) as [Answer];
    return answer;
  }

  /** Asks again until the answer is the one that is waited for: what changed is noticed at the next look. */
  async until(question: Question, isIt: (answer: Answer) => boolean): Promise<Answer> {
    for (;;) {
      const answer = await this.ask(question);
      if (isIt(answer)) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const markScript = `const [port, to] = process.argv.slice(1); const s = require('node:dgram').createSocket('udp4');
s.bind(Number(port), () => s.send('mark', 9, to, () => s.close()))`;

/** What passes our end of the machine's one cable and is not WireGuard's: plaintext of the data plane. */
export class Cable {
  readonly #machine: Machine;
  readonly #lines: string[] = [];
  readonly #tcpdump: ChildProcess;
  #marks = 0;

  private constructor(machine: Machine, tcpdump: ChildProcess) {
    this.#machine = machine;
    this.#tcpdump = tcpdump;
    let rest = '';
    tcpdump.stdout?.on('data', (chunk: Buffer) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      this.#lines.push(...lines);
      tcpdump.emit('lines');
    });
  }

  static async watch(t: TestContext, machine: Machine, spawn: Namespace['spawn']): Promise<Cable> {
    const { nearDevice } = machine.place;
    const inner = `host ${addresses.gateway} or host ${addresses.service} or host ${addresses.gateway6} or udp port 9`;
    const tcpdump = spawn('tcpdump', ['-n', '-l', '--immediate-mode', '-i', nearDevice, inner], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => tcpdump.kill());
    const cable = new Cable(machine, tcpdump);
    await new Promise<void>((resolve, reject) => {
      tcpdump.stderr?.on('data', (text: Buffer) => String(text).includes('listening on') && resolve());
      tcpdump.once('error', reject).once('exit', () => reject(new Error('tcpdump ended')));
    });
    return cable;
  }

  /** Every packet of the data plane's addresses so far: a mark goes over the cable, and what came before it was seen. */
  async plaintext(): Promise<string[]> {
    const port = 40_000 + this.#marks++;
    const { place } = this.#machine;
    place.exec(process.execPath, '-e', markScript, `${port}`, place.near4);
    const isMark = (line: string) => line.includes(`.${port} > ${place.near4}.9:`);
    while (!this.#lines.some(isMark)) await once(this.#tcpdump, 'lines');
    return this.#lines.filter((line) => !line.includes(`> ${place.near4}.9:`) && !line.includes('ICMP'));
  }
}

export interface Connector {
  readonly key: string;
  readonly record: PeerRecord;
  /** For `psks`. */
  readonly first: Record<string, string>;
}

/** A connector of ours in this process, with an echo at port 7, reached by the machine's cable. */
export async function newConnector(t: TestContext, machine: Machine, exchanges: boolean): Promise<Connector> {
  const device = new WireGuardDevice({ privateKey: randomBytes(32) });
  const { port } = await device.listen({ port: 0, host: machine.place.near4 });
  const stack = new NetStack({ addresses: [addresses.service], output: (packet) => device.send(packet) });
  device.onPacket = (packet) => stack.input(packet);
  stack.listen({ port: 7 }, (socket) => void socket.on('error', () => {}).pipe(socket));
  const udp = stack.openUdp({ port: 7 });
  udp.onDatagram = (datagram, from) => void udp.send(datagram, from);
  const peer = new GatewayPeer(device, logger('test'));
  if (exchanges) stack.listen({ port: pskPort }, (socket) => peer.exchange(socket));
  const first = exchanges ? randomBytes(32).toString('base64') : undefined;
  const gateway = {
    publicKey: machine.gatewayKey,
    endpoint: `${machine.place.far4}:51820`,
    allowedIps: [`${addresses.gateway}/32`],
  };
  peer.set(gateway, first);
  t.after(async () => {
    peer.close();
    stack.close();
    await device.close();
  });
  const key = Buffer.from(device.publicKey).toString('base64');
  const record: PeerRecord = {
    publicKey: key,
    name: 'site',
    allowedIps: [`${addresses.service}/32`],
    endpoint: `${machine.place.near4}:${port}`,
    ...(exchanges && { pskExchange: true }),
  };
  return { key, record, first: first === undefined ? {} : { [key]: first } };
}

/** A bare socket in the machine, bound to the gateway's address: what a program without our care would do. */
export function bareConnect(machine: Machine): string {
  const { gateway, service } = addresses;
  const script = `const s = require('node:net').connect({ host: '${service}', port: 7, localAddress: '${gateway}' }); s.on('error', (e) => { console.log(e.code); }); setTimeout(() => { if (s.connecting) console.log('silence'); s.destroy(); }, 300)`;
  return machine.place.exec(process.execPath, '-e', script).trim();
}
