/** Clients that stop in the middle of a handshake, wherever they stop: gone after its ten seconds, and nothing is left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Channel } from '../../../../protocol/carrier.ts';
import { transportByte } from '../../../../protocol/carrier.ts';
import { ClientHandshake } from '../../../../protocol/handshake-client.ts';
import { decodeFrame, messageType } from '../../../../protocol/handshake-frame.ts';
import { loadConfig } from '../../../../server/config.ts';
import { generateComposite } from '../../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../../server/crypto/node-crypto.ts';
import { maxHalfOpenHandshakes, maxSessions } from '../../../../server/gateway/limits.ts';
import type { SessionDependencies } from '../../../../server/gateway/sessions/dependencies.ts';
import { Sessions } from '../../../../server/gateway/sessions/sessions.ts';
import { logger } from '../../../../server/log.ts';
import { transportLimits } from '../../../../server/transport/limits.ts';
import { FakeClock, settled } from '../../../support/fake-clock.ts';
import { type LoopbackLink, loopbackPair } from '../../../support/loopback-carrier.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const signer = generateComposite().signer;
const stealthKey = nodeCrypto.random(32);
const identity = { signer, stealthKeys: [stealthKey] };
const gateway = { publicKey: signer.publicKey, stealthKey };
const person = { svid: new Uint8Array(5_000), posture: new Uint8Array(40), signer: generateComposite().signer };

const newClient = (): ClientHandshake =>
  new ClientHandshake({ crypto: nodeCrypto, transport: transportByte.loopback, gateway, identity: person });

/** Sends a first INIT and reads what it is answered with. */
async function begin(control: Channel): Promise<{ client: ClientHandshake; frame: Uint8Array }> {
  const client = newClient();
  await control.send(client.start());
  const frame = await control.receive();
  if (frame === null) throw new Error('no answer');
  return { client, frame };
}

/** INIT and, where it is asked for, the work. @returns the frame after that: RESP */
async function untilResp(control: Channel): Promise<{ client: ClientHandshake; frame: Uint8Array }> {
  const { client, frame } = await begin(control);
  if (decodeFrame(frame).type === 'resp') return { client, frame };
  await control.send((await client.receive(frame)).send!);
  return { client, frame: (await control.receive())! };
}

/** Where to stop, and how many to try there: an exchange of keys takes a while. */
const points: Record<string, { count: number; stop: (link: LoopbackLink) => Promise<void> }> = {
  'before the first byte': { count: 2_000, stop: async () => undefined },
  'with a stream and no message': { count: 2_000, stop: async (link) => void link.client.open(0n) },
  'in the middle of INIT': {
    count: 2_000,
    stop: async (link) => {
      link.client.open(0n);
      link.inject('client', 0n, newInit.subarray(0, 700));
    },
  },
  'after the answer to INIT, be it RETRY or RESP': {
    count: 600,
    stop: async (link) => {
      const { frame } = await begin(link.client.open(0n));
      answers.add(frame[0]!);
    },
  },
  'after RESP': {
    count: 60,
    stop: async (link) => {
      const { frame } = await untilResp(link.client.open(0n));
      assert.equal(decodeFrame(frame).type, 'resp');
    },
  },
  'in the middle of AUTH': {
    count: 60,
    stop: async (link) => {
      const { client, frame } = await untilResp(link.client.open(0n));
      const auth = (await client.receive(frame)).send!;
      link.inject('client', 0n, auth.subarray(0, 9_000));
    },
  },
};
const newInit = newClient().start();
const answers = new Set<number>();

async function used(): Promise<number> {
  // The test runner learns of what was collected a turn later, and lets go of its own part then.
  for (let i = 0; i < 3; i++) {
    collect();
    await setImmediate();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** So many stop there, and the time passes. @returns memory in use at the end. */
async function stall(sessions: Sessions, clock: FakeClock, { count, stop }: (typeof points)[string]): Promise<number> {
  const closed: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    const link = loopbackPair();
    sessions.take(link.gateway, { address: `192.0.2.${i % 200}`, origin: undefined, transport: 'loopback' });
    await stop(link);
    closed.push(link.client.closed);
  }
  await settled();
  assert.ok(sessions.counts.halfOpen > 0 && sessions.counts.halfOpen <= 3 * maxHalfOpenHandshakes);
  await clock.advance(10_000);
  await Promise.all(closed);
  while (sessions.counts.halfOpen > 0) await setImmediate();
  assert.equal(clock.pending, 0, 'no timer is left');
  return used();
}

for (const [where, point] of Object.entries(points))
  test(`QPT-9: ${point.count} that stop ${where} are gone after ten seconds, and so is what they took`, async () => {
    const clock = new FakeClock();
    const deps: Partial<SessionDependencies> = {
      config: loadConfig(),
      clock,
      crypto: nodeCrypto,
      identity,
      log: logger('test'),
    };
    // Nothing beyond AUTH is reached here.
    const sessions = new Sessions(deps as SessionDependencies);
    const before = await stall(sessions, clock, point); // what is allocated once is in this
    const after = await stall(sessions, clock, point);
    assert.ok(after - before < 512 * 1024, `${after - before} bytes more for ${point.count}`);
  });

test('both answers to INIT were among them', () => {
  assert.deepEqual(answers, new Set([messageType.resp, messageType.retry]));
});

test('QPT-9: the gateway chooses whom to send away before a transport is full and refuses whoever comes next', () => {
  const standing = maxSessions + 3 * maxHalfOpenHandshakes;
  assert.ok(transportLimits.connections > standing + transportLimits.halfOpenConnections);
});
