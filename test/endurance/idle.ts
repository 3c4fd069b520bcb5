/** Many sessions over real QUIC on which nothing happens but rekeys: all stay, and what each costs the gateway. */
import assert from 'node:assert/strict';
import type { Session } from '../../protocol/session.ts';
import type { Figure } from '../bench/figure.ts';
import { keepAlive } from '../e2e/support/node-client.ts';
import { serviceA, World } from '../e2e/support/node-world.ts';
import { ProcessWatch } from './process-watch.ts';
import { quicSession, rest } from './quic-session.ts';

export interface IdleOptions {
  readonly sessions: number;
  readonly minutes: number;
  readonly rekeyAfterS: number;
}

/** Sessions of one device: what the gateway lets it make, and the hub lets its person renew, at once (personRate). */
const perDevice = 40;
const atOnce = 8;
/** How much longer than they should take rekeys may take, on a machine that is busy. */
const patienceMs = 120_000;
const lookEveryMs = 100;

export async function idleSessions({ sessions: count, minutes, rekeyAfterS }: IdleOptions): Promise<Figure[]> {
  await using world = await World.start({ LATCHKEY_REKEY_AFTER_S: String(rekeyAfterS) });
  await world.applyPolicies('@id("all") permit (principal, action, resource == Service::"alpha");');
  // One that has gone through everything once, so that what is counted is sessions and not code.
  const launched = await world.admin.launch(serviceA);
  const warm = await quicSession(world, launched);
  keepAlive(world.admin, warm, launched);
  const gateway = new ProcessWatch(world.product.ready.pids.gateway ?? 0);
  const before = gateway.sample();
  const sessions: Session[] = [];
  for (let device = 0; sessions.length < count; device += 1) {
    const person = await world.invite(`Idle ${device}`);
    const credential = await person.launch(serviceA);
    const open = async () => {
      const session = await quicSession(world, credential, { person });
      sessions.push(session);
      keepAlive(person, session, credential);
    };
    const wanted = Math.min(perDevice, count - sessions.length);
    for (let i = 0; i < wanted; i += atOnce)
      await Promise.all(Array.from({ length: Math.min(atOnce, wanted - i) }, open));
  }
  const cpuBefore = gateway.sample();
  await rest(minutes * 60_000);
  const after = gateway.sample();
  await reached(sessions, Math.max(2, Math.floor((minutes * 60) / (rekeyAfterS * 1.5)) - 1));
  const epochs = sessions.map(({ state }) => state.epoch);
  for (const session of [...sessions, warm]) session.close('done');
  await Promise.all(sessions.map(({ closed }) => closed));
  const cpuMs = after.cpuMs - cpuBefore.cpuMs;
  return [
    { name: 'idle.sessions', value: count, unit: 'sessions' },
    { name: 'idle.rekeys', value: epochs.reduce((sum, epoch) => sum + epoch, 0), unit: 'rekeys' },
    { name: 'idle.per_session', value: (after.residentBytes - before.residentBytes) / 1_024 / count, unit: 'KiB' },
    { name: 'idle.cpu', value: cpuMs / (minutes * 600), unit: '% of a core' },
    { name: 'idle.fds', value: after.fds - before.fds, unit: 'descriptors' },
  ];
}

/** Waits until each of them is in this epoch or a later one. @throws AssertionError when one has ended or does not come that far */
async function reached(sessions: readonly Session[], epoch: number): Promise<void> {
  const ends = performance.now() + patienceMs;
  const slowest = () => Math.min(...sessions.map(({ state }) => state.epoch));
  while (slowest() < epoch && sessions.every(({ state }) => state.code === undefined) && performance.now() < ends)
    await rest(lookEveryMs);
  const lost = sessions.flatMap(({ state }) => state.code ?? []);
  assert.deepEqual(lost, []);
  assert.ok(slowest() >= epoch, `epoch ${slowest()}, not ${epoch}`);
}
