/** The end of a session, as the transport below it sees it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channel } from '../../../protocol/carrier.ts';
import { closeLingerMs } from '../../../protocol/session-limits.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { loopbackPair, type Side } from '../../support/loopback-carrier.ts';
import { newSession } from './pair.ts';

/** A session on each side, and what either does to its control channel, to the transport and to streams that it took, in turn. */
async function watchedPair() {
  const acts: string[] = [];
  const noting = <T extends object>(of: T, who: string, names: readonly string[]): T =>
    new Proxy(of, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          if (names.includes(String(name))) acts.push(`${who}: ${String(name)}`);
          const result = value.apply(target, given);
          return name === 'accept'
            ? result.then((taken: Channel) => noting(taken, `${who}'s stream`, ['abort']))
            : result;
        };
      },
    });
  const bare = loopbackPair({});
  const link = {
    ...bare,
    client: noting(bare.client, 'client', ['close']),
    gateway: noting(bare.gateway, 'gateway', ['close']),
  };
  const controlOf = { client: bare.client.open(0n), gateway: (await bare.gateway.accept())! };
  const clock = new FakeClock();
  const begin = (side: Side) =>
    newSession(side, link, noting(controlOf[side], side, ['finish', 'abort']), {
      clock,
      gateway: { onOpen: () => undefined },
    });
  return { acts, clock, begin, controlOf };
}

for (const [teller, told] of [
  ['client', 'gateway'],
  ['gateway', 'client'],
] as const)
  test(`BR-1: when a ${teller} says CLOSE both end their directions before the client closes the transport`, async () => {
    const { acts, begin } = await watchedPair();
    const ends = { client: begin('client'), gateway: begin('gateway') };
    ends[teller].close('done');
    await Promise.all([ends.client.closed, ends.gateway.closed]);
    assert.deepEqual(acts, [`${teller}: finish`, `${told}: finish`, 'client: close']);
  });

test('BR-1: a gateway waits for a client that does not close the transport as long as it says', async () => {
  const { acts, clock, begin, controlOf } = await watchedPair();
  const gateway = begin('gateway');
  gateway.close('done');
  while ((await controlOf.client.receive()) !== null);
  await clock.advance(closeLingerMs - 1);
  assert.deepEqual(acts, ['gateway: finish']);
  await clock.advance(1);
  await gateway.closed;
  assert.deepEqual(acts, ['gateway: finish', 'gateway: close']);
});

test('BR-1: a gateway that reads CLOSE drops its streams, so that nothing unread stands before the end', async () => {
  const { acts, begin } = await watchedPair();
  const ends = { client: begin('client'), gateway: begin('gateway') };
  ends.client.open({ kind: 'tcp', service: 'wiki' }).catch(() => undefined);
  await settled();
  ends.client.close('done');
  await ends.gateway.closed;
  assert.ok(acts.includes("gateway's stream: abort"), acts.join(', '));
});
