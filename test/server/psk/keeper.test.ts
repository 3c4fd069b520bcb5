/** Two ends that keep a pre-shared key in step, with connections and sessions in memory and a clock that is moved. */
import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { PskAnswerer } from '../../../server/psk/answerer.ts';
import { PskKeeper } from '../../../server/psk/keeper.ts';
import { outOfStepMs, rejectAfterRenewals, retryLongestMs } from '../../../server/psk/limits.ts';
import { FakeClock } from '../wireguard/fake-clock.ts';

const renewMs = 120_000;
const identities = { gateway: new Uint8Array(32).fill(1), connector: new Uint8Array(32).fill(2) };
const first = (n: number) => new Uint8Array(32).fill(n);
const hex = (key: Uint8Array) => Buffer.from(key).toString('hex');

/** The two ends, and WireGuard as far as they know it: a session is made when both mix in the same key. */
class World {
  readonly clock = new FakeClock();
  used: { gateway: string; connector: string } = { gateway: '', connector: '' };
  /** Keys of the sessions that WireGuard made. */
  readonly sessions: string[] = [];
  connects = true;
  /** Sees each message, named, before it arrives; false swallows it and ends the connection. */
  watch: (name: 'offer' | 'answer' | 'confirm' | 'done') => boolean = () => true;
  readonly failures: unknown[] = [];
  keeper: PskKeeper;
  answerer: PskAnswerer;

  constructor(t: TestContext, key = first(9)) {
    this.answerer = this.newAnswerer(key);
    this.keeper = this.newKeeper(key);
    t.after(() => {
      this.keeper.close();
      this.answerer.close();
    });
  }

  newKeeper(key: Uint8Array): PskKeeper {
    return new PskKeeper({
      ...{ crypto: nodeCrypto, clock: this.clock, identities, first: key, renewMs },
      connect: async () => this.connect(),
      use: (psk) => {
        this.used.gateway = hex(psk);
      },
      newSession: () => this.session(),
      onFailure: (error) => this.failures.push(error),
    });
  }

  newAnswerer(key: Uint8Array): PskAnswerer {
    return new PskAnswerer({
      ...{ crypto: nodeCrypto, clock: this.clock, identities, first: key },
      use: (psk) => {
        this.used.connector = hex(psk);
      },
      onFailure: (error) => this.failures.push(error),
    });
  }

  connect(): Duplex {
    if (!this.connects) throw Object.assign(new Error('nobody there'), { code: 'EHOSTUNREACH' });
    const [near, far] = duplexPair();
    const [hub, spoke] = duplexPair();
    const pass = (to: Duplex, bytes: Buffer) => {
      const name = (['offer', 'answer', 'confirm', 'done'] as const)[bytes[0]! - 1]!;
      if (this.watch(name)) to.write(bytes);
      else for (const end of [near, spoke]) end.destroy();
    };
    near.on('data', (bytes: Buffer) => pass(spoke, bytes)).on('end', () => spoke.end());
    spoke.on('data', (bytes: Buffer) => pass(near, bytes)).on('end', () => near.end());
    for (const end of [near, spoke]) end.on('error', () => {});
    void this.answerer.serve(hub);
    return far;
  }

  /** A handshake of WireGuard's. */
  session(): void {
    if (this.used.gateway !== this.used.connector) return;
    this.sessions.push(this.used.gateway);
    this.keeper.sessionMade();
    this.answerer.sessionMade();
  }

  /** Moves the clock in steps, with the work that each sets off. */
  async pass(ms: number, step = 1_000): Promise<void> {
    for (let left = ms; left >= 0; left -= step) {
      this.clock.advance(Math.min(step, left));
      for (let n = 0; n < 20; n++) await turn();
    }
  }
}

test('QHX-11: service traffic may flow after the first exchange and the session under its key, not before', async (t) => {
  const world = new World(t);
  assert.equal(world.keeper.isReady, false);
  world.session();
  assert.equal(world.keeper.isReady, false, "the control plane's key is not enough");
  let ready = false;
  void world.keeper.ready(AbortSignal.timeout(60_000)).then(() => {
    ready = true;
  });
  await world.pass(1_000);
  assert.equal(ready, true);
  assert.equal(world.keeper.status.epoch, 1n);
  assert.equal(world.sessions.at(-1), world.used.gateway);
  assert.notEqual(world.used.gateway, hex(first(9)));
});

test('QHX-11: a new key every 120 s, the same on both ends, without an end of the traffic', async (t) => {
  const world = new World(t);
  await world.pass(1_000);
  const keys = new Set([world.used.gateway]);
  for (let n = 0; n < 5; n++) {
    await world.pass(renewMs, 10_000);
    assert.equal(world.used.gateway, world.used.connector);
    assert.equal(world.keeper.isReady, true);
    keys.add(world.used.gateway);
    world.session();
  }
  assert.equal(keys.size, 6);
});

test('QHX-11: keys that can no longer be renewed end the traffic, and it comes back by itself', async (t) => {
  const world = new World(t);
  await world.pass(1_000);
  world.connects = false;
  const keepSessions = async () => {
    for (let n = 0; n <= rejectAfterRenewals * 2; n++) {
      await world.pass(renewMs / 2, 15_000);
      world.session();
    }
  };
  await keepSessions();
  assert.equal(world.keeper.isReady, false);
  world.connects = true;
  await world.pass(retryLongestMs);
  assert.equal(world.keeper.isReady, true);
});

for (const lost of ['offer', 'answer', 'confirm', 'done'] as const)
  test(`a connection that is cut before ${lost} arrives leaves both ends able to go on`, async (t) => {
    const world = new World(t);
    await world.pass(1_000);
    const before = world.used.gateway;
    let cut = 0;
    world.watch = (name) => name !== lost || cut++ > 0;
    await world.pass(renewMs, 10_000);
    await world.pass(2_000);
    assert.ok(cut > 0);
    assert.equal(world.used.gateway, world.used.connector);
    assert.notEqual(world.used.gateway, before);
    assert.equal(world.failures.length > 0, true);
  });

for (const who of ['gateway', 'connector'] as const)
  for (const step of ['offer', 'answer', 'confirm', 'done', 'nothing'] as const)
    test(`QHX-11: a ${who} that starts again when ${step} is under way begins with the other from a new first key`, async (t) => {
      const world = new World(t);
      await world.pass(1_000);
      let restarts = 0;
      const restart = () => {
        restarts++;
        if (who === 'gateway') {
          world.keeper.close();
          world.keeper = world.newKeeper(first(10));
          world.answerer.restart(first(10));
        } else {
          world.answerer.close();
          world.answerer = world.newAnswerer(first(10));
          world.keeper.restart(first(10));
        }
        assert.equal(world.keeper.isReady, false, 'nothing flows under the first key');
        return false;
      };
      if (step === 'nothing') restart();
      world.watch = (name) => name !== step || restarts > 0 || restart();
      await world.pass(renewMs + 5_000, 5_000);
      assert.equal(restarts, 1);
      assert.equal(world.keeper.isReady, true);
      assert.equal(world.used.gateway, world.used.connector);
      assert.notEqual(world.used.gateway, hex(first(10)));
    });

test('the same key of the control plane again changes nothing', async (t) => {
  const world = new World(t);
  await world.pass(1_000);
  const { gateway } = world.used;
  world.keeper.restart(first(9));
  world.answerer.restart(first(9));
  assert.equal(world.keeper.isReady, true);
  assert.deepEqual(world.used, { gateway, connector: gateway });
});

test("ends that fell out of step begin again from the control plane's key once no session can be left", async (t) => {
  const world = new World(t);
  await world.pass(1_000);
  // A connector that has forgotten, and a control plane that does not know: nothing they do fits together.
  world.answerer.close();
  world.answerer = world.newAnswerer(first(9));
  await world.pass(1_000);
  assert.notEqual(world.used.gateway, world.used.connector);
  await world.pass(renewMs + outOfStepMs + retryLongestMs, 5_000);
  world.session();
  await world.pass(5_000);
  assert.equal(world.used.gateway, world.used.connector);
  assert.equal(world.keeper.isReady, true);
});

test('what waits for a peer that goes away is told', async (t) => {
  const world = new World(t);
  world.connects = false;
  const waiting = assert.rejects(world.keeper.ready(new AbortController().signal), { code: 'closed' });
  await world.pass(1_000);
  world.keeper.close();
  await waiting;
  const gone = new AbortController();
  const aborted = assert.rejects(new World(t).keeper.ready(gone.signal), { name: 'AbortError' });
  gone.abort();
  await aborted;
});
