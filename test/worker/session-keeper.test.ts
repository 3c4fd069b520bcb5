import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '../../protocol/session.ts';
import { TunnelFault, type TunnelStatus } from '../../worker/api.ts';
import type { Credential } from '../../worker/tunnel/credential.ts';
import { type Connection, type ConnectionHooks, SessionKeeper } from '../../worker/tunnel/session-keeper.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** As much of a Session as the keeper touches. */
class FakeSession {
  readonly end = Promise.withResolvers<{ code: string; byPeer: boolean }>();
  readonly closed = this.end.promise;
  readonly state = { phase: 'open', epoch: 0 };
  readonly reauthed: Uint8Array[] = [];
  readonly closedWith: string[] = [];
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
  readonly renewals: () => number;
}

function world(
  options: {
    connect?: (attempt: number) => void | Promise<void>;
    renew?: (count: number) => void | Promise<void>;
    renewAfterMs?: number;
  } = {},
): World {
  const clock = new FakeClock();
  const sessions: FakeSession[] = [];
  const statuses: TunnelStatus[] = [];
  const used: number[] = [];
  const hooks: ConnectionHooks[] = [];
  let attempts = 0;
  let renewals = 0;
  const life = options.renewAfterMs ?? 300_000;
  const keeper = new SessionKeeper(credential(0, life), {
    clock,
    connect: async (present, _signal, given): Promise<Connection> => {
      attempts += 1;
      used.push(present.serial[0] ?? -1);
      await options.connect?.(attempts);
      hooks.push(given);
      const session = new FakeSession();
      sessions.push(session);
      // The keeper touches nothing of a Session that this does not have.
      return { session: session as unknown as Session, transport: 'webtransport' };
    },
    renew: async () => {
      renewals += 1;
      await options.renew?.(renewals);
      return credential(renewals, life);
    },
    onStatus: (status) => statuses.push(status),
    chance: () => 0.5,
  });
  keeper.start();
  return { clock, keeper, sessions, statuses, used, hooks, renewals: () => renewals };
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

test('a lost session is made again with a fresh credential and its waiters get the new one', async () => {
  const { clock, keeper, sessions, statuses, used } = world();
  const first = await keeper.session(1_000);
  sessions[0]?.lose('going_away');
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
  assert.deepEqual(sessions[0]?.closedWith, []);
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
  // 30 s: four pauses that double from 150 ms, then one session each 3 s.
  assert.ok(sessions.length < 18, `${sessions.length} sessions`);
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
