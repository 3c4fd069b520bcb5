/** What somebody sees who taps a network interface: tcpdump, whole packets, into a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Namespace } from '../../support/namespace.ts';

/** WireGuard's message types (its paper, section 5.4). */
export const wireGuardTypes = { initiation: 1, response: 2, data: 4 } as const;

const fileHeader = 24;
const recordHeader = 16;

export class Capture {
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  /** Begins to listen. @param inside the namespace of the interface; ours without it. */
  static async start(device: string, inside?: Namespace): Promise<Capture> {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-capture-'));
    // Unbuffered in both senses, and not as another user, who could not write there.
    const args = ['-i', device, '--immediate-mode', '-U', '-n', '-s', '0', '-Z', 'root', '-w', join(folder, 'pcap')];
    const options = { stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'] };
    const child = inside === undefined ? spawn('tcpdump', args, options) : inside.spawn('tcpdump', args, options);
    let said = '';
    while (!said.includes('listening on')) {
      const [chunk] = (await once(child.stderr as NodeJS.EventEmitter, 'data')) as [Buffer];
      said += chunk.toString();
    }
    child.stderr?.resume();
    return new Capture(child, folder);
  }

  /** Ends it. @returns every packet, from its link-layer header on. */
  async end(): Promise<Buffer[]> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await exited;
    const file = readFileSync(join(this.#folder, 'pcap'));
    rmSync(this.#folder, { recursive: true });
    return packetsOf(file);
  }
}

/** Classic pcap in this machine's byte order. */
function packetsOf(file: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = fileHeader; at + recordHeader <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    packets.push(file.subarray(at + recordHeader, at + recordHeader + length));
    at += recordHeader + length;
  }
  return packets;
}

/** The payloads of IPv4 UDP packets on an Ethernet-like link to or from a port. */
export function udpPayloads(packets: readonly Buffer[], port: number): Buffer[] {
  return packets.flatMap((packet) => {
    const isIp4 = packet.length > 42 && packet.readUInt16BE(12) === 0x0800 && packet[23] === 17;
    if (!isIp4) return [];
    const udp = 14 + ((packet[14] ?? 0) & 15) * 4;
    const ports = [packet.readUInt16BE(udp), packet.readUInt16BE(udp + 2)];
    return ports.includes(port) ? [packet.subarray(udp + 8)] : [];
  });
}
