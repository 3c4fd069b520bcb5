/** Cookies between our device and wireguard-go, each under a flood of initiations that know its key. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { CookieHolder } from '../../../server/wireguard/cookie.ts';
import type { WireGuardDevice } from '../../../server/wireguard/device.ts';
import { decodePublicKey } from '../../../server/wireguard/keys.ts';
import { INITIATION_BYTES } from '../../../server/wireguard/messages.ts';
import { systemClock } from '../../../server/wireguard/system-clock.ts';
import { needsNamespaces } from '../../support/namespace.ts';
import { farSends, newFarPeer, ping, reflectUdp } from './far-peer.ts';

const options = { ...needsNamespaces, timeout: 60_000 };

interface Flood {
  /** Resolves with the first cookie that came back. */
  readonly answered: Promise<void>;
  stop(): Promise<void>;
}

/** Garbage under a right mac1, `count` of it at once and again every `everyMs` until stopped. */
function flood(publicKey: string, port: number, address: string, count: number, everyMs: number): Flood {
  const message = new Uint8Array(INITIATION_BYTES);
  message.set(randomBytes(INITIATION_BYTES - 4), 4);
  message[0] = 1;
  new CookieHolder(decodePublicKey(publicKey), systemClock).sign(message);
  message.fill(0, -16);
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  // The only answer there is to such messages is a cookie.
  const answered = once(socket, 'message').then(() => undefined);
  const burst = () => {
    for (let n = 0; n < count; n++) socket.send(message, port, address);
  };
  const timer = setInterval(burst, everyMs);
  burst();
  return {
    answered,
    stop: async () => {
      clearInterval(timer);
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** An echo that falls into a burst is lost for good, once there is a session: then another one is sent. */
async function pingUntilAnswered(device: WireGuardDevice, payload: Uint8Array): Promise<Uint8Array> {
  for (let sequence = 1; ; sequence += 1) {
    const answer = await Promise.race([ping(device, 4, sequence, payload), pause(1_000)]);
    if (answer !== undefined) return answer;
  }
}

test('BR-7: wireguard-go takes our cookie and gets in while we are under load', options, async (t) => {
  const { device, far, ours } = await newFarPeer(t, { initiator: 'theirs' });
  const flooding = flood(ours.publicKey, ours.port, far.near4, 20, 20);
  t.after(() => flooding.stop());
  await flooding.answered;
  reflectUdp(device);
  assert.equal(await farSends(far, 4, 100), 'all came back');
  assert.equal(device.counters.handshakesCompleted, 1);
});

test('BR-7: we take the cookie of a wireguard-go under load and get in', options, async (t) => {
  const { device, far, go } = await newFarPeer(t, { initiator: 'ours' });
  // Each burst fills its queue, which puts it under load for a second, and leaves it time to hear us.
  const flooding = flood(go.publicKey, go.port, far.far4, 800, 400);
  t.after(() => flooding.stop());
  await flooding.answered;
  const payload = randomBytes(32);
  assert.deepEqual(Buffer.from(await pingUntilAnswered(device, payload)), payload);
  assert.ok(device.counters.cookiesTaken > 0);
  assert.equal(device.counters.cookiesRefused, 0);
});
