import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { Tunnel } from '../../worker/tunnel/tunnel.ts';

test('QZ-18: a tunnel that is ended while its session key is made says nothing to the hub and forgets everything', async () => {
  let forgotten = 0;
  const tunnel = new Tunnel({
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
    await assert.rejects(launching, { code: 'offline' });
    await ended;
    assert.equal(forgotten, 1);
  } finally {
    hub.close();
  }
});
