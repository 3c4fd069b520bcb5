import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VerifiedSvid } from '../../../../protocol/svid.ts';
import { PolicyState, revokedOwners } from '../../../../server/gateway/state/policy-state.ts';
import { record, snapshot } from '../world/world.ts';

const start = 1_790_000_000_000;
const content = (...names: string[]) =>
  JSON.stringify(
    snapshot(
      names.map((name) => record({ name, wireguardKey: `${'A'.repeat(43)}=` })),
      [],
    ),
  );

function newState(): { state: PolicyState; clock: { at: number; now(): number } } {
  const clock = { at: start, now: () => clock.at };
  return { clock, state: new PolicyState(clock, 60_000) };
}

const issued = (epoch: bigint, issuedAt: number, text: string) => ({
  epoch,
  issuedAt,
  notAfter: issuedAt + 600_000,
  content: text,
});

test('without a snapshot there is nothing to come in by', () => {
  const { state } = newState();
  assert.deepEqual([state.isFresh, state.isUsable, state.current], [false, false, undefined]);
});

test('a beat with the same content keeps policy fresh and is no change', () => {
  const { state, clock } = newState();
  assert.equal(state.adopt(issued(1n, start, content('wiki'))), true);
  const { engine } = state.current!;
  clock.at += 60_000;
  assert.equal(state.isFresh, true);
  clock.at += 1;
  assert.equal(state.isFresh, false);
  assert.equal(state.adopt(issued(1n, clock.at, content('wiki'))), false);
  assert.equal(state.isFresh, true);
  assert.equal(state.current?.engine, engine);
});

test('a snapshot of an earlier epoch, or an earlier one of the same, is not taken', () => {
  const { state } = newState();
  state.adopt(issued(5n, start, content('wiki')));
  assert.equal(state.adopt(issued(4n, start + 1_000, content('mail'))), false);
  assert.equal(state.adopt(issued(5n, start - 1_000, content('mail'))), false);
  assert.deepEqual([...state.current!.services.keys()], ['wiki']);
  assert.equal(state.adopt(issued(6n, start + 1, content('mail'))), true);
  assert.deepEqual([...state.current!.services.keys()], ['mail']);
});

test('content that makes no sense leaves the policy in force as it was', () => {
  const { state } = newState();
  state.adopt(issued(1n, start, content('wiki')));
  for (const bad of ['', '{}', JSON.stringify({ ...JSON.parse(content('x')), policies: { a: 'permit (' } })])
    assert.throws(() => state.adopt(issued(2n, start, bad)));
  assert.equal(state.current?.epoch, 1n);
});

test('past its end a snapshot serves live sessions no longer either', () => {
  const { state, clock } = newState();
  state.adopt(issued(1n, start, content('wiki')));
  clock.at = start + 599_999;
  assert.deepEqual([state.isFresh, state.isUsable], [false, true]);
  clock.at += 1;
  assert.equal(state.isUsable, false);
});

const svid = {
  serial: new Uint8Array(16).fill(3),
  deviceKeyHash: new Uint8Array(32).fill(4),
  service: 'wiki',
  spiffeId: 'spiffe://latchkey.local/user/ada/device/laptop',
} as VerifiedSvid;
const text = (id: string) => new TextEncoder().encode(id);

const revocations = [
  ['session', svid.serial, true],
  ['session', new Uint8Array(16), false],
  ['device', text('laptop'), true],
  ['device', svid.deviceKeyHash, true],
  ['device', text('ada'), false],
  ['user', text('ada'), true],
  ['user', text('laptop'), false],
  ['service', text('wiki'), true],
  ['service', text('mail'), false],
  ['signOut', text('laptop'), false],
] as const;

for (const [kind, id, expected] of revocations)
  test(`QZ-39: a revoked ${kind} ${Buffer.from(id).toString('latin1').slice(0, 8)} ${expected ? 'hits' : 'misses'}`, () => {
    const { state } = newState();
    assert.equal(state.revoke({ epoch: 1n, issuedAt: start, revoked: [{ kind, id }] }), true);
    assert.equal(state.isRevoked(svid), expected);
  });

test('what is kept for a person goes with the person, the device, and a sign-out on it', () => {
  const revoked = revocations.map(([kind, id]) => ({ kind, id }));
  const owners = revokedOwners({ epoch: 1n, issuedAt: start, revoked });
  assert.deepEqual(owners.at(-1), { device: 'laptop' });
  assert.deepEqual(owners.at(0), { device: 'laptop' });
  assert.equal(owners.length, 6);
});

test('QZ-39: an older revocation epoch takes nothing back', () => {
  const { state } = newState();
  state.revoke({ epoch: 2n, issuedAt: start, revoked: [{ kind: 'user', id: text('ada') }] });
  assert.equal(state.revoke({ epoch: 2n, issuedAt: start, revoked: [] }), false);
  assert.equal(state.revoke({ epoch: 1n, issuedAt: start, revoked: [] }), false);
  assert.equal(state.isRevoked(svid), true);
  assert.equal(state.revoke({ epoch: 3n, issuedAt: start, revoked: [] }), true);
  assert.equal(state.isRevoked(svid), false);
});
