/** UDP flows beside their streams: what a network may do to datagrams, in both directions, and what happens to keys. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { copy, hex, unhex, utf8 } from '../../../protocol/bytes.ts';
import type { Crypto } from '../../../protocol/crypto.ts';
import { DatagramOpener, DatagramSealer, readHeader } from '../../../protocol/datagram.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { settled } from '../../support/fake-clock.ts';
import type { Side } from '../../support/loopback-carrier.ts';
import { nobleCrypto } from '../../support/noble-crypto.ts';
import { needsVectors, vectorsPresent } from '../../support/vectors.ts';
import { bytesOf, fieldOf, numberOf } from '../known-answers.ts';
import { newPair, type PairOptions } from './pair.ts';
import { seededRandom } from './seeded-random.ts';

// ── known answers ──

type KnownDatagram = { direction: 0 | 1; flow: number; epoch: number; counter: number; content: string; bytes: string };
const known = vectorsPresent ? (fieldOf('datagrams') as KnownDatagram[]) : [];
let checked = 0;

for (const [name, crypto] of Object.entries<Crypto>({ 'node:crypto': nodeCrypto, noble: nobleCrypto() }))
  test(`QZ-16: seals and opens the known datagram on ${name}`, needsVectors, () => {
    for (const { direction, flow, epoch, counter, content, bytes } of known) {
      const role = direction === 0 ? 'client' : 'gateway';
      const secret = bytesOf(`epoch${epoch}`, role === 'client' ? 'c' : 'g');
      const sealer = new DatagramSealer(crypto, { role, flow, epoch, secret }, 100);
      for (let i = 0; i < counter; i++) sealer.seal(new Uint8Array(0));
      const sealed = sealer.seal(unhex(content));
      assert.equal(hex(sealed), bytes);
      const opener = new DatagramOpener(crypto, { role, flow, epoch, secret }, 100, 100);
      const opened = opener.open(sealed, readHeader(sealed)!);
      assert.equal(typeof opened === 'string' ? opened : hex(opened), content);
      assert.equal(opener.open(sealed, readHeader(sealed)!), 'replayed');
      // The smallest one: nothing but its type, padded to a block.
      assert.equal(sealer.seal(new Uint8Array(0)).length, numberOf('sizes', 'datagram_overhead'));
      checked++;
    }
  });

after(() => {
  if (vectorsPresent) assert.equal(checked, 2, 'known answers checked');
});

// ── sessions ──

const text = (content: Uint8Array | null): string => Buffer.from(content ?? []).toString();
const faithful = (_from: Side, datagram: Uint8Array): readonly Uint8Array[] => [datagram];

/** A UDP flow; `kept` holds what the network saw. */
async function newFlow(options: PairOptions = {}) {
  const kept: { from: Side; bytes: Uint8Array }[] = [];
  const datagrams = options.datagrams ?? faithful;
  const pair = await newPair({
    ...options,
    datagrams: (from, bytes) => {
      kept.push({ from, bytes: copy(bytes) });
      return datagrams(from, bytes);
    },
  });
  return { ...pair, kept, flow: await pair.open('udp') };
}

for (const [role, other] of [
  ['client', 'gateway'],
  ['gateway', 'client'],
] as const) {
  test(`a datagram of the ${role} goes beside the stream, under the stream's number`, async () => {
    const { flow, kept } = await newFlow();
    await flow[role].write(utf8('hello'));
    assert.equal(text(await flow[other].read()), 'hello');
    assert.equal(kept.length, 1);
    assert.deepEqual(readHeader(kept[0]!.bytes), { epochByte: 0, flow: 2, counter: 0n });
    await flow[role].write(new Uint8Array(0));
    assert.equal((await flow[other].read())?.length, 0, 'nothing at all is a datagram too');
  });

  test(`QZ-2: lost, repeated and reordered datagrams of the ${role}: each that comes is read once`, async () => {
    const seed = Date.now() & 0xffff;
    const random = seededRandom(seed);
    const held: Uint8Array[] = [];
    const { flow, [other]: receiver } = await newFlow({
      datagrams: (from, bytes) => {
        if (from !== role) return [bytes];
        if (random(10) === 0) return [];
        held.push(bytes, ...(random(10) === 0 ? [bytes] : []));
        // Some wait for a while and then come in any order.
        return held.length < 20 ? [] : held.splice(0).sort(() => random(3) - 1);
      },
    });
    const heard: string[] = [];
    const reading = (async () => {
      for (let chunk = await flow[other].read(); chunk; chunk = await flow[other].read()) heard.push(text(chunk));
    })();
    for (let i = 0; i < 2_000; i++) await flow[role].write(utf8(`number ${i}`));
    await settled();
    await flow[role].finish();
    await reading;
    assert.equal(new Set(heard).size, heard.length, `seed ${seed}: one came twice`);
    assert.ok(heard.length > 1_700 && heard.length < 2_000, `seed ${seed}: ${heard.length}`);
    assert.ok(receiver.datagramDrops!.replayed > 100);
    assert.equal(receiver.state.phase, 'open');
  });

  test(`QZ-1: a changed, invented or foreign datagram towards the ${other} is dropped and counted, and nothing else happens`, async () => {
    const { flow, kept, link, [other]: receiver } = await newFlow({ datagrams: () => [] });
    await flow[role].write(utf8('the one'));
    const good = kept[0]!.bytes;
    const inject = async (bytes: Uint8Array) => {
      link.injectDatagram(link[other], bytes);
      await settled();
    };
    for (let bit = 0; bit < good.length * 8; bit++) {
      const changed = copy(good);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      link.injectDatagram(link[other], changed);
    }
    for (let length = 0; length < good.length; length++) link.injectDatagram(link[other], good.subarray(0, length));
    await settled();
    const { malformed, unknown, late, forged, replayed } = receiver.datagramDrops!;
    assert.equal(malformed + unknown + late + forged + replayed, good.length * 9);
    assert.ok(malformed >= 8 && unknown === 32 && late === 8 && forged > 300, JSON.stringify(receiver.datagramDrops));
    // What is turned around fails like everything else.
    link.injectDatagram(link[role], good);
    await inject(good);
    assert.equal(text(await flow[other].read()), 'the one', 'the good one is still good');
    assert.deepEqual([receiver.state.phase, receiver.datagramDrops!.replayed], ['open', replayed]);
    await inject(good);
    assert.equal(receiver.datagramDrops!.replayed, replayed + 1);
  });
}

test('what does not fit in a datagram goes inside the stream', async () => {
  const { flow, kept } = await newFlow();
  const large = new Uint8Array(9_000).fill(7);
  await flow.client.write(large);
  assert.deepEqual(await flow.gateway.read(), large);
  assert.equal(kept.length, 0);
});

test('without datagrams each is one record of the stream, both ways', async () => {
  const { client, open } = await newPair();
  const flow = await open('udp');
  for (const [from, to] of [
    [flow.client, flow.gateway],
    [flow.gateway, flow.client],
  ] as const)
    for (const content of ['', 'a', 'b'.repeat(2_000)]) {
      await from.write(utf8(content));
      assert.equal(text(await to.read()), content);
    }
  assert.equal(client.datagramDrops, undefined);
});

test('a reader who does not read loses what comes on top, and the credit of the stream is not touched', async () => {
  const { flow, gateway } = await newFlow();
  const content = new Uint8Array(1_000);
  for (let i = 0; i < 400; i++) await flow.client.write(content);
  await settled();
  assert.equal(gateway.datagramDrops!.full, 400 - 246);
  for (let i = 0; i < 246; i++) await flow.gateway.read();
  // Had those been granted as credit, the peer would now have more than the protocol allows and end the session.
  for (let i = 0; i < 300; i++) {
    await flow.client.write(new Uint8Array(9_000));
    await flow.gateway.read();
  }
  assert.equal(gateway.state.phase, 'open');
});

test('QZ-17: datagrams of an epoch are taken for five seconds after the next, and then no more', async () => {
  const lost: Uint8Array[] = [];
  let isLosing = true;
  const { clock, flow, client, gateway, link } = await newFlow({
    datagrams: (_from, bytes) => {
      if (!isLosing) return [bytes];
      lost.push(bytes);
      return [];
    },
  });
  for (const name of ['first', 'second']) await flow.client.write(utf8(name));
  isLosing = false;
  client.requestRekey();
  await settled();
  assert.deepEqual([client.state.epoch, gateway.state.epoch], [1, 1]);
  await flow.client.write(utf8('of the next'));
  assert.equal(text(await flow.gateway.read()), 'of the next');
  await clock.advance(5_000);
  link.injectDatagram(link.gateway, lost[0]!);
  assert.equal(text(await flow.gateway.read()), 'first');
  await clock.advance(1);
  link.injectDatagram(link.gateway, lost[1]!);
  await settled();
  assert.equal(gateway.datagramDrops!.late, 1);
});

test('QZ-1: so many forged ones end the key; the flow goes on with the next epoch', async () => {
  const limits = { maxForgedDatagrams: 50 };
  const { flow, kept, link, client, gateway } = await newFlow({ gateway: { limits }, client: { limits } });
  await flow.client.write(utf8('before'));
  const forged = copy(kept[0]!.bytes);
  forged[forged.length - 1]! ^= 1;
  forged[13] = 9;
  for (let i = 0; i < 50; i++) link.injectDatagram(link.gateway, forged);
  await flow.client.write(utf8('under the dead key'));
  assert.equal(text(await flow.gateway.read()), 'before');
  await settled();
  assert.equal(gateway.datagramDrops!.forged, 50);
  assert.ok(gateway.datagramDrops!.ended >= 1);
  assert.deepEqual([client.state.epoch, gateway.state.epoch], [1, 1], 'the gateway asked for new keys');
  await flow.client.write(utf8('after'));
  assert.equal(text(await flow.gateway.read()), 'after');
});

test('QZ-16: no key seals two datagrams under one counter, over rekeys and with several flows', async () => {
  const { flow, open, client, kept } = await newFlow();
  const second = await open('udp');
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 100; i++) for (const one of [flow, second]) await one.client.write(utf8(`${i}`));
    client.requestRekey();
    await settled();
  }
  const used = kept.map(({ bytes }) => hex(bytes.subarray(0, 14)));
  assert.equal(new Set(used).size, 600);
});

test('a datagram for a stream that is over or was never there goes nowhere', async () => {
  const { flow, kept, link, gateway } = await newFlow();
  await flow.client.write(utf8('hello'));
  await flow.gateway.read();
  flow.client.reset('cancelled');
  await settled();
  link.injectDatagram(link.gateway, kept[0]!.bytes);
  await settled();
  assert.equal(gateway.datagramDrops!.unknown, 1);
});
