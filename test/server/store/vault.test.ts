import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Vault } from '../../../server/store/vault.ts';

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'latchkey-vault-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

test('QPT-10: what is sealed opens again under the same key for the same owner, and is never the same twice', (t) => {
  const keys = folder(t);
  const sealed = Vault.open(keys).seal('a secret', 'peer one');
  assert.equal(Vault.open(keys).open(sealed, 'peer one'), 'a secret');
  assert.notEqual(Vault.open(keys).seal('a secret', 'peer one'), sealed);
  assert.equal(statSync(join(keys, 'vault.aes')).mode & 0o777, 0o600);
});

test('QPT-10: another owner, another key, a changed byte and a plain value are refused', (t) => {
  const vault = Vault.open(folder(t));
  const sealed = vault.seal('a secret', 'peer one');
  const changed = Buffer.from(sealed.slice(3), 'base64url');
  changed[20]! ^= 1;
  const wrong: [Vault, string, string][] = [
    [vault, sealed, 'peer two'],
    [Vault.open(folder(t)), sealed, 'peer one'],
    [vault, `v1.${changed.toString('base64url')}`, 'peer one'],
    [vault, 'v1.', 'peer one'],
    [vault, 'a secret', 'peer one'],
  ];
  for (const [by, value, owner] of wrong) assert.throws(() => by.open(value, owner), { code: 'vault_unusable' });
});

test('QPT-10: a key file of another length is refused', (t) => {
  const keys = folder(t);
  writeFileSync(join(keys, 'vault.aes'), 'short');
  assert.throws(() => Vault.open(keys), { code: 'vault_unusable' });
});
