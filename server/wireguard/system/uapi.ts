/**
 * WireGuard's cross-platform configuration protocol (https://www.wireguard.com/xplatform/), as wireguard-go speaks it on
 * a Unix socket: lines of `key=value`, keys in hex, an empty line at the end, and `errno=` in each answer.
 *
 *     set=1            get=1
 *     public_key=…
 *     …                → private_key=… listen_port=… public_key=… … errno=0
 */
import { connect } from 'node:net';
import { encodePublicKey, PrivateKey, type StaticPublic } from '../keys.ts';
import type { InterfaceChange, InterfaceState, PeerChange, PeerState, WireGuardInterface } from './interface.ts';

const limitMs = 5_000;
/** 4,096 peers with a few addresses each. */
const maxAnswerBytes = 8 * 1024 * 1024;

export const controlSocketOf = (name: string): string => `/var/run/wireguard/${name}.sock`;

/** The interface is not there, or refused; never with anything of a key. */
export class UapiError extends Error {
  readonly code: 'interface_gone' | 'interface_refused';
  constructor(code: UapiError['code'], options?: ErrorOptions) {
    super(
      code === 'interface_gone' ? 'The WireGuard interface does not answer.' : 'The WireGuard interface refused.',
      options,
    );
    this.name = 'UapiError';
    this.code = code;
  }
}

export class UapiInterface implements WireGuardInterface {
  readonly #path: string;

  constructor(name: string) {
    this.#path = controlSocketOf(name);
  }

  async read(): Promise<InterfaceState> {
    return parseState(await exchange(this.#path, 'get=1\n\n'));
  }

  async write({ self, peers }: InterfaceChange): Promise<void> {
    const lines = ['set=1'];
    if (self !== undefined)
      lines.push(`private_key=${hex(self.privateKey)}`, `listen_port=${self.port}`, 'replace_peers=true');
    lines.push(...peers.flatMap(peerLines));
    await exchange(this.#path, `${lines.join('\n')}\n\n`);
  }
}

function peerLines(peer: PeerChange): string[] {
  const name = `public_key=${hex(Buffer.from(peer.publicKey, 'base64'))}`;
  if (peer.remove === true) return [name, 'remove=true'];
  return [
    name,
    `preshared_key=${hex(peer.presharedKey)}`,
    ...(peer.endpoint === undefined ? [] : [`endpoint=${peer.endpoint}`]),
    'replace_allowed_ips=true',
    ...peer.allowedIps.map((prefix) => `allowed_ip=${prefix}`),
    `persistent_keepalive_interval=${peer.keepaliveS}`,
  ];
}

/** One question on a connection of its own. @throws UapiError */
function exchange(path: string, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(path, () => socket.write(question));
    const gone = (cause?: Error) => reject(new UapiError('interface_gone', cause === undefined ? {} : { cause }));
    socket.setEncoding('utf8').setTimeout(limitMs, () => socket.destroy());
    socket.on('data', (chunk: string) => {
      answer += chunk;
      const errno = /(?:^|\n)errno=(-?\d+)\n\n$/.exec(answer)?.[1];
      if (errno === undefined && answer.length <= maxAnswerBytes) return;
      socket.destroy();
      if (errno === '0') resolve(answer);
      else reject(new UapiError('interface_refused'));
    });
    socket.on('error', gone);
    socket.on('close', () => gone());
  });
}

function parseState(answer: string): InterfaceState {
  let [publicKey, port]: [string | undefined, number] = [undefined, 0];
  const peers: Record<string, string[]>[] = [];
  for (const line of answer.split('\n')) {
    const at = line.indexOf('=');
    const [key, value] = [line.slice(0, Math.max(0, at)), line.slice(at + 1)];
    if (key === 'private_key') publicKey = publicOf(value);
    else if (key === 'listen_port') port = Number(value);
    else if (key === 'public_key') peers.push({ public_key: [value] });
    else (peers.at(-1) ?? {})[key] = [...(peers.at(-1)?.[key] ?? []), value];
  }
  return { publicKey, port, peers: peers.map(peerState) };
}

function publicOf(privateHex: string): string {
  const bytes = Buffer.from(privateHex, 'hex');
  try {
    return encodePublicKey(new PrivateKey<StaticPublic>(bytes).publicKey);
  } finally {
    bytes.fill(0);
  }
}

function peerState(fields: Record<string, string[]>): PeerState {
  const number = (key: string) => Number(fields[key]?.[0] ?? 0);
  const handshakeMs = number('last_handshake_time_sec') * 1_000 + number('last_handshake_time_nsec') / 1e6;
  return {
    publicKey: Buffer.from(fields['public_key']?.[0] ?? '', 'hex').toString('base64'),
    endpoint: fields['endpoint']?.[0],
    allowedIps: fields['allowed_ip'] ?? [],
    lastHandshake: handshakeMs === 0 ? undefined : handshakeMs,
    bytesIn: number('rx_bytes'),
    bytesOut: number('tx_bytes'),
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
