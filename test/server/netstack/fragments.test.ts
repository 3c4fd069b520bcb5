/** Datagrams in pieces: put together in any order, refused where the pieces overlap, and bounded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fragmentsOf } from '../../../server/netstack/fragmenting.ts';
import { Fragments } from '../../../server/netstack/fragments.ts';
import { IpView } from '../../../server/netstack/ip-packet.ts';
import { FRAGMENT_LIFE_MS, MAX_FRAGMENT_BYTES, MAX_FRAGMENTED_OF_SOURCE } from '../../../server/netstack/limits.ts';
import { parseIp } from '../../../server/netstack/parse-ip.ts';
import { NetStack } from '../../../server/netstack/stack.ts';
import { makeIp, pseudoChecksum, slowChecksum } from './support/packets.ts';
import { seeded } from './support/random.ts';

const addresses = { 4: ['10.0.0.1', '10.0.0.2'], 6: ['fd00::1', 'fd00::2'] } as const;

/** A datagram of so many bytes from one stack, in the packets it sends. */
function datagram(version: 4 | 6, size: number): { packets: Uint8Array[]; content: Uint8Array } {
  const packets: Uint8Array[] = [];
  const [ours, theirs] = addresses[version];
  const stack = new NetStack({ addresses: [ours], output: (packet) => packets.push(packet) });
  const content = Uint8Array.from({ length: size }, (_, n) => n % 251);
  assert.equal(stack.openUdp({ host: theirs, port: 53 }).send(content), true);
  return { packets, content };
}

function receiver(version: 4 | 6) {
  const stack = new NetStack({ addresses: [addresses[version][1]], output: () => {} });
  const got: Uint8Array[] = [];
  stack.openUdp({ port: 53 }).onDatagram = (bytes) => got.push(bytes);
  return { stack, got };
}

for (const version of [4, 6] as const) {
  test(`QPT-6: datagrams larger than a packet come whole over IPv${version}, their pieces in any order and twice`, () => {
    const random = seeded(7);
    for (const size of [1_400, 1_500, 2_800, 9_000, 65_000]) {
      const { packets, content } = datagram(version, size);
      assert.ok(packets.length > 1 && packets.every((packet) => packet.length <= 1_420));
      const { stack, got } = receiver(version);
      const mixed = packets.flatMap((packet) => [packet, packet]).sort(() => random() - 0.5);
      const last = mixed.at(-1)!;
      for (const packet of mixed.filter((one, at) => one !== last || at === mixed.indexOf(last))) stack.input(packet);
      assert.deepEqual(got, [content]);
    }
  });

  test(`QPT-6: pieces that overlap end the whole datagram over IPv${version}, also those that come later`, () => {
    const { packets } = datagram(version, 4_000);
    const { stack, got } = receiver(version);
    const whole = datagram(version, 4_000).packets;
    // The same place with other bytes, under the identification of the first.
    const other = whole[1]!.slice();
    const id = version === 4 ? [4, 6] : [44, 48];
    other.set(packets[1]!.subarray(id[0], id[1]), id[0]);
    other[other.length - 1]! ^= 1;
    if (version === 4) other.set(packets[1]!.subarray(10, 12), 10);
    for (const packet of [packets[0]!, packets[1]!, other, packets[2]!, ...packets]) stack.input(packet);
    assert.deepEqual(got, []);
    assert.ok(stack.stats().dropped.fragment >= 2);
  });
}

/** Port unreachable, about a packet of ours. */
function icmpError(version: 4 | 6, about: Uint8Array): Uint8Array {
  const [ours, theirs] = addresses[version];
  const message = Uint8Array.from([...(version === 4 ? [3, 3] : [1, 4]), 0, 0, 0, 0, 0, 0, ...about]);
  const sum = version === 4 ? slowChecksum(message) : pseudoChecksum(theirs, ours, 58, message);
  new DataView(message.buffer).setUint16(2, sum);
  return makeIp(theirs, ours, version === 4 ? 1 : 58, message);
}

/** A piece at the table itself. */
function take(table: Fragments, packet: Uint8Array, now: number): ReturnType<Fragments['take']> {
  const view = new IpView();
  assert.equal(parseIp(packet, view), null);
  return table.take(packet, view, now);
}

test('QPT-6: a datagram whose rest does not come is forgotten in time', () => {
  const table = new Fragments();
  const { packets } = datagram(4, 2_000);
  assert.equal(take(table, packets[0]!, 0), null);
  assert.ok(table.size > 0);
  assert.equal(take(table, packets[1]!, FRAGMENT_LIFE_MS), null, 'the first piece is gone');
});

test('QPT-6: whoever begins datagrams without end takes room from nobody else, and no more than there is', () => {
  const table = new Fragments();
  const honest = datagram(6, 2_000).packets;
  assert.equal(take(table, honest[0]!, 0), null);
  const { packets } = datagram(4, 60_000);
  for (let id = 0; id < 2_000; id++) {
    const [first] = fragmentsOf(whole(packets), 1_400, id);
    take(table, first!, 1);
    assert.ok(table.size <= Math.min(MAX_FRAGMENT_BYTES, (MAX_FRAGMENTED_OF_SOURCE + 2) * 1_420));
  }
  assert.ok(take(table, honest[1]!, 2) instanceof Uint8Array);
});

/** The packet that the pieces are of. */
function whole(packets: readonly Uint8Array[]): Uint8Array {
  const table = new Fragments();
  const done = packets.map((packet) => take(table, packet, 0)).find((one) => one instanceof Uint8Array);
  assert.ok(done instanceof Uint8Array);
  return done;
}

test('QPT-6: a piece that is empty, or not of whole units though more is to come, is malformed', () => {
  const { packets } = datagram(4, 2_000);
  for (const length of [20, 20 + 13]) {
    const cut = packets[0]!.slice(0, length);
    const view = new DataView(cut.buffer);
    view.setUint16(2, length);
    // The checksum of the header, by the difference of its one changed word (RFC 1624).
    let sum = (~view.getUint16(10) & 0xffff) + (~packets[0]!.length & 0xffff) + length;
    sum = (sum & 0xffff) + (sum >>> 16);
    sum = (sum & 0xffff) + (sum >>> 16);
    view.setUint16(10, ~sum & 0xffff);
    assert.equal(take(new Fragments(), cut, 0), 'malformed');
  }
});

for (const version of [4, 6] as const)
  test(`QPT-6: an ICMPv${version} error that nothing listens reaches the UDP socket that sent, and no other`, () => {
    const sent: Uint8Array[] = [];
    const [ours, theirs] = addresses[version];
    const stack = new NetStack({ addresses: [ours], output: (packet) => sent.push(packet) });
    const asking = stack.openUdp({ host: theirs, port: 53 });
    const bystander = stack.openUdp({ host: theirs, port: 53 });
    const codes: string[] = [];
    asking.onUnreachable = (code) => codes.push(code);
    bystander.onUnreachable = () => codes.push('somebody else');
    asking.send(Buffer.from('hello'));
    const error = icmpError(version, sent[0]!);
    stack.input(error);
    assert.deepEqual(codes, ['ECONNREFUSED']);
    asking.close();
    stack.input(error);
    assert.deepEqual(codes, ['ECONNREFUSED']);
    assert.equal(stack.stats().dropped['no-connection'], 1);
  });
