/** A WireGuard interface through wg(8): the way to the kernel's. Keys reach it on its standard input, in no argument. */
import { run } from './commands.ts';
import type { InterfaceChange, InterfaceState, PeerChange, PeerState, WireGuardInterface } from './interface.ts';

/** Node's pipes are sockets, which cannot be opened by the name /dev/stdin; those of a shell can. */
const fromInput = 'cat | wg "$0" "$1" /dev/stdin';

export class WgToolInterface implements WireGuardInterface {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async read(): Promise<InterfaceState> {
    const [own = '', ...peers] = (await run('wg', ['show', this.#name, 'dump'])).trimEnd().split('\n');
    const [, publicKey, port] = own.split('\t');
    return {
      publicKey: publicKey === '(none)' ? undefined : publicKey,
      port: Number(port),
      peers: peers.map(peerState),
    };
  }

  async write({ self, peers }: InterfaceChange): Promise<void> {
    const gone = peers.filter(({ remove }) => remove === true);
    if (gone.length > 0)
      await run('wg', ['set', this.#name, ...gone.flatMap(({ publicKey }) => ['peer', publicKey, 'remove'])]);
    const lines = self === undefined ? [] : ['[Interface]', `PrivateKey = ${base64(self.privateKey)}`];
    if (self !== undefined) lines.push(`ListenPort = ${self.port}`);
    lines.push(...peers.flatMap(peerLines));
    if (lines.length === 0) return;
    await run('sh', ['-c', fromInput, self === undefined ? 'addconf' : 'setconf', this.#name], `${lines.join('\n')}\n`);
  }
}

function peerLines(peer: PeerChange): string[] {
  if (peer.remove === true) return [];
  return [
    '[Peer]',
    `PublicKey = ${peer.publicKey}`,
    `PresharedKey = ${base64(peer.presharedKey)}`,
    ...(peer.endpoint === undefined ? [] : [`Endpoint = ${peer.endpoint}`]),
    `AllowedIPs = ${peer.allowedIps.join(', ')}`,
    `PersistentKeepalive = ${peer.keepaliveS}`,
  ];
}

/** `wg show … dump`: key, psk, endpoint, allowed IPs, handshake in seconds, bytes in, bytes out, keepalive. */
function peerState(line: string): PeerState {
  const [publicKey = '', , endpoint = '', allowedIps = '', handshakeS = '0', bytesIn, bytesOut] = line.split('\t');
  return {
    publicKey,
    endpoint: endpoint === '(none)' ? undefined : endpoint,
    allowedIps: allowedIps === '(none)' ? [] : allowedIps.split(','),
    lastHandshake: handshakeS === '0' ? undefined : Number(handshakeS) * 1_000,
    bytesIn: Number(bytesIn),
    bytesOut: Number(bytesOut),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
