/**
 * Files of wg-quick(8) and wg(8) setconf, as far as they speak of peers: read for `wg import`, written for `wg export`.
 * What stands under [Interface] is checked by name and passed over, because the gateway has a key and addresses of its own.
 *
 *     [Peer]                       # one section for each
 *     PublicKey = base64           # needed
 *     PresharedKey = base64
 *     AllowedIPs = 10.0.0.0/24, …  # needed, may come again
 *     Endpoint = 192.0.2.1:51820
 *     PersistentKeepalive = 25     # seconds, or off
 */
import { type AddressRange, overlap, parseRange } from '../control/address-range.ts';
import { WireGuardError } from '../wireguard/errors.ts';
import { parsePrefix } from '../wireguard/ip.ts';
import { decodePublicKey } from '../wireguard/keys.ts';
import { parseEndpoint } from '../wireguard/wire.ts';
import { CommandFailure } from './output.ts';

export interface QuickPeer {
  publicKey?: string;
  presharedKey?: string;
  allowedIps: string[];
  endpoint?: string;
  keepaliveS?: number;
}

/** A peer that has what it needs. */
export type WholePeer = QuickPeer & { readonly publicKey: string };

const interfaceKeys = new Set(
  'privatekey listenport fwmark address dns mtu table preup postup predown postdown saveconfig'.split(' '),
);

/** Why a line is none; the message never repeats it, since it may hold a key. */
class LineError extends Error {}

/** Takes one value of a peer. */
const setters: Readonly<Record<string, (peer: QuickPeer, value: string) => void>> = {
  publickey: (peer, value) => {
    peer.publicKey = key(once(peer.publicKey, value));
  },
  presharedkey: (peer, value) => {
    peer.presharedKey = key(once(peer.presharedKey, value));
  },
  allowedips: (peer, value) => {
    const prefixes = value.split(',').map((text) => text.trim());
    for (const prefix of prefixes) parsePrefix(prefix);
    peer.allowedIps.push(...prefixes);
  },
  endpoint: (peer, value) => {
    if (!parseEndpoint(once(peer.endpoint, value)).literal) throw new LineError('the endpoint must be an IP address');
    peer.endpoint = value;
  },
  persistentkeepalive: (peer, value) => {
    if (value !== 'off' && !(/^\d{1,5}$/.test(value) && Number(value) <= 65_535))
      throw new LineError('a persistent keepalive is 0 to 65535 whole seconds or "off"');
    peer.keepaliveS = value === 'off' ? 0 : Number(value);
  },
};

function once(before: string | undefined, value: string): string {
  if (before !== undefined) throw new LineError('this setting was there before in the same section');
  return value;
}

function key(value: string): string {
  decodePublicKey(value);
  return value;
}

/**
 * Reads the peers of a file.
 * @throws CommandFailure `wg_quick_malformed` with the line and the reason; nothing of the file is repeated
 */
export function readQuickPeers(text: string): WholePeer[] {
  const reader = new QuickReader();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    try {
      reader.take(index + 1, line.replace(/#.*/, '').trim());
    } catch (error) {
      if (error instanceof LineError || error instanceof WireGuardError) throw malformed(index + 1, error.message);
      throw error;
    }
  }
  return reader.end();
}

class QuickReader {
  #section: 'none' | 'interface' | 'peer' = 'none';
  #peer: QuickPeer = { allowedIps: [] };
  /** Where the section at hand begins. */
  #line = 0;
  readonly #peers = new Map<string, WholePeer>();
  /** Addresses of the peers before: one that is two peers' would be whose comes last. */
  readonly #taken: AddressRange[] = [];

  take(line: number, text: string): void {
    if (text === '') return;
    if (text.startsWith('[')) {
      this.#finish();
      this.#section = sectionOf(text);
      this.#line = line;
      this.#peer = { allowedIps: [] };
      return;
    }
    const equals = text.indexOf('=');
    if (equals < 1) throw new LineError('a line is "Name = value" or a section in brackets');
    this.#set(text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim());
  }

  #set(name: string, value: string): void {
    if (this.#section === 'none') throw new LineError('a setting must stand under [Interface] or [Peer]');
    if (this.#section === 'interface') {
      if (!interfaceKeys.has(name)) throw new LineError('[Interface] has no setting of this name');
      return;
    }
    const set = Object.hasOwn(setters, name) ? setters[name] : undefined;
    if (set === undefined) throw new LineError('[Peer] has no setting of this name');
    set(this.#peer, value);
  }

  /** @throws CommandFailure */
  end(): WholePeer[] {
    this.#finish();
    return [...this.#peers.values()];
  }

  #finish(): void {
    if (this.#section !== 'peer') return;
    const { publicKey, allowedIps } = this.#peer;
    if (publicKey === undefined) throw malformed(this.#line, 'this peer has no PublicKey');
    if (allowedIps.length === 0) throw malformed(this.#line, 'this peer has no AllowedIPs');
    if (this.#peers.has(publicKey)) throw malformed(this.#line, 'this peer was there before');
    const ranges = allowedIps.flatMap((text) => parseRange(text) ?? []);
    if (ranges.some((range) => this.#taken.some((other) => overlap(range, other))))
      throw malformed(this.#line, 'the AllowedIPs of this peer overlap those of one before');
    this.#taken.push(...ranges);
    this.#peers.set(publicKey, { ...this.#peer, publicKey });
  }
}

function sectionOf(text: string): 'interface' | 'peer' {
  const name = text.toLowerCase();
  if (name === '[interface]') return 'interface';
  if (name === '[peer]') return 'peer';
  throw new LineError('a section is [Interface] or [Peer]');
}

function malformed(line: number, reason: string): CommandFailure {
  return new CommandFailure('wg_quick_malformed', `Line ${line}: ${reason.replace(/\.$/, '')}.`);
}

/** What the admin API says of a peer. */
export type ShownPeer = WholePeer & { readonly name: string };

/** The peers in the same form, without secrets: those leave the control plane for a gateway and nobody else. */
export function writeQuickPeers(port: number | undefined, peers: readonly ShownPeer[]): string {
  const lines = ['# Private and preshared keys are not exported.', '[Interface]'];
  if (port !== undefined) lines.push(`ListenPort = ${port}`);
  for (const { name, publicKey, allowedIps, endpoint, keepaliveS } of peers) {
    lines.push('', `# ${name}`, '[Peer]', `PublicKey = ${publicKey}`, `AllowedIPs = ${allowedIps.join(', ')}`);
    if (endpoint !== undefined) lines.push(`Endpoint = ${endpoint}`);
    if (keepaliveS !== undefined) lines.push(`PersistentKeepalive = ${keepaliveS}`);
  }
  return lines.join('\n');
}
