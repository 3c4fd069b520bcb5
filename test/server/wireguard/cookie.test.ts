/** Cookies in both roles, and the load that calls for them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { TokenBuckets } from '../../../server/token-buckets.ts';
import { CookieHolder, CookieIssuer } from '../../../server/wireguard/cookie.ts';
import { decodePublicKey } from '../../../server/wireguard/keys.ts';
import { HANDSHAKES_AT_EASE_PER_SECOND, SOURCE_HANDSHAKES } from '../../../server/wireguard/limits.ts';
import { LoadMeter } from '../../../server/wireguard/load.ts';
import { type CookieReply, INITIATION_BYTES, parseMessage } from '../../../server/wireguard/messages.ts';
import type { Endpoint } from '../../../server/wireguard/wire.ts';
import { FakeClock } from './fake-clock.ts';
import { echoPacket } from './packets.ts';
import { addressA, addressB, newPair, type Pair, publicKeyOf, story } from './pair.ts';

const here: Endpoint = { address: '192.0.2.1', port: 51_820 };
const responder = decodePublicKey(publicKeyOf(new Uint8Array(32).fill(5)));
const toB = echoPacket({ source: addressA, destination: addressB, sequence: 0, payload: new Uint8Array(40) });

function newIssuer(): { clock: FakeClock; issuer: CookieIssuer; holder: CookieHolder } {
  const clock = new FakeClock();
  const issuer = new CookieIssuer(responder, { clock, random: (length) => Uint8Array.from(randomBytes(length)) });
  return { clock, issuer, holder: new CookieHolder(responder, clock) };
}

function signed(holder: CookieHolder): Uint8Array {
  const message = new Uint8Array(INITIATION_BYTES);
  message[0] = 1;
  holder.sign(message);
  return message;
}

function replyTo(issuer: CookieIssuer, message: Uint8Array, from: Endpoint): CookieReply {
  return parseMessage(issuer.reply(message, 77, from)) as CookieReply;
}

test('mac1 is made with the receiver’s key, and mac2 is zero without a cookie', () => {
  const { issuer, holder, clock } = newIssuer();
  const message = signed(holder);
  assert.equal(issuer.mac1Holds(message), true);
  assert.ok(message.subarray(-16).every((byte) => byte === 0));
  const other = new CookieHolder(decodePublicKey(publicKeyOf(new Uint8Array(32).fill(6))), clock);
  assert.equal(issuer.mac1Holds(signed(other)), false);
});

test('a cookie makes a mac2 that holds for its address and port, for two minutes', () => {
  const { issuer, holder, clock } = newIssuer();
  const first = signed(holder);
  assert.equal(issuer.mac2Holds(first, here), false);
  const reply = replyTo(issuer, first, here);
  assert.equal(reply.receiver, 77);
  assert.equal(holder.take(reply), true);
  const second = signed(holder);
  assert.equal(issuer.mac2Holds(second, here), true);
  assert.equal(issuer.mac2Holds(second, { ...here, port: 51_821 }), false);
  assert.equal(issuer.mac2Holds(second, { ...here, address: '192.0.2.2' }), false);
  assert.equal(issuer.mac2Holds(second, { ...here, address: '::ffff:192.0.2.1' }), false);
  clock.advance(119_000);
  assert.equal(issuer.mac2Holds(signed(holder), here), true);
  clock.advance(1_000);
  assert.equal(issuer.mac2Holds(second, here), false);
  assert.ok(
    signed(holder)
      .subarray(-16)
      .every((byte) => byte === 0),
    'the holder stops using it too',
  );
});

test('a cookie reply is taken once, by the message it answers, and unchanged', () => {
  const { issuer, holder } = newIssuer();
  const first = signed(holder);
  const reply = replyTo(issuer, first, here);
  const changed = { ...reply, sealedCookie: reply.sealedCookie.map((byte, n) => (n === 0 ? byte ^ 1 : byte)) };
  assert.equal(holder.take(changed), false);
  const stale = replyTo(issuer, first, here);
  signed(holder).fill(0);
  assert.equal(holder.take(stale), true, 'signing the same bytes gives the same mac1');
  assert.equal(holder.take(reply), false, 'one reply for one message');
  const other = new Uint8Array(INITIATION_BYTES).fill(2);
  holder.sign(other);
  assert.equal(holder.take(reply), false, 'the reply was for another message');
});

test('the load is felt above the limit, and for a second after', () => {
  const clock = new FakeClock();
  const meter = new LoadMeter(clock);
  for (let n = 0; n < HANDSHAKES_AT_EASE_PER_SECOND; n++) assert.equal(meter.note(), false);
  assert.equal(meter.note(), true);
  clock.advance(999);
  assert.equal(meter.note(), true);
  clock.advance(1001);
  assert.equal(meter.note(), false);
});

test('a source gets its burst and then twenty a second, and does not spend what is another’s', () => {
  const clock = new FakeClock();
  const limiter = new TokenBuckets(SOURCE_HANDSHAKES, clock);
  const allowed = (source: string, tries: number) =>
    Array.from({ length: tries }, () => limiter.allow(source)).filter((yes) => yes).length;
  assert.equal(allowed('a', 50), SOURCE_HANDSHAKES.burst);
  assert.equal(allowed('b', 50), SOURCE_HANDSHAKES.burst);
  clock.advance(100);
  assert.equal(allowed('a', 50), 2);
  clock.advance(5_000);
  assert.equal(allowed('a', 50), SOURCE_HANDSHAKES.burst);
});

/** Handshake messages whose mac1 holds, from many addresses: what a flood by somebody who knows the key looks like. */
function flood({ network, b, clock }: Pair): void {
  const holder = new CookieHolder(decodePublicKey(b.key), clock);
  for (let n = 0; n <= HANDSHAKES_AT_EASE_PER_SECOND; n++) {
    const message = new Uint8Array(INITIATION_BYTES);
    message[0] = 1;
    holder.sign(message);
    network.inject(message, { address: `203.0.113.${n % 250}`, port: 1000 + n }, b.wire.endpoint);
  }
}

test('BR-7: under load a device asks for a cookie before any key operation, and a peer that brings it gets in', async () => {
  const pair = await newPair();
  const { network, a, b, clock } = pair;
  flood(pair);
  const failed = b.device.counters.handshakesFailed;
  const from = network.captured.length;
  a.device.send(toB);
  clock.advance(20);
  assert.equal(story(network, from), 'IC');
  assert.equal(a.device.counters.cookiesTaken, 1);
  assert.equal(b.device.counters.handshakesFailed, failed);
  clock.advance(4_900);
  flood(pair);
  clock.advance(600);
  assert.equal(story(network, from).replaceAll(/C/g, ''), 'IIRD', 'the second initiation proves the address');
  assert.deepEqual(b.received, [toB]);
});

test('under load a proof made for another address is worth nothing', async () => {
  const pair = await newPair();
  const { network, a, b, clock } = pair;
  flood(pair);
  a.device.send(toB);
  clock.advance(4_900);
  network.filter = ({ datagram }) => datagram[0] !== 1;
  clock.advance(600);
  const second = network.captured.findLast(({ datagram }) => datagram[0] === 1)!;
  flood(pair);
  const { mac2Wrong } = b.device.counters;
  network.inject(second.datagram, { address: '203.0.113.66', port: 1 }, second.to);
  assert.equal(b.device.counters.mac2Wrong, mac2Wrong + 1);
});
