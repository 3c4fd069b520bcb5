/** A client that never rekeys, against a gateway with short timers by configuration: both ends refuse its old keys. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Carrier, Channel } from '../../../protocol/carrier.ts';
import type { Clock } from '../../../protocol/clock.ts';
import { systemClock } from '../../../server/channel/system-clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fetchThrough } from './world/exchange.ts';
import { connectWebSocket } from './world/web-socket.ts';
import { World } from './world/world.ts';

let world: World;
before(async () => {
  world = await World.open((_request, response) => response.end('ok'), [{}], { rekeyAfterS: 1, rejectAfterS: 3 });
});
after(() => world.close());

const twiceAsFast: Clock = {
  now: () => systemClock.now(),
  monotonic: () => 2 * systemClock.monotonic(),
  after: (ms, run) => systemClock.after(ms / 2, run),
};

/** After the handshake nothing of the client's control stream arrives. */
function withoutControl(carrier: Carrier): Carrier {
  const silenced = (channel: Channel): Channel => {
    let frames = 0;
    return {
      streamId: channel.streamId,
      // INIT and AUTH; what comes behind them is the session's.
      send: (frame) => (frames++ < 2 ? channel.send(frame) : Promise.resolve()),
      receive: () => channel.receive(),
      finish: () => channel.finish(),
      abort: () => channel.abort(),
    };
  };
  return {
    transport: carrier.transport,
    closed: carrier.closed,
    open: (id) => (id === 0n ? silenced(carrier.open(id)) : carrier.open(id)),
    accept: () => carrier.accept(),
    close: () => carrier.close(),
  };
}

/**
 * Whoever comes first closes. Keys that are too old seal no CLOSE either, so the other end sees the transport go; a timer that
 * fires within the last millisecond of their time still gets its CLOSE out.
 */
for (const [end, clock] of [
  ['gateway', new FakeClock(Date.now())],
  ['client', twiceAsFast],
] as const)
  test(`QZ-17: keys that are too old end the session at the ${end}, whatever the other one thinks of the time`, async () => {
    const spiffeId = `spiffe://latchkey.local/user/ada/device/${end}`;
    const carrier = withoutControl(await connectWebSocket(world));
    const session = await world.client({ svid: { spiffeId }, carrier, clock });
    assert.equal((await fetchThrough(session, '/')).status, 200);
    const { code } = await session.closed;
    await assert.rejects(session.open({ kind: 'http', service: 'wiki' }), { code: 'session_closed' });
    const ended = await world.authority.event(({ type, actor }) => type === 'session.close' && actor === spiffeId);
    const [first, other] = end === 'client' ? [code, ended.reason] : [ended.reason, code];
    assert.equal(first, 'rekey_timeout');
    assert.ok(other === 'going_away' || other === 'rekey_timeout', String(other));
  });

test('QZ-17: with the same timers a client that rekeys goes on beyond them', async () => {
  const session = await world.client({ carrier: await connectWebSocket(world) });
  while (session.state.epoch < 4 && session.state.code === undefined)
    assert.equal((await fetchThrough(session, '/')).status, 200);
  assert.equal(session.state.code, undefined);
  session.close('done');
  await session.closed;
});
