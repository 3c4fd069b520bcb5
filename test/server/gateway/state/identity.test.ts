import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hex } from '../../../../protocol/bytes.ts';
import { GatewayIdentity } from '../../../../server/gateway/state/identity.ts';

const root = mkdtempSync(join(tmpdir(), 'latchkey-identity-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(root, String(folders++));
const day = 24 * 3_600_000;
const now = 1_790_000_000_000;

test('QPT-10: keys are made once, kept for their owner alone, and come back the same', () => {
  const folder = newFolder();
  const first = GatewayIdentity.open(folder, now);
  const again = GatewayIdentity.open(folder, now + 1_000);
  assert.equal(hex(again.signer.publicKey), hex(first.signer.publicKey));
  assert.equal(hex(again.wireguardKey()), hex(first.wireguardKey()));
  assert.deepEqual(again.stealthKeys.map(hex), first.stealthKeys.map(hex));
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, 'identity.json')).mode & 0o777, 0o600);
  assert.notEqual(hex(GatewayIdentity.open(newFolder(), now).signer.publicKey), hex(first.signer.publicKey));
});

test('the last two stealth keys are taken, and a new one is made each day', () => {
  const identity = GatewayIdentity.open(newFolder(), now);
  const [first] = identity.stealthKeys.map(hex);
  assert.equal(identity.rotateStealth(now + day - 1), false);
  assert.equal(identity.rotateStealth(now + day), true);
  const [second, kept, ...rest] = identity.stealthKeys.map(hex);
  assert.notEqual(second, first);
  assert.deepEqual([kept, rest], [first, []]);
  assert.equal(identity.rotateStealth(now + 2 * day), true);
  assert.equal(identity.stealthKeys.map(hex)[1], second);
});

test('QPT-10: a key file that is damaged stops the start instead of making new keys, and its content is not repeated', () => {
  const folder = newFolder();
  GatewayIdentity.open(folder, now);
  const path = join(folder, 'identity.json');
  const good = readFileSync(path, 'utf8');
  for (const bad of ['', '{}', good.slice(0, -5), good.replace('wireguardKey', 'other')]) {
    writeFileSync(path, bad);
    assert.throws(
      () => GatewayIdentity.open(folder, now),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'identity_unusable');
        assert.ok(!error.message.includes('Seed'));
        assert.equal(error.cause, undefined);
        return true;
      },
    );
    assert.equal(readFileSync(path, 'utf8'), bad);
  }
});
