/**
 * Damage of every kind to every handshake message: single bits, cuts, extra bytes. The long form tries every bit,
 * 10,288 of INIT, 38,064 of RESP, 82,048 of AUTH; the short one every 9th, which meets each field and each bit of a byte.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, copy } from '../../protocol/bytes.ts';
import { HandshakeError, type HandshakeStep } from '../../protocol/established.ts';
import { encodeFrame } from '../../protocol/handshake-frame.ts';
import { mac1 } from '../../protocol/init.ts';
import { inLong } from '../support/long.ts';
import * as fixed from './fixed-handshake.ts';
import { remembering } from './remembering-crypto.ts';
import { leftBehind, watched } from './watched-crypto.ts';

const stride = inLong(9, 1);
type Name = keyof typeof fixed.messages;
const names: readonly Name[] = ['init', 'resp', 'auth', 'ready'];
const crypto = remembering(fixed.fixedCrypto);

/** A fresh peer that waits for this message must fail with a typed code, keep nothing, and be of no further use. */
async function refuses(name: Name, frame: Uint8Array, what: string): Promise<string> {
  const watch = watched(crypto);
  const peer = await fixed.waiting[name](watch.crypto);
  const code = await failure(peer, frame, what);
  assert.equal(leftBehind(watch), 0, `${what} left secrets or keys behind`);
  return code;
}

async function failure(peer: { receive(frame: Uint8Array): Promise<HandshakeStep> }, frame: Uint8Array, what: string) {
  const error = await peer.receive(frame).then(
    () => assert.fail(`${what} was accepted`),
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof HandshakeError, `${what}: ${error}`);
  assert.notEqual(error.code, 'internal', what);
  const again = await peer.receive(frame).catch((cause: unknown) => cause);
  assert.ok(again instanceof TypeError, `${what} left a usable object`);
  return error.code;
}

function flipped(message: Uint8Array, bit: number): Uint8Array {
  const changed = copy(message);
  changed[bit >> 3]! ^= 1 << (bit & 7);
  return changed;
}

function* bitsOf(message: Uint8Array): Generator<number> {
  for (let bit = 0; bit < message.length * 8; bit += stride) yield bit;
}

for (const name of names) {
  test(`QZ-15: ${name.toUpperCase()} with any one bit flipped is refused`, async () => {
    const tried: Record<string, number> = {};
    for (const bit of bitsOf(fixed.messages[name])) {
      const code = await refuses(name, flipped(fixed.messages[name], bit), `${name} bit ${bit}`);
      tried[code] = (tried[code] ?? 0) + 1;
    }
    const total = Object.values(tried).reduce((sum, count) => sum + count, 0);
    assert.equal(total, Math.ceil((fixed.messages[name].length * 8) / stride));
    // Undamaged, the same message is taken: the refusals above were about the bit.
    await (await fixed.waiting[name](crypto)).receive(fixed.messages[name]);
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
    const [at, there] = [watched(crypto), watched(crypto)];
    const gateway = fixed.newGateway({ crypto: at.crypto });
    const answer = await gateway.receive(forged).catch((error: unknown) => error);
    if (answer instanceof HandshakeError) {
      assert.notEqual(answer.code, 'internal', `bit ${bit}`);
      assert.equal(leftBehind(at), 0, `bit ${bit}`);
      ends.gateway++;
    } else {
      const client = await fixed.waiting.resp(there.crypto);
      await failure(client, fixed.sent(answer as HandshakeStep), `RESP to INIT bit ${bit}`);
      assert.equal(leftBehind(there), 0, `bit ${bit}`);
      ends.client++;
    }
  }
  assert.equal(ends.gateway + ends.client, Math.ceil((before.length * 8) / stride));
  assert.ok(ends.gateway > 0 && ends.client > 0, 'both kinds of end were met');
});

for (const name of names) {
  const message = fixed.messages[name];

  // AUTH is long and each try costs a handshake.
  const step = name === 'auth' ? stride : 1;

  test(`every prefix of ${name.toUpperCase()} is refused`, async () => {
    for (let length = 0; length < message.length; length += step)
      await refuses(name, message.subarray(0, length), `${name} of ${length} bytes`);
    await refuses(name, message.subarray(0, message.length - 1), `${name} less one byte`);
  });

  test(`every prefix of ${name.toUpperCase()} in a frame of its own length is refused`, async () => {
    const body = message.subarray(4);
    for (let length = 0; length < body.length; length += stride)
      await refuses(name, encodeFrame(name, body.subarray(0, length)), `${name} of ${length}`);
    await refuses(name, encodeFrame(name, body.subarray(0, -1)), `${name} less one byte`);
  });

  test(`${name.toUpperCase()} with a byte too many is refused`, async () => {
    const extra = Uint8Array.of(0);
    await refuses(name, concat(message, extra), `${name} frame plus one`);
    await refuses(name, encodeFrame(name, concat(message.subarray(4), extra)), `${name} body plus one`);
  });
}
