/** An interface of the system, configured and read by each of the two ways there are, on a real wireguard-go. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { WireGuardInterface } from '../../../server/wireguard/system/interface.ts';
import { UapiInterface } from '../../../server/wireguard/system/uapi.ts';
import { WgToolInterface } from '../../../server/wireguard/system/wg-tool.ts';
import { needsNamespaces, newNamespace, publicKeyOf } from '../../support/namespace.ts';

const options = { ...needsNamespaces, timeout: 60_000 };

for (const Way of [UapiInterface, WgToolInterface]) {
  test(`BR-7: ${Way.name} sets keys and peers, reads them back, and changes and removes a peer`, options, async (t) => {
    const place = newNamespace();
    t.after(() => place.destroy());
    const { interfaceName } = await place.startWireGuard({ addresses: ['10.7.0.1/24'], peers: [] });
    const link: WireGuardInterface = new Way(interfaceName);
    const [privateKey, presharedKey] = [randomBytes(32), randomBytes(32)];
    const [one, two] = [1, 2].map(() => randomBytes(32).toString('base64')) as [string, string];
    const none = new Uint8Array(32);
    await link.write({
      self: { privateKey, port: 51_821 },
      peers: [
        {
          publicKey: one,
          presharedKey,
          allowedIps: ['10.0.0.0/8', 'fd00::/64'],
          endpoint: '192.0.2.1:7',
          keepaliveS: 25,
        },
        { publicKey: two, presharedKey: none, allowedIps: ['10.9.0.0/16'], endpoint: '[2001:db8::1]:9', keepaliveS: 0 },
      ],
    });
    const first = await link.read();
    assert.equal(first.publicKey, publicKeyOf(privateKey));
    assert.equal(first.port, 51_821);
    const byKey = new Map(first.peers.map((peer) => [peer.publicKey, peer]));
    assert.deepEqual([...(byKey.get(one)?.allowedIps ?? [])].sort(), ['10.0.0.0/8', 'fd00::/64']);
    assert.equal(byKey.get(one)?.endpoint, '192.0.2.1:7');
    assert.equal(byKey.get(two)?.endpoint, '[2001:db8::1]:9');
    assert.equal(byKey.get(two)?.lastHandshake, undefined);
    const shown = () => place.exec('wg', 'show', interfaceName, 'dump');
    assert.match(shown(), new RegExp(presharedKey.toString('base64').replaceAll('+', '\\+')));

    // Left where it is, with other addresses and no preshared key; the other one goes.
    await link.write({
      peers: [
        { publicKey: two, remove: true },
        { publicKey: one, presharedKey: none, allowedIps: ['10.1.0.0/16'], endpoint: undefined, keepaliveS: 0 },
      ],
    });
    const { peers } = await link.read();
    assert.deepEqual(
      peers.map(({ publicKey, endpoint, allowedIps }) => ({ publicKey, endpoint, allowedIps })),
      [{ publicKey: one, endpoint: '192.0.2.1:7', allowedIps: ['10.1.0.0/16'] }],
    );
    assert.ok(!shown().includes(presharedKey.toString('base64')));
  });
}

test('an interface that is not there is an error by each way', options, async () => {
  await assert.rejects(new UapiInterface('lknothing0').read(), { code: 'interface_gone' });
  await assert.rejects(new WgToolInterface('lknothing0').read(), { code: 'command_failed' });
});
