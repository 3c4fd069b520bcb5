import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '../../protocol/session.ts';
import { TunnelFault, type TunnelStatus } from '../../worker/api.ts';
import type { Credential } from '../../worker/tunnel/credential.ts';
import { type Connection, SessionKeeper } from '../../worker/tunnel/session-keeper.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** As much of a Session as the keeper touches. */
class FakeSession {
  readonly end = Promise.withResolvers<{ code: string; byPeer: boolean }>();
  readonly closed = this.end.promise;
  readonly state = { epoch: 0 };
  readonly reauthed: Uint8Array[] = [];
  close(code: string): void {
    this.end.resolve({ code, byPeer: false });
  }
  async reauth(svid: Uint8Array): Promise<void> {
    this.reauthed.push(svid);
  }
}

function credential(serial: number, renewAfter: number): Credential {
  const bytes = Uint8Array.of(serial);
  return {
    svid: bytes,
    serial: bytes,
    posture: bytes,
    gateway: { publicKey: bytes, stealthKey: bytes },
    endpoints: [],
    service: { name: 'wiki', title: 'Wiki', app: 'http://wiki.apps.localhost' },
    renewAfter,
  };
}

interface World {
  readonly clock: FakeClock;
  readonly keeper: SessionKeeper;
  readonly sessions: FakeSession[];
  readonly statuses: TunnelStatus[];
  readonly used: number[];
}

function world(
  options: { connect?: (attempt: number) => void; renew?: (count: number) => void; renewAfterMs?: number } = {},
): World {
  const clock = new FakeClock();
  const sessions: FakeSession[] = [];
  const statuses: TunnelStatus[] = [];
  const used: number[] = [];
  let attempts = 0;
  let renewals = 0;
  const life = options.renewAfterMs ?? 300_000;
  const keeper = new SessionKeeper(credential(0, clock.now() + life), {
    clock,
    connect: async (present): Promise<Connection> => {
      attempts += 1;
      used.push(present.serial[0] ?? -1);
      options.connect?.(attempts);
      const session = new FakeSession();
      sessions.push(session);
      // The keeper touches nothing of a Session that this does not have.
      return { session: session as unknown as Session, transport: 'webtransport' };
    },
    renew: async () => {
      renewals += 1;
      options.renew?.(renewals);
      return credential(renewals, clock.now() + life);
    },
    onStatus: (status) => statuses.push(status),
  });
  keeper.start();
  return { clock, keeper, sessions, statuses, used };
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
  sessions[0]?.end.resolve({ code: 'going_away', byPeer: true });
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
    sessions[0]?.end.resolve({ code, byPeer: true });
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
