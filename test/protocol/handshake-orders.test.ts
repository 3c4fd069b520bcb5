/**
 * Every order of at most five handshake messages of twelve kinds, given to each role from its start: only the legal
 * ones open a session. Two handshakes are recorded that agree in all randomness, one without RETRY and one with it, so
 * that whatever could be legal somewhere is among the kinds. The short form stops at four messages.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../protocol/bytes.ts';
import { HandshakeError, type HandshakeStep } from '../../protocol/established.ts';
import { encodeReject } from '../../protocol/handshake-frame.ts';
import { CookieKeys } from '../../protocol/retry.ts';
import { inLong } from '../support/long.ts';
import * as fixed from './fixed-handshake.ts';
import { remembering } from './remembering-crypto.ts';

const length = inLong(4, 5);
const crypto = remembering(fixed.fixedCrypto);
const loads = () => ({ keys: new CookieKeys(crypto, fixed.clock), address: '192.0.2.1', demand: () => 4 });

/** A gateway under load, whose cookie key is the one of every other such gateway here. */
function loadedGateway() {
  const retry = loads();
  retry.keys.issue({ address: retry.address, core: fixed.messages.init.subarray(4, 1_264) }, 4);
  return fixed.newGateway({ crypto, retry });
}

async function withRetry() {
  const [client, gateway] = [fixed.newClient({ crypto }), loadedGateway()];
  const init = client.start();
  const retry = fixed.sent(await gateway.receive(init));
  const again = fixed.sent(await client.receive(retry));
  const resp = fixed.sent(await gateway.receive(again));
  const auth = fixed.sent(await client.receive(resp));
  const ready = fixed.sent(await gateway.receive(auth));
  assert.ok((await client.receive(ready)).established);
  return { retry, "init'": again, "resp'": resp, "auth'": auth, "ready'": ready };
}

const kinds: Record<string, Uint8Array> = {
  ...fixed.messages,
  ...(await withRetry()),
  reject: encodeReject('too_many'),
  'type 7': Uint8Array.of(7, 0, 0, 0),
  record: concat(Uint8Array.of(0x17, 0, 0, 32), new Uint8Array(32)),
};
const names = Object.keys(kinds);

interface Peer {
  receive(frame: Uint8Array): Promise<HandshakeStep>;
}

/** Gives a fresh peer every sequence; @returns the shortest beginnings that opened a session, and how many there were. */
async function run(make: () => Peer): Promise<{ tried: number; opened: number; by: string[] }> {
  const by = new Set<string>();
  let [tried, opened] = [0, 0];
  for (let number = 0; number < names.length ** length; number++) {
    const sequence = Array.from(
      { length },
      (_, place) => names[Math.floor(number / names.length ** place) % names.length]!,
    );
    const end = await openedAt(make(), sequence);
    tried++;
    if (end === undefined) continue;
    opened++;
    by.add(sequence.slice(0, end).join(' > '));
  }
  return { tried, opened, by: [...by].sort() };
}

/** After how many messages the session was open. A refusal is final: whatever comes then is refused too. */
async function openedAt(peer: Peer, sequence: readonly string[]): Promise<number | undefined> {
  let [end, isOver] = [undefined as number | undefined, false];
  for (const [at, name] of sequence.entries()) {
    const result = await peer.receive(kinds[name]!).catch((error: unknown) => error);
    if (isOver) assert.ok(result instanceof TypeError, `${sequence.slice(0, at + 1)} left a usable object`);
    else if (result instanceof HandshakeError) assert.notEqual(result.code, 'internal', sequence.join());
    else assert.ok(!(result instanceof Error), `${sequence}: ${result}`);
    isOver ||= result instanceof HandshakeError;
    if (!isOver && (result as HandshakeStep).established) [end, isOver] = [at + 1, true];
  }
  return end;
}

const all = 12 ** length;
/** Sequences that begin with so many given messages. */
const beginWith = (given: number): number => 12 ** (length - given);

test(`QHX-4: of all ${all} orders of ${length} messages a client takes only the legal ones`, async (t) => {
  assert.equal(names.length, 12);
  const made = await run(() => {
    const client = fixed.newClient({ crypto });
    client.start();
    return client;
  });
  assert.deepEqual(made, {
    tried: all,
    opened: beginWith(2) + beginWith(3),
    by: ['resp > ready', "retry > resp' > ready'"],
  });
  t.diagnostic(`${made.opened} of ${made.tried} orders open a session`);
});

test(`QHX-4: of all ${all} orders of ${length} messages a gateway takes only the legal ones`, async (t) => {
  const made = await run(() => fixed.newGateway({ crypto }));
  assert.deepEqual(made, { tried: all, opened: beginWith(2), by: ['init > auth'] });
  t.diagnostic(`${made.opened} of ${made.tried} orders open a session`);
});

test(`QHX-4: of all ${all} orders of ${length} messages a gateway under load takes only those with its cookie`, async (t) => {
  const made = await run(loadedGateway);
  assert.deepEqual(made, {
    tried: all,
    opened: beginWith(2) + beginWith(3),
    by: ["init > init' > auth'", "init' > auth'"],
  });
  t.diagnostic(`${made.opened} of ${made.tried} orders open a session`);
});
