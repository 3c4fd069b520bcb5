/** Our device against Debian's wireguard-go, in both roles, over both families, through restarts and a rekey. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { WireGuardDevice } from '../../../server/wireguard/device.ts';
import { REKEY_AFTER_TIME_MS } from '../../../server/wireguard/limits.ts';
import { systemClock } from '../../../server/wireguard/system-clock.ts';
import { needsNamespaces } from '../../support/namespace.ts';
import { farSends, newFarPeer, ping, reflectUdp } from './far-peer.ts';

const options = { ...needsNamespaces, timeout: 60_000 };
/** Inner payloads: none, odd, and one that fills the tunnel's MTU of 1420 where IPv6 carries it. */
const sizes = [0, 1, 63, 1420 - 48];

for (const presharedKey of [undefined, randomBytes(32)]) {
  const how = presharedKey === undefined ? 'without' : 'with';
  const psk = presharedKey === undefined ? {} : { presharedKey };

  test(
    `BR-7: as initiator to wireguard-go ${how} a preshared key, pings of both families come back`,
    options,
    async (t) => {
      const { device, go, ours } = await newFarPeer(t, { initiator: 'ours', ...psk });
      for (const family of [4, 6] as const) {
        for (const [sequence, size] of sizes.entries()) {
          const payload = randomBytes(size);
          assert.deepEqual(Buffer.from(await ping(device, family, sequence, payload)), payload);
        }
      }
      assert.ok(go.latestHandshake(ours.publicKey) > 0);
      assert.equal(device.counters.handshakesCompleted, 1);
    },
  );

  test(
    `BR-7: as responder to wireguard-go ${how} a preshared key, datagrams of both families come back`,
    options,
    async (t) => {
      const { device, far, go, ours } = await newFarPeer(t, { initiator: 'theirs', ...psk });
      const reflected = reflectUdp(device);
      for (const family of [4, 6] as const) {
        assert.equal(await farSends(far, family, 1000), 'all came back');
        assert.equal(await farSends(far, family, 1372), 'all came back');
      }
      assert.ok(reflected.count >= 12);
      assert.ok(go.latestHandshake(ours.publicKey) > 0);
      assert.equal(device.counters.handshakesCompleted, 1);
    },
  );
}

test('BR-7: the outer packets may be IPv6', options, async (t) => {
  const { device } = await newFarPeer(t, { over: 6 });
  const payload = randomBytes(500);
  assert.deepEqual(Buffer.from(await ping(device, 4, 1, payload)), payload);
});

test('wireguard-go refuses us when the preshared keys differ, and takes us when they agree', options, async (t) => {
  const { device, go, ours, peerConfig } = await newFarPeer(t, { initiator: 'ours', presharedKey: randomBytes(32) });
  device.setPeer({ ...peerConfig, presharedKey: randomBytes(32) });
  const answered = ping(device, 4, 1, randomBytes(8));
  await until(() => device.counters.handshakesFailed > 0);
  assert.equal(device.counters.handshakesCompleted, 0);
  // wireguard-go, as responder, counts a handshake only when data confirmed it.
  assert.equal(go.latestHandshake(ours.publicKey), 0);
  device.setPeer(peerConfig);
  await answered; // by the next attempt
});

test('BR-7: a rekey with wireguard-go changes the key and no ping is lost', options, async (t) => {
  let ahead = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + ahead };
  const { device } = await newFarPeer(t, { initiator: 'ours', clock });
  for (let session = 1; session <= 4; session++) {
    for (let n = 0; n < 5; n++) await ping(device, 4, 10 * session + n, randomBytes(100));
    assert.equal(device.counters.handshakesCompleted, session);
    ahead += REKEY_AFTER_TIME_MS + 1;
    // With the old key, which it may for another minute; this one sets off the renewal.
    await Promise.all([ping(device, 4, 1000 + session, randomBytes(100)), renewed(device, session + 1)]);
  }
  assert.equal(device.counters.tagWrong + device.counters.keyExpired + device.counters.indexUnknown, 0);
});

test('BR-7: after a restart of wireguard-go packets flow again', options, async (t) => {
  const { device, far, go, goOptions } = await newFarPeer(t);
  await ping(device, 4, 1, randomBytes(8));
  await go.stop();
  await far.startWireGuard(goOptions);
  // It has forgotten the session and begins its own when it has something to send.
  reflectUdp(device);
  assert.equal(await farSends(far, 4, 100), 'all came back');
  await ping(device, 4, 2, randomBytes(8));
});

test('BR-7: after a restart of our device packets flow again', options, async (t) => {
  const { device, ours, peerConfig } = await newFarPeer(t);
  await ping(device, 4, 1, randomBytes(8));
  await device.close();
  const again = new WireGuardDevice({ privateKey: ours.privateKey });
  t.after(() => again.close());
  await again.listen({ port: ours.port });
  again.setPeer(peerConfig);
  await ping(again, 4, 2, randomBytes(8));
});

test('wireguard-go follows our device to another port', options, async (t) => {
  const { device, ours, peerConfig, go } = await newFarPeer(t);
  await ping(device, 4, 1, randomBytes(8));
  await device.close();
  const moved = new WireGuardDevice({ privateKey: ours.privateKey });
  t.after(() => moved.close());
  const { port } = await moved.listen({ port: 0 });
  moved.setPeer(peerConfig);
  await ping(moved, 4, 2, randomBytes(8));
  assert.match(go.show(), new RegExp(`:${port}\\t`));
});

/** Counters have no event: looked at after each turn of the loop that the network or a timer brought. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function renewed(device: WireGuardDevice, sessions: number): Promise<void> {
  return until(() => device.counters.handshakesCompleted >= sessions);
}
