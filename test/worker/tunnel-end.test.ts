import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import type { SessionKey } from '../../worker/tunnel/composite.ts';
import { Tunnel } from '../../worker/tunnel/tunnel.ts';

test('QZ-18: a tunnel that is ended while its session key is made says nothing to the hub and forgets everything', async () => {
  let forgotten = 0;
  let wiped = 0;
  const key = Promise.withResolvers<SessionKey>();
  const tunnel = new Tunnel({
    key: key.promise,
    crypto: nodeCrypto,
    sealed: () => 0,
    forget: () => {
      forgotten += 1;
    },
    onStatus: () => assert.fail(),
    onStepUp: () => assert.fail(),
    onTransfers: () => assert.fail(),
    onPassword: () => assert.fail(),
    appOrigin: () => assert.fail(),
  });
  const { port1: hub, port2: port } = new MessageChannel();
  hub.onmessage = () => assert.fail('the hub heard of a key');
  try {
    const launching = tunnel.launch('wiki', port);
    const ended = tunnel.end();
    key.resolve({
      publicKey: new Uint8Array(0),
      sign: () => assert.fail(),
      wipe: () => {
        wiped += 1;
      },
    });
    await assert.rejects(launching, { code: 'offline' });
    await ended;
    assert.ok(wiped > 0);
    assert.equal(forgotten, 1);
  } finally {
    hub.close();
  }
});
