import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Clock } from '../../../../protocol/clock.ts';
import type { Signer } from '../../../../protocol/crypto.ts';
import { type Role, signRole } from '../../../../protocol/pins.ts';
import { signSnapshot } from '../../../../protocol/snapshot.ts';
import { signSvid } from '../../../../protocol/svid.ts';
import { systemClock } from '../../../../server/channel/system-clock.ts';
import { generateComposite } from '../../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../../server/crypto/node-crypto.ts';
import { Trust } from '../../../../server/gateway/state/trust.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-trust-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const hour = 3_600_000;
const newKey = () => generateComposite().signer;
const newTrust = (rootFile = join(folder, `root-${files++}`), clock: Clock = systemClock) =>
  ({ rootFile, trust: new Trust({ crypto: nodeCrypto, clock, rootFile }) }) as const;

const roles: readonly Role[] = ['directory', 'svid', 'policy', 'revocation'];

function certify(root: Signer, role: Role, key: Signer, life = { from: -hour, to: hour }): Promise<Uint8Array> {
  const { publicKey } = key;
  const [notBefore, notAfter] = [Date.now() + life.from, Date.now() + life.to];
  return signRole(nodeCrypto, root, { role, publicKey, notBefore, notAfter });
}

const all = (root: Signer, key: Signer, names = roles) => Promise.all(names.map((role) => certify(root, role, key)));
const snapshotBy = (signer: Signer) =>
  signSnapshot(nodeCrypto, signer, { epoch: 1n, issuedAt: Date.now(), notAfter: Date.now() + hour, content: '{}' });

test('believes documents of certified role keys, old and new while they overlap, and of no other key', async () => {
  const { trust } = newTrust();
  const [root, old, next] = [newKey(), newKey(), newKey()];
  await trust.adopt(root.publicKey, [...(await all(root, old)), await certify(root, 'policy', next)]);
  assert.equal((await trust.snapshot(await snapshotBy(old))).epoch, 1n);
  assert.equal((await trust.snapshot(await snapshotBy(next))).epoch, 1n);
  await assert.rejects(trust.snapshot(await snapshotBy(newKey())), { code: 'wrong_signer' });
  await assert.rejects(trust.snapshot(await snapshotBy(root)), { code: 'wrong_signer' });
});

test('a role key signs for its own role only', async () => {
  const { trust } = newTrust();
  const root = newKey();
  const keys = new Map(roles.map((role) => [role, newKey()]));
  await trust.adopt(root.publicKey, await Promise.all([...keys].map(([role, key]) => certify(root, role, key))));
  for (const [role, key] of keys) {
    const reading = trust.snapshot(await snapshotBy(key));
    if (role === 'policy') await reading;
    else await assert.rejects(reading, { code: 'wrong_signer' }, role);
  }
});

test('refuses certificates of another root, expired ones, and a set with a role missing', async () => {
  const [root, other, key] = [newKey(), newKey(), newKey()];
  const three = await all(root, key, ['directory', 'svid', 'policy']);
  const sets = [
    await all(other, key),
    three,
    [...three, await certify(root, 'revocation', key, { from: -2 * hour, to: -hour })],
    [...three, await certify(root, 'revocation', key, { from: hour, to: 2 * hour })],
    [],
  ];
  for (const certificates of sets) {
    const { trust, rootFile } = newTrust();
    await assert.rejects(trust.adopt(root.publicKey, certificates), { code: 'wrong_subject' });
    assert.equal(existsSync(rootFile), false, 'a root that proved nothing is not remembered');
  }
});

test('the first root stays, through restarts too, unless it certified the next one itself', async () => {
  const { rootFile, trust } = newTrust();
  const [root, next, stranger, key] = [newKey(), newKey(), newKey(), newKey()];
  await trust.adopt(root.publicKey, await all(root, key));
  const again = newTrust(rootFile).trust;
  await assert.rejects(again.adopt(stranger.publicKey, await all(stranger, key)), { code: 'wrong_signer' });
  const selfMade = [...(await all(stranger, key)), await certify(stranger, 'root', stranger)];
  await assert.rejects(again.adopt(stranger.publicKey, selfMade), { code: 'wrong_signer' });
  await again.adopt(next.publicKey, [...(await all(next, key)), await certify(root, 'root', next)]);
  await newTrust(rootFile).trust.adopt(next.publicKey, await all(next, key));
  await assert.rejects(newTrust(rootFile).trust.adopt(root.publicKey, await all(root, key)), { code: 'wrong_signer' });
});

test('QHX-4: a role key is believed no longer than its certificate, also by a gateway that stays connected', async () => {
  let now = Date.now();
  const { trust } = newTrust(undefined, { ...systemClock, now: () => now });
  const [root, old, next] = [newKey(), newKey(), newKey()];
  const renewed = await certify(root, 'policy', next, { from: -hour, to: 3 * hour });
  await trust.adopt(root.publicKey, [...(await all(root, old)), renewed]);
  const lasting = (signer: Signer) =>
    signSnapshot(nodeCrypto, signer, { epoch: 1n, issuedAt: now, notAfter: now + 3 * hour, content: '{}' });
  const [byOld, byNext] = [await lasting(old), await lasting(next)];
  await trust.snapshot(byOld);
  now += hour + 1_000;
  await assert.rejects(trust.snapshot(byOld), { code: 'wrong_signer' });
  assert.equal((await trust.snapshot(byNext)).epoch, 1n);
});

test('QHX-4: a credential is verified once and looked at each time: for its life and for the key that signed it', async () => {
  let now = Date.now();
  let verified = 0;
  const counting = {
    ...nodeCrypto,
    verify: (...signed: Parameters<typeof nodeCrypto.verify>) => {
      verified++;
      return nodeCrypto.verify(...signed);
    },
  };
  const clock = { ...systemClock, now: () => now };
  const trust = new Trust({ crypto: counting, clock, rootFile: join(folder, `root-${files++}`) });
  const [root, issuer] = [newKey(), newKey()];
  await trust.adopt(root.publicKey, await all(root, issuer));
  const issue = (life: number) =>
    signSvid(nodeCrypto, issuer, {
      sessionPublicKey: issuer.publicKey,
      deviceKeyHash: new Uint8Array(32),
      notBefore: now,
      notAfter: now + life,
      policyEpoch: 1n,
      amr: 1,
      postureHash: new Uint8Array(32),
      serial: new Uint8Array(16),
      spiffeId: 'spiffe://latchkey.local/user/ada/device/laptop',
      service: 'wiki',
    });
  const [short, long] = [await issue(1_000), await issue(2 * hour)];
  verified = 0;
  const first = await trust.svid(long);
  assert.deepEqual(await trust.svid(Uint8Array.from(long)), first);
  await trust.svid(short);
  assert.equal(verified, 2);
  const changed = Uint8Array.from(long);
  changed[changed.length - 1]! ^= 1;
  await assert.rejects(trust.svid(changed), { code: 'bad_signature' });
  await assert.rejects(trust.svid(changed), { code: 'bad_signature' }, 'a refusal is not remembered as anything else');
  now += 1_000;
  await assert.rejects(trust.svid(short), { code: 'expired' });
  now += hour;
  await assert.rejects(trust.svid(long), { code: 'wrong_signer' }, 'the key that signed it has ended');
});
