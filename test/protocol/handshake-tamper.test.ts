/**
 * Damage of every kind to every handshake message: single bits, cuts, extra bytes. `LATCHKEY_BIT_STRIDE=1` tries every
 * bit; otherwise every 37th, which meets each field of each message.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, copy } from '../../protocol/bytes.ts';
import { HandshakeError, type HandshakeStep } from '../../protocol/established.ts';
import { encodeFrame } from '../../protocol/handshake-frame.ts';
import { mac1 } from '../../protocol/init.ts';
import * as fixed from './fixed-handshake.ts';

const stride = Number(process.env['LATCHKEY_BIT_STRIDE'] ?? 37);

interface Peer {
  receive(frame: Uint8Array): Promise<HandshakeStep>;
}

/** The peer must fail with a typed code and be of no further use; the code is returned. */
async function refuses(peer: Peer, frame: Uint8Array, what: string): Promise<string> {
  try {
    await peer.receive(frame);
  } catch (error) {
    assert.ok(error instanceof HandshakeError, `${what}: ${error}`);
    assert.notEqual(error.code, 'internal', what);
    await assert.rejects(peer.receive(frame), TypeError, what);
    return error.code;
  }
  return assert.fail(`${what} was accepted`);
}

function flipped(message: Uint8Array, bit: number): Uint8Array {
  const changed = copy(message);
  changed[bit >> 3]! ^= 1 << (bit & 7);
  return changed;
}

function* bitsOf(message: Uint8Array): Generator<number> {
  for (let bit = 0; bit < message.length * 8; bit += stride) yield bit;
}

for (const name of ['init', 'resp', 'auth', 'ready'] as const) {
  test(`QZ-15: ${name.toUpperCase()} with any one bit flipped is refused`, async () => {
    const tried: Record<string, number> = {};
    for (const bit of bitsOf(fixed.messages[name])) {
      const peer = await fixed.waiting[name]();
      const code = await refuses(peer, flipped(fixed.messages[name], bit), `${name} bit ${bit}`);
      tried[code] = (tried[code] ?? 0) + 1;
    }
    const total = Object.values(tried).reduce((sum, count) => sum + count, 0);
    assert.equal(total, Math.ceil((fixed.messages[name].length * 8) / stride));
    // Undamaged, the same message is taken: the refusals above were about the bit.
    await (await fixed.waiting[name]()).receive(fixed.messages[name]);
  });
}

test('QZ-15: INIT with any one bit flipped and mac1 made anew ends without a session on either side', async () => {
  const { init } = fixed.messages;
  const target = {
    stealthKey: fixed.stealthKey,
    gatewayKeyHash: fixed.fixedCrypto.sha256(fixed.signers.gateway.publicKey),
  };
  const before = init.subarray(4, -16);
  const ends = { gateway: 0, client: 0 };
  for (const bit of bitsOf(before)) {
    const changed = flipped(before, bit);
    const forged = encodeFrame('init', concat(changed, mac1(fixed.fixedCrypto, target, changed)));
    const client = await fixed.waiting.resp();
    const gateway = fixed.newGateway();
    const answer = await gateway.receive(forged).catch((error: unknown) => error);
    if (answer instanceof HandshakeError) {
      assert.notEqual(answer.code, 'internal', `bit ${bit}`);
      ends.gateway++;
    } else {
      await refuses(client, fixed.sent(answer as HandshakeStep), `RESP to INIT bit ${bit}`);
      ends.client++;
    }
  }
  assert.equal(ends.gateway + ends.client, Math.ceil((before.length * 8) / stride));
  assert.ok(ends.gateway > 0 && ends.client > 0, 'both kinds of end were met');
});

for (const name of ['init', 'resp', 'auth', 'ready'] as const) {
  const message = fixed.messages[name];

  // AUTH is long and each try costs a handshake: every 7th there.
  const step = name === 'auth' ? Math.min(stride, 7) : 1;

  test(`every prefix of ${name.toUpperCase()} is refused`, async () => {
    for (let length = 0; length < message.length; length += step)
      await refuses(await fixed.waiting[name](), message.subarray(0, length), `${name} of ${length} bytes`);
    await refuses(await fixed.waiting[name](), message.subarray(0, message.length - 1), `${name} less one byte`);
  });

  test(`every prefix of ${name.toUpperCase()} in a frame of its own length is refused`, async () => {
    const body = message.subarray(4);
    for (let length = 0; length < body.length; length += stride)
      await refuses(await fixed.waiting[name](), encodeFrame(name, body.subarray(0, length)), `${name} of ${length}`);
    await refuses(await fixed.waiting[name](), encodeFrame(name, body.subarray(0, -1)), `${name} less one byte`);
  });

  test(`${name.toUpperCase()} with a byte too many is refused`, async () => {
    const extra = Uint8Array.of(0);
    await refuses(await fixed.waiting[name](), concat(message, extra), `${name} frame plus one`);
    await refuses(
      await fixed.waiting[name](),
      encodeFrame(name, concat(message.subarray(4), extra)),
      `${name} body plus one`,
    );
  });
}
