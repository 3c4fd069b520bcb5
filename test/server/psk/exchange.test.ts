/** The exchange of pre-shared keys: both ends agree, or neither changes anything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { type Epoch, type Identities, messageBytes, PskInitiator, PskResponder } from '../../../server/psk/exchange.ts';

const identities: Identities = { gateway: new Uint8Array(32).fill(1), connector: new Uint8Array(32).fill(2) };
const base: Epoch = { number: 4n, key: new Uint8Array(32).fill(9) };

const gateway = (who = identities, on = base) => new PskInitiator(nodeCrypto, who, on);
const connector = (who = identities, on = base) =>
  new PskResponder(nodeCrypto, who, (number) => (number === on.number ? on : undefined));

/** @param change alters a message on its way. */
function run(
  a: PskInitiator,
  b: PskResponder,
  change: (name: string, message: Uint8Array) => Uint8Array = (_, m) => m,
) {
  const answer = b.answer(change('offer', a.offer));
  const confirm = a.confirm(change('answer', answer));
  const { epoch, done } = b.finish(change('confirm', confirm));
  return { connector: epoch, gateway: a.done(change('done', done)) };
}

test('QZ-11: both ends make the same key, the next of the chain, and another one each time', () => {
  const first = run(gateway(), connector());
  assert.equal(first.gateway.number, 5n);
  assert.deepEqual(first.gateway, first.connector);
  const second = run(gateway(), connector());
  assert.notDeepEqual(second.gateway.key, first.gateway.key);
  assert.notDeepEqual(first.gateway.key, base.key);
});

test('each message has its one length', () => {
  const [a, b] = [gateway(), connector()];
  const answer = b.answer(a.offer);
  const confirm = a.confirm(answer);
  const lengths = [a.offer, answer, confirm, b.finish(confirm).done].map(({ length }) => length);
  assert.deepEqual(lengths, Object.values(messageBytes));
});

for (const [name, who] of [
  ['gateway', { ...identities, gateway: new Uint8Array(32).fill(3) }],
  ['connector', { ...identities, connector: new Uint8Array(32).fill(3) }],
  ['order of the two', { gateway: identities.connector, connector: identities.gateway }],
] as const)
  test(`QPT-1: an exchange with another ${name} is refused`, () => {
    assert.throws(() => run(gateway(), connector(who)), { code: 'tag' });
  });

test('QHX-4: the key before is part of the next: whoever has another one is refused before any key operation', () => {
  const other = { ...base, key: new Uint8Array(32).fill(8) };
  let answered = 0;
  const counting = {
    ...nodeCrypto,
    answer(share: Uint8Array) {
      answered++;
      return nodeCrypto.answer(share);
    },
  };
  const b = new PskResponder(counting, identities, () => other);
  assert.throws(() => run(gateway(), b), { code: 'tag' });
  assert.equal(answered, 0);
});

test('QZ-3: neither half of the exchange alone makes the key', () => {
  const keys = [[0, 32] as const, [32, 64] as const, undefined].map((zeroed) => {
    const shared = new Uint8Array(64).fill(7);
    if (zeroed !== undefined) shared.fill(0x11, ...zeroed);
    const fixed = {
      ...nodeCrypto,
      offer: () => ({ share: new Uint8Array(1_216), finish: () => Uint8Array.from(shared), wipe() {} }),
      answer: () => ({ share: new Uint8Array(1_120), secret: Uint8Array.from(shared) }),
    };
    const a = new PskInitiator(fixed, identities, base);
    const b = new PskResponder(fixed, identities, () => base);
    return Buffer.from(run(a, b).gateway.key).toString('hex');
  });
  assert.equal(new Set(keys).size, 3);
});

test('QHX-4: a base that the connector does not know is refused by its own code', () => {
  assert.throws(() => run(gateway(identities, { ...base, number: 3n }), connector()), { code: 'base_unknown' });
});

test('QZ-1: no message with a changed bit is taken, whichever bit, and no epoch comes of it', () => {
  let refused = 0;
  for (const name of ['offer', 'answer', 'confirm', 'done']) {
    const length = messageBytes[name as keyof typeof messageBytes];
    // Every byte of the short ones, one in sixteen of the others, and a bit of each.
    for (let at = 0; at < length; at += length > 100 ? 16 : 1) {
      const flip = (which: string, message: Uint8Array) => {
        if (which !== name) return message;
        const changed = Uint8Array.from(message);
        changed[at]! ^= 1 << (at % 8);
        return changed;
      };
      assert.throws(() => run(gateway(), connector(), flip), { name: 'PskError' }, `${name} ${at}`);
      refused++;
    }
  }
  assert.ok(refused > 200, `${refused}`);
});

test('QHX-4: a message that is cut, too long or of another type is refused as out of order', () => {
  for (const spoil of [
    (message: Uint8Array) => message.subarray(1),
    (message: Uint8Array) => message.subarray(0, -1),
    (message: Uint8Array) => Uint8Array.from([...message, 0]),
    (message: Uint8Array) => Uint8Array.from([9, ...message.subarray(1)]),
  ])
    for (const name of ['offer', 'answer', 'confirm', 'done'])
      assert.throws(() => run(gateway(), connector(), (which, m) => (which === name ? spoil(m) : m)), {
        code: 'order',
      });
});

test('QZ-2: an exchange that was recorded is of no use to its replayer', () => {
  const recorded: Record<string, Uint8Array> = {};
  run(gateway(), connector(), (name, message) => (recorded[name] = Uint8Array.from(message)));
  const b = connector();
  b.answer(recorded['offer']!);
  assert.throws(() => b.finish(recorded['confirm']!), { code: 'tag' });
  const a = gateway();
  assert.throws(() => a.confirm(recorded['answer']!), { code: 'tag' });
});

test('a half is good for one exchange, in its order', () => {
  const [a, b] = [gateway(), connector()];
  assert.throws(() => a.done(new Uint8Array(messageBytes.done)), { code: 'order' });
  assert.throws(() => b.finish(new Uint8Array(messageBytes.confirm)), { code: 'order' });
  const answer = b.answer(a.offer);
  assert.throws(() => b.answer(a.offer), { code: 'order' });
  a.confirm(answer);
  assert.throws(() => a.confirm(answer), { code: 'order' });
});
