/**
 * Network namespaces for tests: a far network of its own, one veth pair away, with a real wireguard-go in it.
 * Needs Linux, root, /dev/net/tun, and Debian's iproute2, wireguard-go and wireguard-tools. Where something is missing
 * the tests are skipped with one visible line; with `CI=true` that is a failure.
 *
 *     test('…', needsNamespaces, async (t) => {
 *       const far = newNamespace();
 *       t.after(() => far.destroy());
 *       const go = await far.startWireGuard({ addresses: ['10.7.0.2/24'], peers: [{ publicKey, allowedIps, endpoint }] });
 *       device.setPeer({ publicKey: go.publicKey, allowedIps: ['10.7.0.2/32'], endpoint: `${far.far4}:${go.port}` });
 *     });
 */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';

/** Runs a command to its end. @throws with what it said on stderr. */
function run(command: string, args: readonly string[], input = ''): string {
  return execFileSync(command, args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

function whatIsMissing(): string | null {
  if (process.platform !== 'linux') return 'Linux';
  if (process.getuid?.() !== 0) return 'root';
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch {
    return '/dev/net/tun';
  }
  for (const [command, argument] of [
    ['ip', '-V'],
    ['wg', '--version'],
    ['wireguard-go', '--version'],
  ] as const) {
    try {
      run(command, [argument]);
    } catch {
      return command;
    }
  }
  const probe = `lkprobe${process.pid}`;
  try {
    run('ip', ['netns', 'add', probe]);
    run('ip', ['netns', 'del', probe]);
  } catch {
    return 'the right to make network namespaces';
  }
  return null;
}

const missing = whatIsMissing();
if (missing !== null) {
  const line = `namespaces: ${missing} is missing, so nothing is tested against wireguard-go`;
  if (process.env['CI'] === 'true') throw new Error(line);
  console.warn(line);
}

/** For `test(name, needsNamespaces, …)`. */
export const needsNamespaces = missing === null ? {} : { skip: `${missing} is missing` };

export interface WireGuardPeer {
  /** Base64. */
  readonly publicKey: string;
  readonly presharedKey?: Uint8Array;
  /** Also become routes of the namespace. */
  readonly allowedIps: readonly string[];
  readonly endpoint?: string;
  readonly keepaliveS?: number;
}

export interface WireGuardOptions {
  /** 32 bytes; fresh ones without it. */
  readonly privateKey?: Uint8Array;
  /** UDP port, 51820 without it: every namespace has all ports for itself. */
  readonly port?: number;
  /** Inner addresses with their length. */
  readonly addresses: readonly string[];
  readonly peers: readonly WireGuardPeer[];
}

export interface WireGuardProcess {
  readonly interfaceName: string;
  readonly publicKey: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** `wg show … dump` of the peers: one line each. */
  show(): string;
  /** Seconds since the epoch of the latest handshake with a peer, 0 for none. */
  latestHandshake(publicKey: string): number;
  /** Adds a peer, which takes the addresses it is given from whoever had them. */
  addPeer(peer: WireGuardPeer): void;
  removePeer(publicKey: string): void;
  /** Ends the process; the interface and its sessions are gone then. */
  stop(): Promise<void>;
}

export interface Namespace {
  readonly name: string;
  /** Our end of the veth pair: name and addresses. */
  readonly nearDevice: string;
  readonly near4: string;
  readonly near6: string;
  /** The other end's addresses. */
  readonly far4: string;
  readonly far6: string;
  /** Runs a command inside, to its end. */
  exec(command: string, ...args: string[]): string;
  /** Starts a process inside; it is ended with the namespace. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** One wireguard-go with one interface; resolves when it is configured and up. */
  startWireGuard(options: WireGuardOptions): Promise<WireGuardProcess>;
  destroy(): Promise<void>;
}

let made = 0;
const alive = new Set<FarNamespace>();
// A test process that dies early leaves nothing behind.
process.on('exit', () => {
  for (const namespace of alive) namespace.destroyNow();
});

/** Makes a namespace with both ends of its veth pair up and addressed. */
export function newNamespace(): Namespace {
  return new FarNamespace(made++);
}

/** A /30 of 198.18.0.0/15, the range kept for tests of network equipment (RFC 2544), that no interface has. */
function freeSubnet(wish: number): { near: string; far: string } {
  const taken = run('ip', ['-4', '-o', 'addr', 'show']);
  for (let n = 0; n < 32_768; n++) {
    const base = ((wish + n) % 32_768) * 4;
    const prefix = `198.${18 + (base >> 16)}.${(base >> 8) & 0xff}`;
    const near = `${prefix}.${(base & 0xff) + 1}`;
    if (!taken.includes(` ${near}/`)) return { near, far: `${prefix}.${(base & 0xff) + 2}` };
  }
  throw new Error('all test subnets are taken');
}

class FarNamespace implements Namespace {
  readonly name: string;
  readonly nearDevice: string;
  readonly near4: string;
  readonly near6: string;
  readonly far4: string;
  readonly far6: string;
  readonly #tag: string;
  readonly #children = new Set<ChildProcess>();
  #interfaces = 0;

  constructor(sequence: number) {
    this.#tag = `lk${process.pid}x${sequence}`;
    this.name = this.#tag;
    this.nearDevice = `${this.#tag}n`;
    const { near, far } = freeSubnet(process.pid * 7 + sequence);
    const prefix6 = `fd6c:6b74:${(process.pid >>> 16).toString(16)}:${(process.pid & 0xffff).toString(16)}:${sequence.toString(16)}`;
    this.near4 = near;
    this.far4 = far;
    this.near6 = `${prefix6}::1`;
    this.far6 = `${prefix6}::2`;
    alive.add(this);
    try {
      this.#connect();
    } catch (cause) {
      this.destroyNow();
      throw cause;
    }
  }

  exec(command: string, ...args: string[]): string {
    return run('ip', ['netns', 'exec', this.name, command, ...args]);
  }

  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.name, command, ...args], options);
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  startWireGuard(options: WireGuardOptions): Promise<WireGuardProcess> {
    return startWireGuard(this, `${this.#tag}w${this.#interfaces++}`, options);
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#children].map(end));
    this.destroyNow();
  }

  /** For the end of the process, when nothing can be awaited. */
  destroyNow(): void {
    if (!alive.delete(this)) return;
    for (const child of this.#children) child.kill('SIGKILL');
    for (const args of [
      ['link', 'del', this.nearDevice],
      ['netns', 'del', this.name],
    ]) {
      try {
        run('ip', args);
      } catch {
        // It was never made, or is gone already.
      }
    }
  }

  #connect(): void {
    const farDevice = `${this.#tag}f`;
    run('ip', ['netns', 'add', this.name]);
    run('ip', ['link', 'add', this.nearDevice, 'type', 'veth', 'peer', 'name', farDevice, 'netns', this.name]);
    run('ip', ['addr', 'add', `${this.near4}/30`, 'dev', this.nearDevice]);
    // Without duplicate address detection, which would leave the address unusable for a second.
    run('ip', ['-6', 'addr', 'add', `${this.near6}/80`, 'dev', this.nearDevice, 'nodad']);
    run('ip', ['link', 'set', this.nearDevice, 'up']);
    this.exec('ip', 'addr', 'add', `${this.far4}/30`, 'dev', farDevice);
    this.exec('ip', '-6', 'addr', 'add', `${this.far6}/80`, 'dev', farDevice, 'nodad');
    this.exec('ip', 'link', 'set', farDevice, 'up');
    this.exec('ip', 'link', 'set', 'lo', 'up');
  }
}

/** Where commands and processes run: a namespace, or this machine's own network ({@link here}). */
export type Place = Pick<Namespace, 'exec' | 'spawn'>;

/** The network this process is in. The caller ends what it spawns. */
export const here: Place = {
  exec: (command, ...args) => run(command, args),
  spawn: (command, args, options = {}) => spawn(command, args, options),
};

/**
 * A wireguard-go in the foreground with one interface.
 * @param interfaceName also the name of its control socket, in a directory that all namespaces share
 */
export async function startWireGuard(
  place: Place,
  interfaceName: string,
  options: WireGuardOptions,
): Promise<WireGuardProcess> {
  const child = place.spawn('wireguard-go', ['-f', interfaceName], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, WG_PROCESS_FOREGROUND: '1', LOG_LEVEL: 'verbose' },
  });
  await untilSays(child, 'UAPI listener started');
  const privateKey = options.privateKey ?? randomBytes(32);
  const port = options.port ?? 51_820;
  // Through cat: Node's pipes are sockets, which cannot be opened by the name /dev/stdin.
  const configure = (how: 'setconf' | 'addconf', text: string) =>
    run('sh', ['-c', `cat | wg ${how} "$0" /dev/stdin`, interfaceName], text);
  configure('setconf', configOf(privateKey, port, options.peers));
  for (const address of options.addresses) {
    const family = address.includes(':') ? ['-6'] : ['-4'];
    const nodad = address.includes(':') ? ['nodad'] : [];
    place.exec('ip', ...family, 'addr', 'add', address, 'dev', interfaceName, ...nodad);
  }
  place.exec('ip', 'link', 'set', interfaceName, 'mtu', '1420', 'up');
  for (const prefix of options.peers.flatMap((peer) => peer.allowedIps)) {
    place.exec('ip', prefix.includes(':') ? '-6' : '-4', 'route', 'replace', prefix, 'dev', interfaceName);
  }
  return {
    interfaceName,
    publicKey: publicKeyOf(privateKey),
    port,
    process: child,
    show: () => run('wg', ['show', interfaceName, 'dump']).split('\n').slice(1).join('\n'),
    latestHandshake: (publicKey) => latestHandshake(interfaceName, publicKey),
    addPeer: (peer) => configure('addconf', peersOf([peer])),
    removePeer: (publicKey) => run('wg', ['set', interfaceName, 'peer', publicKey, 'remove']),
    stop: () => end(child),
  };
}

function configOf(privateKey: Uint8Array, port: number, peers: readonly WireGuardPeer[]): string {
  return `[Interface]\nPrivateKey = ${base64(privateKey)}\nListenPort = ${port}\n${peersOf(peers)}`;
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

function peersOf(peers: readonly WireGuardPeer[]): string {
  const lines: string[] = [];
  for (const peer of peers) {
    lines.push('[Peer]', `PublicKey = ${peer.publicKey}`, `AllowedIPs = ${peer.allowedIps.join(', ')}`);
    if (peer.presharedKey !== undefined) lines.push(`PresharedKey = ${base64(peer.presharedKey)}`);
    if (peer.endpoint !== undefined) lines.push(`Endpoint = ${peer.endpoint}`);
    if (peer.keepaliveS !== undefined) lines.push(`PersistentKeepalive = ${peer.keepaliveS}`);
  }
  return `${lines.join('\n')}\n`;
}

/** By node:crypto directly, so that what is tested does not vouch for itself. */
export function publicKeyOf(privateKey: Uint8Array): string {
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), privateKey]);
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  return key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
}

function latestHandshake(interfaceName: string, publicKey: string): number {
  const lines = run('wg', ['show', interfaceName, 'latest-handshakes']).split('\n');
  return Number(lines.find((line) => line.startsWith(publicKey))?.split('\t')[1] ?? 0);
}

/** Resolves when a child has written `text`; rejects when it ends before. */
async function untilSays(child: ChildProcess, text: string): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (said.includes(text)) resolve();
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${said.slice(-500)}`)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await exited;
  clearTimeout(insist);
}
