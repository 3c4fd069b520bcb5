/** A rotation of the gateway's WireGuard key, also where the data plane will not have the new one. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { GatewayIdentity } from '../../../server/gateway/state/identity.ts';
import { WireGuardAnswers } from '../../../server/gateway/wireguard-answers.ts';
import { logger } from '../../../server/log.ts';
import { publicKeyOf } from '../../support/namespace.ts';

const id = '00000000-0000-4000-8000-000000000000';

/** @param refuses how many keys the data plane refuses before it takes one. */
function newGateway(t: TestContext, refuses: number) {
  const folder = mkdtempSync(join(tmpdir(), 'identity-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const identity = GatewayIdentity.open(folder, 0);
  const dataPlane = {
    publicKey: publicKeyOf(identity.wireguardKey()),
    status: () => [],
    useKey: async (key: Uint8Array) => {
      if (refuses-- > 0) throw new Error('the port is taken');
      dataPlane.publicKey = publicKeyOf(key);
    },
  };
  const answers = new WireGuardAnswers({ identity, dataPlane, log: logger('test'), now: () => 0 });
  const rotate = (dryRun: boolean) => answers.answer({ t: 'wireguard.rotate', id, dryRun });
  return { folder, dataPlane, rotate, kept: () => publicKeyOf(GatewayIdentity.open(folder, 0).wireguardKey()) };
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

test('QPT-7: a rotation that the data plane does not follow is rolled back, on disk and in use', async (t) => {
  const { rotate, kept, dataPlane } = newGateway(t, 1);
  const before = kept();
  assert.deepEqual(await rotate(false), { t: 'wireguard.refused', id });
  assert.deepEqual([kept(), dataPlane.publicKey], [before, before]);
});
