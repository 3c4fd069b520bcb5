/** The life of a handshake object, and what is left in memory when it ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isZero } from '../../protocol/bytes.ts';
import { HandshakeError } from '../../protocol/established.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import * as fixed from './fixed-handshake.ts';
import { watched } from './watched-crypto.ts';

test('an object that finished refuses everything', async () => {
  const [client, gateway] = [fixed.newClient(), fixed.newGateway()];
  await fixed.complete(client, gateway);
  assert.throws(() => client.start(), TypeError);
  await assert.rejects(client.receive(fixed.messages.ready), TypeError);
  await assert.rejects(gateway.receive(fixed.messages.auth), TypeError);
  await assert.rejects(gateway.receive(fixed.messages.init), TypeError);
});

test('an object that was wiped or not started refuses messages, and starts once', async () => {
  await assert.rejects(fixed.newClient().receive(fixed.messages.resp), TypeError);
  for (const name of ['init', 'resp', 'auth', 'ready'] as const) {
    const peer = await fixed.waiting[name]();
    peer.wipe();
    await assert.rejects(peer.receive(fixed.messages[name]), TypeError);
  }
  const started = fixed.newClient();
  started.start();
  assert.throws(() => started.start(), TypeError);
});

test('a second message while the first is at work is refused, and the first goes on', async () => {
  const client = await fixed.waiting.resp();
  const first = client.receive(fixed.messages.resp);
  await assert.rejects(client.receive(fixed.messages.resp), TypeError);
  assert.ok((await first).send);
});

test('giving up while a message is at work ends it with going_away', async () => {
  for (const name of ['init', 'resp', 'auth'] as const) {
    const peer = await fixed.waiting[name]();
    const working = peer.receive(fixed.messages[name]);
    peer.wipe();
    await assert.rejects(working, { name: 'HandshakeError', code: 'going_away' });
    await assert.rejects(peer.receive(fixed.messages[name]), TypeError);
  }
});

test('after a handshake nothing secret is left but the first epoch', async () => {
  const [client, gateway] = [watched(nodeCrypto), watched(nodeCrypto)];
  const done = await fixed.complete(
    fixed.newClient({ crypto: client.crypto }),
    fixed.newGateway({ crypto: gateway.crypto }),
  );
  for (const [side, { epoch }] of [
    [client, done.client],
    [gateway, done.gateway],
  ] as const) {
    const epochSecrets = new Set([epoch.client, epoch.gateway, epoch.chain, epoch.exporter]);
    const left = side.secrets.filter((secret) => !isZero(secret));
    assert.ok(side.secrets.length > 8);
    assert.deepEqual(new Set(left), epochSecrets);
    assert.equal(side.openHandles.size, 0);
  }
});

test('a handshake that fails or is given up leaves nothing secret at all, wherever it stops', async () => {
  for (const [stop, give] of [0, 1, 2, 3].flatMap((at) => [[at, 'damage'] as const, [at, 'wipe'] as const])) {
    const [c, g] = [watched(nodeCrypto), watched(nodeCrypto)];
    const [client, gateway] = [fixed.newClient({ crypto: c.crypto }), fixed.newGateway({ crypto: g.crypto })];
    const peers = [gateway, client, gateway, client];
    let frame = client.start();
    for (let at = 0; at < stop; at++) frame = fixed.sent(await peers[at]!.receive(frame));
    if (give === 'damage') {
      frame[frame.length - 1]! ^= 1;
      await assert.rejects(peers[stop]!.receive(frame), HandshakeError);
    }
    client.wipe();
    gateway.wipe();
    const left = [...c.secrets, ...g.secrets].filter((secret) => !isZero(secret));
    // At the last step the gateway has established its epoch, which its caller owns.
    assert.equal(left.length, stop === 3 ? 4 : 0, `${give} at ${stop}`);
    assert.equal(c.openHandles.size + g.openHandles.size, 0, `${give} at ${stop}`);
  }
});
