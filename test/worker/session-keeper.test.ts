import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandshakeError } from '../../protocol/established.ts';
import type { Session } from '../../protocol/session.ts';
import { TunnelFault, type TunnelStatus } from '../../worker/api.ts';
import type { Credential } from '../../worker/tunnel/credential.ts';
import {
  type Connection,
  type ConnectionHooks,
  type Order,
  SessionKeeper,
} from '../../worker/tunnel/session-keeper.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** As much of a Session as the keeper touches. */
class FakeSession {
  readonly end = Promise.withResolvers<{ code: string; byPeer: boolean }>();
  readonly closed = this.end.promise;
  readonly state = { phase: 'open', epoch: 0 };
  readonly reauthed: Uint8Array[] = [];
  readonly closedWith: string[] = [];
  isDraining = false;
  drain(): void {
    this.isDraining = true;
  }
  close(code: string): void {
    this.closedWith.push(code);
    this.state.phase = 'closed';
    this.end.resolve({ code, byPeer: false });
  }
  /** The other end closes it, or the transport is gone. */
  lose(code: string): void {
    this.state.phase = 'closed';
    this.end.resolve({ code, byPeer: true });
  }
  async reauth(svid: Uint8Array): Promise<void> {
    this.reauthed.push(svid);
  }
}

function credential(serial: number, renewInMs: number): Credential {
  const bytes = Uint8Array.of(serial);
  return {
    svid: bytes,
    serial: bytes,
    posture: bytes,
    gateway: { publicKey: bytes, stealthKey: bytes },
    pins: new Uint8Array(32),
    endpoints: [],
    service: { name: 'wiki', title: 'Wiki', app: 'http://wiki.apps.localhost' },
    renewInMs,
  };
}

interface World {
  readonly clock: FakeClock;
  readonly keeper: SessionKeeper;
  readonly sessions: FakeSession[];
  readonly statuses: TunnelStatus[];
  readonly used: number[];
  readonly hooks: ConnectionHooks[];
  readonly orders: Order[];
  readonly renewals: () => number;
}

function world(
  options: {
    connect?: (attempt: number, order: Order) => void | Promise<void>;
    /** What carries a session; the first of the order where it does not say. */
    transport?: (order: Order) => 'webtransport' | 'websocket';
    renew?: (count: number) => void | Promise<void>;
    renewAfterMs?: number;
  } = {},
): World {
  const clock = new FakeClock();
  const sessions: FakeSession[] = [];
  const statuses: TunnelStatus[] = [];
  const used: number[] = [];
  const hooks: ConnectionHooks[] = [];
  const orders: Order[] = [];
  let attempts = 0;
  let renewals = 0;
  const life = options.renewAfterMs ?? 300_000;
  const keeper = new SessionKeeper(credential(0, life), {
    clock,
    connect: async (present, _signal, given, order): Promise<Connection> => {
      attempts += 1;
      used.push(present.serial[0] ?? -1);
      orders.push(order);
      await options.connect?.(attempts, order);
      hooks.push(given);
      const session = new FakeSession();
      sessions.push(session);
      // The keeper touches nothing of a Session that this does not have.
      return { session: session as unknown as Session, transport: options.transport?.(order) ?? order[0] };
    },
    renew: async () => {
      renewals += 1;
      await options.renew?.(renewals);
      return credential(renewals, life);
    },
    onStatus: (status) => statuses.push(status),
    chance: () => 0.5,
    onLapsed: () => undefined,
  });
  keeper.start();
  return { clock, keeper, sessions, statuses, used, hooks, orders, renewals: () => renewals };
}

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

async function advance(clock: FakeClock, ms: number): Promise<void> {
  await settle();
  await clock.advance(ms);
  await settle();
}

for (const code of ['going_away', 'stepup_required'] as const) {
  test(`a session lost to ${code} is made again with a fresh credential and its waiters get the new one`, async () => {
    const { clock, keeper, sessions, statuses, used } = world();
    const first = await keeper.session(1_000);
    sessions[0]?.lose(code);
    await settle();
    const waiting = keeper.session(30_000);
    await advance(clock, 1_000);
    const second = await waiting;
    assert.notEqual(first, second);
    assert.deepEqual(used, [0, 1]);
    assert.deepEqual(
      statuses.map((status) => status.state),
      ['connecting', 'open', 'connecting', 'open'],
    );
    keeper.end();
  });
}

for (const code of ['denied', 'revoked', 'posture', 'downgrade', 'version', 'suite'] as const) {
  test(`QHX-4: a session ended with ${code} is not tried again`, async () => {
    const { clock, keeper, sessions, statuses } = world();
    await keeper.session(1_000);
    sessions[0]?.lose(code);
    await advance(clock, 60_000);
    assert.equal(sessions.length, 1);
    assert.deepEqual(statuses.at(-1), { state: 'refused', epoch: 0, reason: code });
    await assert.rejects(keeper.session(1_000), { code: 'refused' });
  });
}

test('attempts go on with growing pauses while the gateway is away', async () => {
  const { clock, keeper, sessions } = world({
    connect: (attempt) => {
      if (attempt < 5) throw new Error('unreachable');
    },
  });
  const waiting = keeper.session(30_000);
  for (let i = 0; i < 10; i += 1) await advance(clock, 1_500);
  await waiting;
  assert.equal(sessions.length, 1);
  keeper.end();
});

test('a request that waits too long is told that the tunnel is offline', async () => {
  const { clock, keeper } = world({
    connect: () => {
      throw new Error('unreachable');
    },
  });
  const waiting = keeper.session(2_000);
  const refused = assert.rejects(waiting, { code: 'offline' });
  await advance(clock, 2_000);
  await refused;
  keeper.end();
});

test('the credential is renewed in time and the open session signs again', async () => {
  const { clock, keeper, sessions, statuses } = world({ renewAfterMs: 300_000 });
  await keeper.session(1_000);
  await advance(clock, 300_000);
  assert.deepEqual(sessions[0]?.reauthed, [Uint8Array.of(1)]);
  await advance(clock, 300_000);
  assert.deepEqual(sessions[0]?.reauthed, [Uint8Array.of(1), Uint8Array.of(2)]);
  assert.equal(sessions.length, 1);
  assert.equal(statuses.at(-1)?.state, 'open');
  keeper.end();
});

test('QZ-5: a control plane that is away does not end the session, and is asked again', async () => {
  const { clock, keeper, sessions, statuses } = world({
    renew: (count) => {
      if (count < 3) throw new TunnelFault('offline', 'away');
    },
  });
  await keeper.session(1_000);
  await advance(clock, 300_000);
  assert.equal(statuses.at(-1)?.state, 'open');
  await advance(clock, 5_000);
  await advance(clock, 5_000);
  assert.equal(sessions[0]?.reauthed.length, 1);
  keeper.end();
});

test('a renewal the control plane refuses ends the tunnel with its code', async () => {
  const { clock, keeper, statuses } = world({
    renew: () => {
      throw new TunnelFault('revoked', 'no', 'c0ffee');
    },
  });
  await keeper.session(1_000);
  await advance(clock, 300_000);
  assert.deepEqual(statuses.at(-1), { state: 'refused', epoch: 0, reason: 'revoked', correlation: 'c0ffee' });
});

test('a session that has just ended is never handed out: the asker waits for the next one', async () => {
  const { clock, keeper, sessions } = world();
  const first = await keeper.session(1_000);
  // What a stream sees before the keeper does: the session is over, and whoever waits for its end was not told yet.
  if (sessions[0] !== undefined) sessions[0].state.phase = 'closing';
  const waiting = keeper.session(30_000);
  let isEarly = true;
  void waiting.then((session) => assert.ok(session !== first && !isEarly));
  await settle();
  isEarly = false;
  sessions[0]?.lose('going_away');
  await advance(clock, 1_000);
  assert.equal(await waiting, sessions[1]);
  keeper.end();
});

test('a new session is begun while the old one is still saying goodbye', async () => {
  const { clock, keeper, sessions, hooks } = world();
  await keeper.session(1_000);
  if (sessions[0] !== undefined) sessions[0].state.phase = 'closing';
  hooks[0]?.onState({ phase: 'closing', epoch: 0, code: 'rekey_timeout' });
  await advance(clock, 1_000);
  assert.equal(await keeper.session(1_000), sessions[1]);
  keeper.end();
});

test('a session that answers no rekey is replaced at once, left to drain, and says nothing more of the status', async () => {
  const { keeper, sessions, statuses, hooks } = world();
  await keeper.session(1_000);
  hooks[0]?.onOverdue();
  await settle();
  assert.equal(await keeper.session(1_000), sessions[1]);
  assert.deepEqual([sessions[0]?.closedWith, sessions[0]?.isDraining], [[], true]);
  hooks[0]?.onState({ phase: 'open', epoch: 7 });
  assert.equal(statuses.at(-1)?.epoch, 0);
  hooks[1]?.onState({ phase: 'rekeying', epoch: 3 });
  assert.deepEqual(statuses.at(-1), { state: 'rekeying', transport: 'webtransport', epoch: 3 });
  keeper.end();
  assert.deepEqual([sessions[0]?.closedWith, sessions[1]?.closedWith], [['done'], ['done']]);
});

test('a gateway that takes every session and drops it at once is asked ever more seldom', async () => {
  const { clock, keeper, sessions } = world();
  for (let i = 0; i < 300; i += 1) {
    sessions.at(-1)?.lose('internal');
    await advance(clock, 100);
  }
  // 30 s: eight pauses that grow by half from 150 ms, then one session each 3 s.
  assert.ok(sessions.length < 18, `${sessions.length} sessions`);
  keeper.end();
});

test('a gateway that goes away again after it had stood is looked for as soon as the first time', async () => {
  let isAway = false;
  const { clock, keeper, sessions, used } = world({
    connect: () => {
      if (isAway) throw new Error('nobody there');
    },
  });
  await keeper.session(1_000);
  for (let i = 0; i < 5; i += 1) {
    await advance(clock, 3_000);
    isAway = true;
    sessions.at(-1)?.lose('going_away');
    await advance(clock, 1_500);
    isAway = false;
    const before = used.length;
    await advance(clock, 600);
    assert.ok(used.length > before, `the ${i + 1}th time`);
  }
  keeper.end();
});

test('a renewal in time and one for a lost session are one', async () => {
  const gate = Promise.withResolvers<void>();
  const { clock, keeper, sessions, renewals } = world({ renewAfterMs: 10_000, renew: () => gate.promise });
  await keeper.session(1_000);
  await advance(clock, 9_900);
  sessions[0]?.lose('going_away');
  await advance(clock, 400);
  assert.equal(renewals(), 1);
  gate.resolve();
  await advance(clock, 1_000);
  assert.equal(await keeper.session(1_000), sessions[1]);
  keeper.end();
});

test('after its end a tunnel asks nothing, plans nothing and holds no timer', async () => {
  const gate = Promise.withResolvers<void>();
  const { clock, keeper, renewals } = world({ renewAfterMs: 10_000, renew: () => gate.promise });
  await keeper.session(1_000);
  await advance(clock, 10_000);
  assert.equal(renewals(), 1);
  keeper.end();
  gate.resolve();
  await advance(clock, 100_000);
  assert.equal(renewals(), 1);
  assert.equal(clock.pending, 0);
  await assert.rejects(keeper.session(1_000), { code: 'offline' });
});

test('a session that comes about after the end is closed', async () => {
  const gate = Promise.withResolvers<void>();
  const { keeper, sessions, statuses } = world({ connect: () => gate.promise });
  await settle();
  keeper.end();
  gate.resolve();
  await settle();
  assert.deepEqual(sessions[0]?.closedWith, ['done']);
  assert.equal(statuses.at(-1)?.state, 'closed');
});

test('a clock that says every credential is due does not make it renew without a pause', async () => {
  const { clock, keeper, renewals } = world({ renewAfterMs: -600_000 });
  await keeper.session(1_000);
  await advance(clock, 10_000);
  assert.ok(renewals() <= 10, `${renewals()} renewals`);
  keeper.end();
});

test('QHX-4: a renewal whose answer this installation did not sign ends the tunnel', async () => {
  const { clock, keeper, statuses } = world({
    renew: () => {
      throw new TunnelFault('bad_answer', 'no');
    },
  });
  await keeper.session(1_000);
  await advance(clock, 300_000);
  assert.deepEqual(statuses.at(-1), { state: 'refused', epoch: 0, reason: 'bad_answer' });
});

/** A network that lets no UDP through until it is told to. */
function blockedUdp(): { isBlocked: boolean; connect: (attempt: number, order: Order) => void } & {
  transport: (order: Order) => 'webtransport' | 'websocket';
} {
  const network = {
    isBlocked: true,
    connect: (_attempt: number, order: Order) => {
      if (network.isBlocked && !order.includes('websocket')) throw new Error('unreachable');
    },
    transport: (order: Order) => (network.isBlocked ? ('websocket' as const) : order[0]),
  };
  return network;
}

test('BR-6: on WebSocket it looks for WebTransport, and moves there when it stands; the old session drains', async () => {
  const network = blockedUdp();
  const { clock, keeper, sessions, statuses, orders } = world(network);
  const first = await keeper.session(1_000);
  await advance(clock, 5_000);
  assert.deepEqual(orders, [['webtransport', 'websocket'], ['webtransport']]);
  assert.equal(await keeper.session(1_000), first, 'a search that fails disturbs nobody');
  network.isBlocked = false;
  await advance(clock, 10_000);
  assert.notEqual(await keeper.session(1_000), first);
  assert.deepEqual([sessions[0]?.isDraining, sessions[0]?.closedWith], [true, []]);
  assert.deepEqual(
    statuses.map(({ state, transport }) => `${state} ${transport ?? ''}`),
    ['connecting ', 'open websocket', 'open webtransport'],
  );
  const asked = orders.length;
  await advance(clock, 600_000);
  assert.equal(orders.length, asked, 'what is found is not looked for');
  keeper.end();
  assert.deepEqual(sessions[0]?.closedWith, ['done']);
  assert.equal(clock.pending, 0);
});

test('BR-6: WebTransport that does not stand is looked for ever more seldom, and not at all after the end', async () => {
  const { clock, keeper, orders } = world(blockedUdp());
  await keeper.session(1_000);
  await advance(clock, 3_600_000);
  const searches = orders.length - 1;
  assert.ok(searches >= 12 && searches <= 20, `${searches} in an hour`);
  keeper.end();
  assert.equal(clock.pending, 0);
});

test('BR-6: WebTransport that never stays is looked for ever more seldom too', async () => {
  const { clock, keeper, sessions, statuses } = world({
    transport: (order) => (order.length === 1 ? 'webtransport' : 'websocket'),
  });
  await keeper.session(1_000);
  for (let second = 0; second < 3_600; second += 1) {
    await advance(clock, 1_000);
    if (statuses.at(-1)?.transport === 'webtransport') sessions.at(-1)?.lose('idle');
  }
  const moves = statuses.filter(({ transport }) => transport === 'webtransport').length;
  assert.ok(moves >= 12 && moves <= 20, `${moves} in an hour`);
  keeper.end();
});

test('BR-6: a session that falls silent is replaced at once, WebSocket first, and may be heard again', async () => {
  const { clock, keeper, sessions, orders, hooks } = world();
  const first = await keeper.session(1_000);
  await advance(clock, 60_000);
  hooks[0]?.onSilent();
  await settle();
  assert.notEqual(await keeper.session(1_000), first);
  assert.deepEqual(orders[1], ['websocket', 'webtransport']);
  assert.deepEqual([sessions[0]?.isDraining, sessions[0]?.closedWith], [true, []]);
  keeper.end();
});

test('a path on which every session falls silent at once is not asked without a pause', async () => {
  const { clock, keeper, sessions, hooks } = world();
  for (let i = 0; i < 300; i += 1) {
    hooks.at(-1)?.onSilent();
    await advance(clock, 100);
  }
  assert.ok(sessions.length < 18, `${sessions.length} sessions`);
  keeper.end();
});

test('a path on which every session falls silent after some seconds is asked ever more seldom', async () => {
  const { clock, keeper, sessions, hooks } = world();
  let [seen, sinceMs] = [0, 0];
  for (let passedMs = 0; passedMs < 120_000; passedMs += 100) {
    sinceMs = sessions.length === seen ? sinceMs + 100 : 0;
    seen = sessions.length;
    if (sinceMs === 5_000) hooks.at(-1)?.onSilent();
    await advance(clock, 100);
  }
  // One each five seconds would be 24.
  assert.ok(sessions.length <= 18, `${sessions.length} sessions`);
  keeper.end();
});

test('BR-6: a search that ends after its session did is closed, and nobody is given it', async () => {
  const gate = Promise.withResolvers<void>();
  const { clock, keeper, sessions, orders } = world({
    transport: (order) => (order.length === 1 ? 'webtransport' : 'websocket'),
    connect: (_attempt, order) => (order.length === 1 ? gate.promise : undefined),
  });
  await keeper.session(1_000);
  await advance(clock, 5_000);
  assert.equal(orders.length, 2);
  sessions[0]?.lose('going_away');
  await advance(clock, 1_000);
  const next = await keeper.session(1_000);
  gate.resolve();
  await settle();
  assert.deepEqual(sessions[2]?.closedWith, ['done']);
  assert.equal(await keeper.session(1_000), next);
  keeper.end();
  assert.equal(clock.pending, 0);
});

test('a session that drains signs again with every renewal', async () => {
  const { clock, keeper, sessions, hooks } = world({ renewAfterMs: 300_000 });
  await keeper.session(1_000);
  hooks[0]?.onOverdue();
  await advance(clock, 300_000);
  assert.deepEqual([sessions[0]?.reauthed.length, sessions[1]?.reauthed.length], [1, 1]);
  keeper.end();
});

test('QZ-17: a session that drains signs again when another is lost', async () => {
  const { clock, keeper, sessions, hooks } = world();
  await keeper.session(1_000);
  hooks[0]?.onOverdue();
  await settle();
  sessions[1]?.lose('going_away');
  await advance(clock, 1_000);
  assert.equal(await keeper.session(1_000), sessions[2]);
  assert.deepEqual(sessions[0]?.reauthed, [Uint8Array.of(1)]);
  assert.deepEqual(sessions[2]?.reauthed, [], 'it shook hands with this one');
  keeper.end();
});

test('QZ-17: a handshake begun with a credential that was renewed meanwhile is followed by a signature', async () => {
  const gate = Promise.withResolvers<void>();
  const { clock, keeper, sessions, hooks, used } = world({
    renewAfterMs: 10_000,
    connect: (attempt) => (attempt === 2 ? gate.promise : undefined),
  });
  await keeper.session(1_000);
  hooks[0]?.onOverdue();
  await advance(clock, 10_000);
  gate.resolve();
  await settle();
  assert.deepEqual(used, [0, 0]);
  assert.deepEqual([sessions[0]?.reauthed, sessions[1]?.reauthed], [[Uint8Array.of(1)], [Uint8Array.of(1)]]);
  keeper.end();
});

test('QZ-17: a session that is signing still signs with the newest credential too', async () => {
  const { clock, keeper, sessions } = world({ renewAfterMs: 10_000 });
  await keeper.session(1_000);
  const answer = Promise.withResolvers<void>();
  const first = sessions[0]!;
  let isBusy = false;
  first.reauth = async (svid) => {
    if (isBusy) throw new TypeError('one REAUTH at a time');
    first.reauthed.push(svid);
    isBusy = true;
    await answer.promise;
    isBusy = false;
  };
  await advance(clock, 20_000);
  answer.resolve();
  await settle();
  assert.deepEqual(first.reauthed, [Uint8Array.of(1), Uint8Array.of(2)]);
  keeper.end();
});

for (const code of ['version', 'suite'] as const) {
  test(`QHX-4: a search answered with an unsigned ${code} leaves the session as it is`, async () => {
    const { clock, keeper, sessions, statuses } = world({
      transport: () => 'websocket',
      connect: (attempt) => {
        if (attempt > 1) throw new HandshakeError(code);
      },
    });
    const first = await keeper.session(1_000);
    await advance(clock, 60_000);
    assert.equal(await keeper.session(1_000), first);
    assert.deepEqual(sessions[0]?.closedWith, []);
    assert.equal(statuses.at(-1)?.state, 'open');
    keeper.end();
  });

  test(`QHX-4: a first handshake answered with an unsigned ${code} is told, and tried again`, async () => {
    const { clock, keeper, sessions, statuses, orders } = world({
      connect: (attempt) => {
        if (attempt < 3) throw new HandshakeError(code);
      },
    });
    await advance(clock, 100);
    await advance(clock, 1_000);
    assert.equal(await keeper.session(1_000), sessions[0]);
    assert.deepEqual(statuses, [
      { state: 'connecting', epoch: 0 },
      { state: 'connecting', epoch: 0, reason: code },
      { state: 'connecting', epoch: 0, reason: code },
      { state: 'open', transport: 'webtransport', epoch: 0 },
    ]);
    assert.ok(orders.every((order) => order[0] === 'webtransport' && order[1] === 'websocket'));
    keeper.end();
  });
}

test('QZ-18: a tunnel that ended is at rest when its last session has closed and its last attempt is over', async () => {
  const gate = Promise.withResolvers<void>();
  const { keeper, sessions, hooks } = world({ connect: (attempt) => (attempt === 2 ? gate.promise : undefined) });
  await keeper.session(1_000);
  hooks[0]?.onOverdue();
  await settle();
  sessions[0]!.close = () => undefined; // it lingers until its transport has ended
  keeper.end();
  let isAtRest = false;
  void keeper.atRest().then(() => {
    isAtRest = true;
  });
  await settle();
  assert.equal(isAtRest, false, 'a session lingers and an attempt is under way');
  sessions[0]!.lose('done');
  await settle();
  assert.equal(isAtRest, false, 'an attempt is under way');
  gate.resolve();
  await settle();
  assert.deepEqual([isAtRest, sessions[1]?.closedWith], [true, ['done']]);
});

test('BR-11: a pause before an attempt is told, and a person who does not want to wait ends it', async () => {
  const { clock, keeper, statuses, used } = world({
    connect: (attempt) => {
      if (attempt <= 6) throw new Error('nobody there');
    },
  });
  // 150 ms and half as much again each time; the sixth is long enough to be read.
  await advance(clock, 2_000);
  assert.deepEqual(statuses.at(-1), { state: 'connecting', epoch: 0, retryInMs: 1_139 });
  assert.equal(used.length, 6);
  keeper.reconnect();
  await settle();
  assert.equal(used.length, 7);
  assert.equal(statuses.at(-1)?.state, 'open');
  assert.equal(statuses.at(-2)?.retryInMs, undefined, 'while it is being made nothing is counted down');
  keeper.end();
});

test('BR-11: a new session that is asked for takes the new streams, and the old one carries its own to the end', async () => {
  const { keeper, sessions } = world();
  const first = await keeper.session(1_000);
  keeper.reconnect();
  await settle();
  const second = await keeper.session(1_000);
  assert.notEqual(first, second);
  assert.equal(sessions[0]?.isDraining, true);
  assert.deepEqual(sessions[0]?.closedWith, []);
  keeper.end();
  keeper.reconnect();
  await settle();
  assert.equal(sessions.length, 2, 'after the end there is nothing to reconnect');
});
