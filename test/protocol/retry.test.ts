import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { concat, copy } from '../../protocol/bytes.ts';
import type { HandshakeError } from '../../protocol/established.ts';
import { encodeFrame } from '../../protocol/handshake-frame.ts';
import { mac1 } from '../../protocol/init.ts';
import { maxUsedCookies } from '../../protocol/limits.ts';
import { CookieKeys, encodeRetry, type RetryDemand, solvePuzzle, solves } from '../../protocol/retry.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import * as fixed from './fixed-handshake.ts';

/** A clock that the test sets. */
const settable = () => {
  const time = { now: 1_000_000, monotonic: 0 };
  return { time, clock: { now: () => time.now, monotonic: () => time.monotonic } };
};
const address = '192.0.2.1';
const target = { stealthKey: fixed.stealthKey, gatewayKeyHash: nodeCrypto.sha256(fixed.signers.gateway.publicKey) };
const core = fixed.messages.init.subarray(4, 4 + 1260);
const framed = (demand: RetryDemand) => encodeFrame('retry', encodeRetry(nodeCrypto, target, core, demand));

/** A client's answer to a RETRY of these keys: its second INIT. */
async function answered(keys: CookieKeys, difficulty: number): Promise<Uint8Array> {
  const client = await fixed.waiting.resp();
  return fixed.sent(await client.receive(framed(keys.issue({ address, core }, difficulty))));
}

const gatewayWith = (keys: CookieKeys, from = address) =>
  fixed.newGateway({ retry: { keys, address: from, demand: () => 8 } });

/** One that takes the cookie and has no room for the handshake. */
const full = (keys: CookieKeys) => fixed.newGateway({ retry: { keys, address, demand: () => 8 }, admit: () => false });

test('a handshake through RETRY opens, with a puzzle and with a cookie alone', async () => {
  for (const difficulty of [0, 1, 8, 12]) {
    const keys = new CookieKeys(nodeCrypto, settable().clock);
    const client = fixed.newClient();
    const gateway = fixed.newGateway({ retry: { keys, address, demand: () => difficulty } });
    const retry = fixed.sent(await gateway.receive(client.start()));
    assert.equal(retry.length, 4 + 66);
    const init = fixed.sent(await client.receive(retry));
    const auth = fixed.sent(await client.receive(fixed.sent(await gateway.receive(init))));
    const done = await gateway.receive(auth);
    assert.deepEqual((await client.receive(fixed.sent(done))).established?.epoch, done.established?.epoch);
  }
});

test('RETRY with any bit flipped is refused', async () => {
  const keys = new CookieKeys(nodeCrypto, settable().clock);
  const retry = framed(keys.issue({ address, core }, 1));
  for (let bit = 0; bit < retry.length * 8; bit++) {
    const changed = copy(retry);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    await assert.rejects((await fixed.waiting.resp()).receive(changed), { code: 'decode' }, `bit ${bit}`);
  }
});

test('a client gives up on a puzzle above 20 bits, and on a second RETRY', async () => {
  const keys = new CookieKeys(nodeCrypto, settable().clock);
  const hard = framed(keys.issue({ address, core }, 21));
  await assert.rejects((await fixed.waiting.resp()).receive(hard), { code: 'decode' });
  const client = await fixed.waiting.resp();
  const easy = framed(keys.issue({ address, core }, 1));
  await client.receive(easy);
  await assert.rejects(client.receive(easy), { code: 'decode' });
});

test('a client refuses a RETRY for another INIT', async () => {
  const other = copy(core);
  other[12]! ^= 1;
  const keys = new CookieKeys(nodeCrypto, settable().clock);
  const demand = keys.issue({ address, core: other }, 1);
  const retry = encodeFrame('retry', encodeRetry(nodeCrypto, target, other, demand));
  await assert.rejects((await fixed.waiting.resp()).receive(retry), { code: 'decode' });
});

test('a cookie is good for its own address, its own INIT and 60 s', async () => {
  const { time, clock } = settable();
  const keys = new CookieKeys(nodeCrypto, clock);
  const init = await answered(keys, 8);
  const accepts = async (gateway: ReturnType<typeof gatewayWith>): Promise<void> => {
    // The handshake itself would use the cookie up.
    await assert.rejects(gateway.receive(init), { code: 'too_many' });
  };
  const refused = (error: HandshakeError) => error.code === 'replay' && error.reject === undefined;
  await accepts(full(keys));
  await assert.rejects(gatewayWith(keys, '192.0.2.2').receive(init), refused);
  await assert.rejects(gatewayWith(new CookieKeys(nodeCrypto, clock)).receive(init), refused);
  await assert.rejects(fixed.newGateway().receive(init), refused);
  time.now += 59_999;
  await accepts(full(keys));
  time.now += 1;
  await assert.rejects(gatewayWith(keys).receive(init), refused);
  time.now -= 60_001;
  await assert.rejects(gatewayWith(keys).receive(init), refused, 'a cookie from the future');
});

test('a cookie outlives one change of keys and not two', async () => {
  const { time, clock } = settable();
  const keys = new CookieKeys(nodeCrypto, clock);
  const init = await answered(keys, 1);
  for (const code of ['too_many', 'replay']) {
    time.monotonic += 120_000;
    keys.issue({ address, core }, 1);
    await assert.rejects(full(keys).receive(init), { code });
  }
});

test('QZ-2: a cookie is good once, and a used one is remembered as long as it could be', async () => {
  const { time, clock } = settable();
  const keys = new CookieKeys(nodeCrypto, clock);
  const init = await answered(keys, 1);
  await gatewayWith(keys).receive(init);
  for (const seconds of [0, 30, 29]) {
    time.now += seconds * 1_000;
    time.monotonic += seconds * 1_000;
    // Others come in between, which is when what is old is forgotten.
    await gatewayWith(keys).receive(await answered(keys, 0));
    await assert.rejects(gatewayWith(keys).receive(init), { code: 'replay' }, `after ${seconds} s more`);
  }
});

test('when no more used cookies can be remembered none is taken, and a minute later they are again', () => {
  const { time, clock } = settable();
  const keys = new CookieKeys(nodeCrypto, clock);
  const cookieOf = (n: number) => ({
    cookie: concat(new Uint8Array(16), nodeCrypto.sha256(Uint8Array.of(n >> 16, n >> 8, n))),
  });
  for (let n = 0; n < maxUsedCookies; n++) assert.ok(keys.spend(cookieOf(n)));
  assert.equal(keys.spend(cookieOf(maxUsedCookies)), false);
  time.monotonic += 60_000;
  assert.equal(keys.spend(cookieOf(maxUsedCookies)), true);
  assert.equal(keys.spend(cookieOf(0)), false, 'the last minute is not forgotten');
});

test('no key operation happens before the cookie is right', async () => {
  const crypto = {
    ...nodeCrypto,
    answer: () => assert.fail('a key operation'),
    verify: () => assert.fail('a verification'),
  };
  const keys = new CookieKeys(nodeCrypto, settable().clock);
  const options = { crypto, retry: { keys, address, demand: () => 8 } };
  await fixed.newGateway(options).receive(fixed.messages.init);
  const wrong = await answered(new CookieKeys(nodeCrypto, settable().clock), 8);
  await assert.rejects(fixed.newGateway(options).receive(wrong), { code: 'replay' });
  const forged = copy(fixed.messages.init);
  forged[forged.length - 1]! ^= 1;
  await assert.rejects(fixed.newGateway(options).receive(forged), { code: 'silent' });
});

test('a solution has the zero bits asked for, and without a puzzle it is zero', async () => {
  const cookie = new Uint8Array(48).fill(7);
  const never = async () => assert.fail('nothing so easy needs a pause');
  const solution = await solvePuzzle(nodeCrypto, { cookie, difficulty: 8 }, never);
  assert.ok(solves(nodeCrypto, { cookie, difficulty: 8 }, solution));
  for (let x = 0n; x < solution; x++) assert.ok(!solves(nodeCrypto, { cookie, difficulty: 8 }, x));
  assert.equal(await solvePuzzle(nodeCrypto, { cookie, difficulty: 0 }, never), 0n);
  assert.ok(!solves(nodeCrypto, { cookie, difficulty: 0 }, 1n));
});

test('a hard puzzle lets others run, and giving up ends it', async () => {
  const keys = new CookieKeys(nodeCrypto, settable().clock);
  let pauses = 0;
  const client = fixed.newClient({
    pause: async () => {
      await setImmediate();
      if (++pauses === 3) client.wipe();
    },
  });
  client.start();
  await assert.rejects(client.receive(framed(keys.issue({ address, core }, 20))), { code: 'going_away' });
  assert.equal(pauses, 3);
});

test('an unasked solution is refused, with a cookie or without', async () => {
  const keys = new CookieKeys(nodeCrypto, settable().clock);
  const plain = await answered(keys, 0);
  const withSolution = (init: Uint8Array): Uint8Array => {
    const before = copy(init.subarray(4, -16));
    before[before.length - 1] = 1;
    return encodeFrame('init', concat(before, mac1(nodeCrypto, target, before)));
  };
  await assert.rejects(gatewayWith(keys).receive(withSolution(plain)), { code: 'replay' });
  await assert.rejects(fixed.newGateway().receive(withSolution(fixed.messages.init)), { code: 'decode' });
});
