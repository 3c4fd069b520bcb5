/** A rotation of the gateway's WireGuard key that the gateway refuses, and what the administrator is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FarGateway, wireguardKey } from './far-gateway.ts';
import { Installation } from './installation.ts';

test('QPT-7: a rotation that would cut peers is refused with their names', async (t) => {
  const installation = new Installation();
  await installation.start({ gateway: 'a-token-of-the-supervisor' });
  const gateway = new FarGateway(installation, 'a-token-of-the-supervisor');
  t.after(async () => {
    gateway.channel.close();
    await installation.stop();
    installation.remove();
  });
  await gateway.next('snapshot');
  const [waiting, moved] = [wireguardKey(), wireguardKey()];
  for (const [at, publicKey] of [waiting, moved].entries())
    await installation.admin('POST', '/admin/peers', { publicKey, allowedIps: [`10.9.${at}.0/24`], name: `site${at}` });
  const asked = installation.admin('POST', '/admin/wireguard/key', { dryRun: true });
  const { id, overlap } = await gateway.next('wireguard.rotate');
  assert.equal(overlap, true);
  gateway.channel.send({ t: 'wireguard.refused', id, waiting: [waiting] });
  const { status, body } = await asked;
  assert.deepEqual([status, body.error], [409, 'rotation_unfinished']);
  assert.match(body.message, /still served to site0\. .*--no-overlap/);
});
