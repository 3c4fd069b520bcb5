/** Wireshark's own reading of what we put on the wire, given the keys: a third implementation beside wireguard-go's. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';
import { FakeClock } from './fake-clock.ts';
import { type Captured, MemoryNetwork } from './memory-network.ts';
import { echoPacket } from './packets.ts';
import { addressA, addressB } from './pair.ts';
import { newSeed, Seeded } from './seeded.ts';

/** Raw IP packets, in the classic format of libpcap (link type 101). */
function pcap(captured: readonly Captured[]): Uint8Array {
  const header = Buffer.alloc(24);
  for (const [at, value] of [0xa1b2c3d4, 0x0002_0004, 0, 0, 0xffff, 101].entries()) header.writeUInt32BE(value, 4 * at);
  const records = captured.map((one, index) => {
    const packet = udpPacket(one);
    const record = Buffer.alloc(16);
    for (const [at, value] of [index, 0, packet.length, packet.length].entries()) record.writeUInt32BE(value, 4 * at);
    return Buffer.concat([record, packet]);
  });
  return Buffer.concat([header, ...records]);
}

function udpPacket({ from, to, datagram }: Captured): Buffer {
  const packet = Buffer.alloc(28 + datagram.length);
  packet.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17]);
  packet.writeUInt16BE(packet.length, 2);
  packet.set(from.address.split('.').map(Number), 12);
  packet.set(to.address.split('.').map(Number), 16);
  for (const [at, value] of [from.port, to.port, 8 + datagram.length, 0].entries())
    packet.writeUInt16BE(value, 20 + 2 * at);
  packet.set(datagram, 28);
  return packet;
}

function version(): string | null {
  try {
    return execFileSync('tshark', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return null;
  }
}

const needsTshark = version() === null ? { skip: 'tshark is missing' } : {};

for (const psk of [undefined, randomBytes(32)])
  test(
    `BR-7: tshark reads our packets ${psk ? 'with' : 'without'} a preshared key, by our keys`,
    needsTshark,
    async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'tshark-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const clock = new FakeClock();
      const network = new MemoryNetwork(clock, new Seeded(newSeed()));
      const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
      const log: string[] = [];
      // Whatever the initiator draws may become an ephemeral key; tshark takes the one that fits.
      const random = (length: number) => {
        const drawn = Uint8Array.from(randomBytes(length));
        if (length === 32) log.push(`LOCAL_EPHEMERAL_PRIVATE_KEY=${base64(drawn)}`);
        return drawn;
      };
      const [ours, theirs] = [randomBytes(32), randomBytes(32)];
      const [a, b] = [
        new WireGuardDevice({ privateKey: ours, clock, random, wire: network.wire('192.0.2.1') }),
        new WireGuardDevice({ privateKey: theirs, clock, wire: network.wire('192.0.2.2') }),
      ];
      await Promise.all([a.listen({ port: 51_820 }), b.listen({ port: 51_820 })]);
      const more = psk === undefined ? {} : { presharedKey: psk };
      const [keyA, keyB] = [base64(a.publicKey), base64(b.publicKey)];
      a.setPeer({ publicKey: keyB, allowedIps: [`${addressB}/32`], endpoint: '192.0.2.2:51820', ...more });
      b.setPeer({ publicKey: keyA, allowedIps: [`${addressA}/32`], ...more });
      const payloads = [1, 2, 3].map((sequence) => ({
        sequence,
        payload: Uint8Array.from(randomBytes(40 * sequence)),
      }));
      for (const packet of payloads) {
        a.send(echoPacket({ source: addressA, destination: addressB, ...packet }));
        clock.advance(50);
      }

      const [capture, keys] = [join(folder, 'wire.pcap'), join(folder, 'keys.txt')];
      writeFileSync(capture, pcap(network.captured));
      // The preshared key belongs to the ephemeral key before it.
      const lines = log.flatMap((line) => (psk === undefined ? [line] : [line, `PRESHARED_KEY=${base64(psk)}`]));
      const statics = [`LOCAL_STATIC_PRIVATE_KEY=${base64(ours)}`, `REMOTE_STATIC_PUBLIC_KEY=${keyB}`];
      writeFileSync(keys, `${[...statics, ...lines].join('\n')}\n`);
      const read = (keylog: string) =>
        execFileSync(
          'tshark',
          [
            '-r',
            capture,
            '-o',
            `wg.keylog_file:${keylog}`,
            '-Y',
            'icmp',
            '-T',
            'fields',
            '-e',
            'icmp.seq',
            '-e',
            'data.data',
          ],
          { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
        );
      const seen = read(keys).trim().split('\n');
      assert.deepEqual(
        seen,
        payloads.map(({ sequence, payload }) => `${sequence}\t${Buffer.from(payload).toString('hex')}`),
      );
      assert.equal(read('').trim(), '', 'without the keys nothing is read');
      await Promise.all([a.close(), b.close()]);
    },
  );
