import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { maxRootGenerations } from '../../../protocol/limits.ts';
import { objectType, parseObject, signObject } from '../../../protocol/lks1.ts';
import { followPins, type Role, roleNumber, verifyPins, verifyRole } from '../../../protocol/pins.ts';
import { readTrust } from '../../../server/audit/trust.ts';
import { openPki, type Pki } from '../../../server/control/pki.ts';
import { rotateRoot } from '../../../server/control/root-rotation.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { makePrivateFolder } from '../../../server/store/files.ts';
import { type ControlPaths, controlPaths } from '../../../server/store/paths.ts';

const roles = (Object.keys(roleNumber) as Role[]).filter((role) => role !== 'root');
const dayMs = 86_400_000;
const at = (time: number) => ({ now: () => time });
const start = 1_790_000_000_000;

describe('keys of an installation', () => {
  let data: string;
  let paths: ControlPaths;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'pki-'));
    paths = controlPaths(data);
    makePrivateFolder(paths.folder);
  });
  afterEach(() => rmSync(data, { recursive: true }));

  /** The roles a reader who starts from the pins would believe, and the keys. */
  const believed = async (time: number) => {
    const pki = await openPki(paths, at(time));
    await verifyPins(nodeCrypto, pki.pins, { rootPublicKey: pki.root, fingerprint: pki.fingerprint });
    const found = new Map<string, Uint8Array[]>();
    for (const role of roles) {
      for (const certificate of pki.certificates) {
        const key = await verifyRole(nodeCrypto, at(time), pki.root, certificate, role).catch(() => undefined);
        if (key !== undefined) found.set(role, [...(found.get(role) ?? []), key]);
      }
    }
    return { pki, found };
  };

  test('QZ-21: every role key is certified by the pinned root, and no key serves two roles', async () => {
    const { pki, found } = await believed(start);
    assert.deepEqual([...found.keys()], roles);
    const signing = roles.map((role) => pki.signer(role as Exclude<Role, 'root'>).publicKey);
    for (const [index, role] of roles.entries()) assert.deepEqual(found.get(role), [signing[index]]);
    const all = [pki.root, ...signing].map((key) => Buffer.from(key).toString('hex'));
    assert.equal(new Set(all).size, roles.length + 1);
  });

  test('each key has a file of its own that only its owner may read', async () => {
    await openPki(paths, at(start));
    const files = readdirSync(paths.keys).sort();
    assert.deepEqual(files, [...roles, 'root', 'root-next'].map((name) => `${name}.key`).sort());
    for (const file of files) assert.equal(statSync(join(paths.keys, file)).mode & 0o777, 0o600);
    assert.equal(statSync(paths.keys).mode & 0o777, 0o700);
  });

  test('a later start finds the same keys and pins', async () => {
    const first = await openPki(paths, at(start));
    const second = await openPki(paths, at(start + dayMs));
    assert.deepEqual(second.fingerprint, first.fingerprint);
    for (const role of roles as Exclude<Role, 'root'>[])
      assert.deepEqual(second.signer(role).publicKey, first.signer(role).publicKey);
  });

  test('a role key gets a successor 30 days before its end; both are believed until the old one ends', async () => {
    const old = (await openPki(paths, at(start))).signer('policy').publicKey;
    assert.deepEqual((await openPki(paths, at(start + 59 * dayMs))).signer('policy').publicKey, old);
    const overlap = await believed(start + 61 * dayMs);
    const successor = overlap.pki.signer('policy').publicKey;
    assert.notDeepEqual(successor, old);
    assert.equal(overlap.found.get('policy')?.length, 2);
    const after = await believed(start + 91 * dayMs);
    assert.deepEqual(after.found.get('policy'), [successor]);
  });

  test('a process that runs for months renews its role keys in time', async () => {
    const pki = await openPki(paths, at(start));
    const old = pki.signer('svid').publicKey;
    assert.equal(await pki.renew(start + 59 * dayMs), false);
    assert.equal(await pki.renew(start + 61 * dayMs), true);
    assert.notDeepEqual(pki.signer('svid').publicKey, old);
    assert.equal(pki.certificates.length, 2 * roles.length);
    assert.equal(await pki.renew(start + 61 * dayMs), false);
    assert.deepEqual(
      (await openPki(paths, at(start + 62 * dayMs))).signer('svid').publicKey,
      pki.signer('svid').publicKey,
    );
  });

  test('a missing or damaged root key stops the start instead of making another', async () => {
    await openPki(paths, at(start));
    const root = join(paths.keys, 'root.key');
    const kept = readFileSync(root);
    writeFileSync(root, kept.subarray(1));
    await assert.rejects(openPki(paths, at(start)), { code: 'keys_unusable' });
    rmSync(root);
    await assert.rejects(openPki(paths, at(start)), { code: 'keys_unusable' });
  });

  describe('a new root', () => {
    const half = 183 * dayMs;
    const files = () => readdirSync(paths.keys).sort();
    const follows = async (pki: Pki, fingerprint: Uint8Array) =>
      (await followPins(nodeCrypto, [...pki.earlier, pki], fingerprint)).root;

    test('QZ-22: takes the place of the old one at once; role keys stay; who knew the old one follows', async () => {
      const pki = await openPki(paths, at(start));
      const before = { root: pki.root, fingerprint: pki.fingerprint, svid: pki.signer('svid').publicKey };
      const { from, to, backup } = await pki.rotateRoot(start + dayMs);
      assert.deepEqual([from, to], [before.fingerprint, pki.fingerprint]);
      assert.notDeepEqual(pki.root, before.root);
      assert.deepEqual(pki.signer('svid').publicKey, before.svid);
      const { found } = await believed(start + dayMs);
      assert.deepEqual([...found.keys()], roles);
      assert.deepEqual(await follows(pki, before.fingerprint), pki.root);
      assert.deepEqual(readdirSync(backup).sort(), ['root-next.key', 'root.key', 'trust']);
      assert.equal(statSync(backup).mode & 0o777, 0o700);
      const again = await openPki(paths, at(start + 2 * dayMs));
      assert.deepEqual([again.fingerprint, again.earlier], [pki.fingerprint, pki.earlier]);
      await again.rotateRoot(start + 3 * dayMs);
      assert.deepEqual(await follows(again, before.fingerprint), again.root);
      assert.deepEqual(files(), [...roles, 'root', 'root-next'].map((name) => `${name}.key`).sort());
    });

    test('QZ-22: the old root vouches for it for half a year, to those who were away', async () => {
      const pki = await openPki(paths, at(start));
      const old = pki.root;
      await pki.rotateRoot(start);
      const vouched = (time: number) =>
        Promise.any(pki.certificates.map((one) => verifyRole(nodeCrypto, at(time), old, one, 'root')));
      assert.deepEqual(await vouched(start + half - dayMs), pki.root);
      await assert.rejects(vouched(start + half + dayMs), AggregateError);
    });

    test('QZ-22: after more rotations than a browser walks at once, who knows one of the last still follows', async () => {
      const pki = await openPki(paths, at(start));
      const known: Uint8Array[] = [];
      for (let rotation = 0; rotation <= maxRootGenerations; rotation += 1) {
        known.push(pki.fingerprint);
        await pki.rotateRoot(start + rotation * dayMs);
      }
      for (const fingerprint of known.slice(1 - maxRootGenerations))
        assert.deepEqual(await follows(pki, fingerprint), pki.root);
      await assert.rejects(follows(pki, known[0]!), { code: 'wrong_subject' });
    });

    test('documents from before are still read by whoever knows the new one', async () => {
      const pki = await openPki(paths, at(start));
      const event = await signObject(nodeCrypto, pki.signer('audit'), objectType.anchor, new Uint8Array(1));
      await pki.rotateRoot(start + dayMs);
      const { keyId } = parseObject(event);
      assert.notEqual(await (await readTrust(paths)).roleKey('audit', keyId, start), undefined);
    });

    test('QPT-7: stopped at any step, the next start has the old one or the new one, whole, and can do it again', async () => {
      const steps = ['backed up', 'successor made', 'prepared', 'moved away', 'in force'];
      const inForce = (step: string) => steps.indexOf(step) >= steps.indexOf('moved away');
      for (const stopAt of steps) {
        const { fingerprint } = await openPki(paths, at(start));
        const stopped = rotateRoot(paths, start, (step) => {
          if (step === stopAt) throw new Error('the power went');
        });
        await assert.rejects(stopped, /the power went/);
        const { pki, found } = await believed(start);
        assert.equal(Buffer.from(pki.fingerprint).equals(fingerprint), !inForce(stopAt), stopAt);
        assert.deepEqual([...found.keys()], roles, stopAt);
        assert.deepEqual(await follows(pki, fingerprint), pki.root);
        assert.deepEqual(files(), [...roles, 'root', 'root-next'].map((name) => `${name}.key`).sort(), stopAt);
        assert.deepEqual(readdirSync(paths.folder).sort(), ['backups', 'keys', 'trust'], stopAt);
      }
    });
  });
});
