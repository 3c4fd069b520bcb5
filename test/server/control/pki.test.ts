import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Role, roleNumber, verifyPins, verifyRole } from '../../../protocol/pins.ts';
import { openPki } from '../../../server/control/pki.ts';
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
});
