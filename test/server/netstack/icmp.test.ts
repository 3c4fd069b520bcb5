/** Echo, and what "packet too big" does to a connection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetStack } from '../../../server/netstack/stack.ts';
import { makeIp, pseudoChecksum, readPacket, slowChecksum } from './support/packets.ts';
import { pattern } from './support/random.ts';
import { connected, digest, sha256 } from './support/transfer.ts';
import { CLIENT4, CLIENT6, Pair, SERVER4, SERVER6 } from './support/wire.ts';

const ECHO = Uint8Array.from([8, 0, 0, 0, 0x12, 0x34, 0, 7, ...Buffer.from('ping body')]);

function icmp4(message: Uint8Array, from = CLIENT4, to = SERVER4): Uint8Array {
  const icmp = message.slice();
  new DataView(icmp.buffer).setUint16(2, slowChecksum(icmp));
  return makeIp(from, to, 1, icmp);
}

function icmp6(message: Uint8Array, from = CLIENT6, to = SERVER6): Uint8Array {
  const icmp = message.slice();
  new DataView(icmp.buffer).setUint16(2, pseudoChecksum(from, to, 58, icmp));
  return makeIp(from, to, 58, icmp);
}

function answering(): { stack: NetStack; sent: Uint8Array[] } {
  const sent: Uint8Array[] = [];
  return { sent, stack: new NetStack({ addresses: [SERVER4, SERVER6], output: (packet) => sent.push(packet) }) };
}

test('answers an echo request with the same body', () => {
  const { stack, sent } = answering();
  stack.input(icmp4(ECHO));
  const reply = ECHO.slice();
  reply[0] = 0;
  const [packet] = sent;
  assert.equal(slowChecksum(packet!.slice(0, 20)), 0);
  assert.equal(slowChecksum(packet!.slice(20)), 0);
  assert.deepEqual([...packet!.slice(12, 20)], [100, 100, 0, 2, 100, 100, 0, 1]);
  assert.deepEqual(packet!.slice(24), reply.slice(4));
  assert.equal(packet![20], 0);
});

test('answers an ICMPv6 echo request with the same body', () => {
  const { stack, sent } = answering();
  const request = ECHO.slice();
  request[0] = 128;
  stack.input(icmp6(request));
  const reply = request.slice();
  reply[0] = 129;
  new DataView(reply.buffer).setUint16(2, pseudoChecksum(SERVER6, CLIENT6, 58, reply));
  assert.deepEqual(sent, [makeIp(SERVER6, CLIENT6, 58, reply)]);
});

test('does not answer a damaged, a foreign, an oversized or an unasked message', () => {
  const { stack, sent } = answering();
  const damaged = icmp4(ECHO);
  damaged[30]! ^= 1;
  stack.input(damaged);
  stack.input(icmp4(ECHO, CLIENT4, '100.100.0.3'));
  stack.input(icmp4(Uint8Array.from([8, 0, 0, 0, ...new Uint8Array(1_500)])));
  stack.input(icmp4(Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0])));
  stack.input(makeIp(CLIENT4, SERVER4, 58, ECHO));
  assert.equal(sent.length, 0);
});

test('an IPv6 packet with extension headers is read, one that asks to be forwarded is not', () => {
  const { stack, sent } = answering();
  const request = ECHO.slice();
  request[0] = 128;
  new DataView(request.buffer).setUint16(2, pseudoChecksum(CLIENT6, SERVER6, 58, request));
  const wrap = (next: number, header: number[]) =>
    makeIp(CLIENT6, SERVER6, next, Uint8Array.from([...header, ...request]));
  stack.input(wrap(0, [60, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0]));
  stack.input(wrap(44, [58, 0, 0, 0, 1, 2, 3, 4]));
  assert.equal(sent.length, 2);
  stack.input(wrap(44, [58, 0, 0, 1, 1, 2, 3, 4]));
  stack.input(wrap(44, [58, 0, 1, 0, 1, 2, 3, 4]));
  stack.input(wrap(43, [58, 0, 0, 1, 0, 0, 0, 0]));
  stack.input(wrap(60, [58, 200, 1, 4, 0, 0, 0, 0]));
  stack.input(
    makeIp(CLIENT6, SERVER6, 60, Uint8Array.from(Array.from({ length: 20 }, () => [60, 0, 1, 4, 0, 0, 0, 0]).flat())),
  );
  assert.equal(sent.length, 2);
  const { dropped } = stack.stats();
  // One piece waits for the rest; the other is not of whole units, though more is to come.
  assert.deepEqual([dropped.fragment, dropped.extension, dropped.malformed], [0, 2, 2]);
});

for (const [name, host] of [
  ['fragmentation needed', SERVER4],
  ['packet too big', SERVER6],
] as const) {
  test(`"${name}" makes a connection send smaller segments and what was lost again`, async () => {
    const pair = new Pair({ delayMs: 10 });
    const { client, server } = await connected(pair, { host });
    const limit = 1_300;
    let largestThrough = 0;
    pair.tap = (packet, direction) => {
      if (direction === 'toClient') return true;
      if (packet.length <= limit) {
        largestThrough = Math.max(largestThrough, packet.length);
        return true;
      }
      const mtu = [limit >> 8, limit & 255];
      const quote = packet.slice(0, 60);
      const error =
        host === SERVER4
          ? icmp4(Uint8Array.from([3, 4, 0, 0, 0, 0, ...mtu, ...quote]), '100.100.0.77', CLIENT4)
          : icmp6(Uint8Array.from([2, 0, 0, 0, 0, 0, ...mtu, ...quote]), 'fd6c:6b::77', CLIENT6);
      pair.deliver(error, 'toClient');
      return false;
    };
    const sent = pattern(500_000);
    const arrived = digest(server);
    client.end(sent);
    const got = await pair.clock.resolve(arrived);
    assert.deepEqual(got, { length: sent.length, sha256: sha256(sent) });
    assert.equal(largestThrough, limit);
  });
}

test('a forged "fragmentation needed" cannot shrink segments below what every host takes', async () => {
  const pair = new Pair({ delayMs: 10 });
  const { client, server } = await connected(pair);
  const lengths: number[] = [];
  let forged = false;
  pair.tap = (packet, direction) => {
    if (direction === 'toClient') return true;
    lengths.push(readPacket(packet).payload.length);
    if (!forged) {
      forged = true;
      const error = Uint8Array.from([3, 4, 0, 0, 0, 0, 0, 68, ...packet.slice(0, 28)]);
      pair.deliver(icmp4(error, '100.100.0.77', CLIENT4), 'toClient');
    }
    return true;
  };
  const arrived = digest(server);
  client.end(pattern(200_000));
  await pair.clock.resolve(arrived);
  assert.equal(lengths.at(-2), 576 - 20 - 20 - 12);
});
