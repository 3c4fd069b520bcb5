/** A rotation of the gateway's WireGuard key, also where the data plane will not have the new one. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { GatewayDataPlane, OldKey } from '../../../server/gateway/data-plane.ts';
import { GatewayIdentity } from '../../../server/gateway/state/identity.ts';
import { WireGuardAnswers } from '../../../server/gateway/wireguard-answers.ts';
import { logger } from '../../../server/log.ts';
import { publicKeyOf } from '../../support/namespace.ts';

const id = '00000000-0000-4000-8000-000000000000';
/** A peer that does not move by itself. */
const waiting = publicKeyOf(randomBytes(32));

/** @param refuses how many keys the data plane refuses before it takes one. */
function newGateway(t: TestContext, refuses: number) {
  const folder = mkdtempSync(join(tmpdir(), 'identity-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const identity = GatewayIdentity.open(folder, 0);
  const use = async (key: Uint8Array) => {
    await setImmediate();
    if (refuses-- > 0) throw new Error('the port is taken');
    dataPlane.publicKey = publicKeyOf(key);
  };
  const dataPlane = {
    publicKey: publicKeyOf(identity.wireguardKey()),
    canOverlap: true,
    retiring: undefined as GatewayDataPlane['retiring'],
    status: () => [],
    useKey: async (key: Uint8Array, old?: OldKey) => {
      await use(key);
      dataPlane.retiring = old && { publicKey: publicKeyOf(old.privateKey), until: old.until, peers: [waiting] };
    },
    addKey: async (key: Uint8Array, until: number) => {
      const { publicKey } = dataPlane;
      await use(key);
      dataPlane.retiring = { publicKey, until, peers: [waiting] };
    },
  };
  const log = logger('test');
  const answers = new WireGuardAnswers({ identity, dataPlane, log, now: () => 0, overlapMs: 5_000 });
  const rotate = (dryRun: boolean, overlap = true) => answers.answer({ t: 'wireguard.rotate', id, dryRun, overlap });
  const kept = () => publicKeyOf(GatewayIdentity.open(folder, 0).wireguardKey());
  /** The key of before that a start at that time would serve, and until when. */
  const keptOld = (nowMs: number) => {
    const old = GatewayIdentity.open(folder, nowMs).oldWireguardKey(nowMs);
    return old && [publicKeyOf(old.privateKey), old.until];
  };
  const refuse = (keys: number) => {
    refuses = keys;
  };
  return { folder, identity, dataPlane, rotate, kept, keptOld, refuse };
}

test('QPT-7: a dry run changes nothing', async (t) => {
  const { folder, rotate, kept, dataPlane } = newGateway(t, 0);
  const [before, files] = [kept(), readdirSync(folder)];
  const answer = await rotate(true);
  assert.deepEqual(answer, {
    t: 'wireguard.rotated',
    id,
    from: before,
    backup: 'identity.1970-01-01T00-00-00-000Z.json',
    oldUntil: 5_000,
  });
  assert.deepEqual([kept(), dataPlane.publicKey, readdirSync(folder)], [before, before, files]);
});

test('QPT-7: a rotation keeps what was before in a file, and a start finds the new key', async (t) => {
  const { folder, rotate, kept } = newGateway(t, 0);
  const before = kept();
  const answer = await rotate(false);
  assert.equal(answer.t, 'wireguard.rotated');
  assert.notEqual(kept(), before);
  assert.ok(readdirSync(folder).includes('identity.1970-01-01T00-00-00-000Z.json'));
});

test('QPT-7: a start during the overlap finds the old key too, and one after it does not', async (t) => {
  const { identity, rotate, kept, keptOld } = newGateway(t, 0);
  const before = kept();
  await rotate(false);
  assert.deepEqual([keptOld(4_999), keptOld(5_000)], [[before, 5_000], undefined]);
  identity.dropOldWireguardKey();
  assert.equal(keptOld(0), undefined);
});

test('QPT-7: without an overlap no start finds the old key, or one that was still retiring', async (t) => {
  const { rotate, keptOld } = newGateway(t, 0);
  await rotate(false);
  const answer = await rotate(false, false);
  assert.equal('oldUntil' in answer, false);
  assert.equal(keptOld(0), undefined);
});

test('QPT-7: a second rotation while a peer is still at the first key is refused, and names it', async (t) => {
  const { folder, dataPlane, rotate, kept, keptOld } = newGateway(t, 0);
  const first = kept();
  await rotate(false);
  const [second, files] = [kept(), readdirSync(folder)];
  for (const dryRun of [true, false])
    assert.deepEqual(await rotate(dryRun), { t: 'wireguard.refused', id, waiting: [waiting] });
  assert.deepEqual([kept(), keptOld(0), dataPlane.publicKey], [second, [first, 5_000], second]);
  assert.deepEqual(readdirSync(folder), files);
  assert.equal((await rotate(true, false)).t, 'wireguard.rotated');
  assert.equal((await rotate(false, false)).t, 'wireguard.rotated');
  assert.notEqual(kept(), second);
});

test('QPT-7: a rotation without an overlap that fails during one leaves both keys, on the disk and in use', async (t) => {
  const { dataPlane, rotate, kept, keptOld, refuse } = newGateway(t, 0);
  const first = kept();
  await rotate(false);
  const [second, retiring] = [kept(), dataPlane.retiring];
  refuse(1);
  assert.deepEqual(await rotate(false, false), { t: 'wireguard.refused', id });
  assert.deepEqual([kept(), keptOld(0)], [second, [first, 5_000]]);
  assert.deepEqual([dataPlane.publicKey, dataPlane.retiring], [second, retiring]);
});

test('QPT-7: rotations that are asked for at once are done one after the other', async (t) => {
  const { dataPlane, rotate, kept } = newGateway(t, 0);
  const answers = await Promise.all([rotate(false, false), rotate(false, false), rotate(false), rotate(false)]);
  const [a, b, c, refused] = answers.map((answer) => (answer.t === 'wireguard.rotated' ? answer : undefined));
  assert.deepEqual([b?.from, c?.from, refused], [a?.to, b?.to, undefined]);
  assert.deepEqual([kept(), dataPlane.publicKey], [c?.to, c?.to]);
});

test('QPT-7: an old key whose time ended while nothing ran is not kept', async (t) => {
  const { folder, rotate } = newGateway(t, 0);
  await rotate(false);
  GatewayIdentity.open(folder, 5_000);
  const text = readFileSync(join(folder, 'identity.json'), 'utf8');
  assert.equal('oldWireguardKey' in JSON.parse(text), false);
});

for (const overlap of [true, false])
  test(`QPT-7: a rotation that the data plane does not follow is rolled back, ${overlap ? 'with' : 'without'} an overlap`, async (t) => {
    const { rotate, kept, keptOld, dataPlane } = newGateway(t, 1);
    const before = kept();
    assert.deepEqual(await rotate(false, overlap), { t: 'wireguard.refused', id });
    assert.deepEqual([kept(), dataPlane.publicKey, keptOld(0)], [before, before, undefined]);
  });
