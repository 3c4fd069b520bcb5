/**
 * The second implementation's client against the whole product: `latchkey up` with its gateway process, over a real
 * WebSocket, with a credential that the control plane issued. A service is opened, an HTTP exchange is made by hand.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { unbase64url } from '../../../protocol/bytes.ts';
import { dialWebSocket } from '../../e2e/support/node-carrier.ts';
import { trustedGateway } from '../../e2e/support/node-client.ts';
import { serviceA, World } from '../../e2e/support/node-world.ts';
import { Cursor, cat, text, uint, vec } from './bytes.ts';
import { Far } from './meeting.ts';
import { signingKey } from './suite.ts';

let world: World;
before(async () => {
  world = await World.start();
});
after(() => world?.[Symbol.asyncDispose]());

const fields = { ':dest': 'empty', ':mode': 'cors', ':site': 'same-origin' };

/** `u32 length | method | target | count | name, value ...` as docs/protocol.md has it, "Inside a stream". */
function head(method: string, target: string): Uint8Array {
  const pairs = Object.entries(fields).flatMap(([name, value]) => [vec(2, text(name)), vec(2, text(value))]);
  return vec(4, cat(vec(2, text(method)), vec(2, text(target)), uint(pairs.length / 2, 2), ...pairs));
}

test('QZ-11: its client opens a session at `latchkey up` over WebSocket and fetches from a service, across a rekey', async () => {
  const key = signingKey(new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(32)));
  const signer = {
    publicKey: key.publicKey,
    sign: async (message: Uint8Array, context: string) => key.sign(message, context),
  };
  const { answer } = await world.admin.launch(serviceA, { signer });
  const gateway = await trustedGateway(answer, world.fingerprint);
  const socket = await dialWebSocket(world.port);
  const far = Far.client(
    {
      transport: 2,
      gatewayKey: gateway.publicKey,
      stealth: gateway.stealthKey,
      key,
      svid: unbase64url(answer.svid),
      posture: unbase64url(answer.posture),
    },
    (message) => socket.send(message),
  );
  socket.on('message', (data) => far.peer.take(new Uint8Array(data as Buffer)));
  far.peer.start();
  await far.until('ready');

  for (const epoch of [0, 1, 2]) {
    assert.equal(far.peer.epoch, epoch);
    const id = far.peer.open(serviceA, 1);
    await far.until('accepted');
    far.peer.write(id, head('GET', '/whoami'));
    far.peer.fin(id);
    const from = new Cursor(await far.body(id));
    const answered = new Cursor(from.vec(4));
    assert.equal(answered.uint(2), 200);
    const told = JSON.parse(new TextDecoder().decode(from.rest())) as { user: string; device: string };
    assert.deepEqual([told.user, told.device], [world.admin.user, world.admin.device]);
    far.peer.rekey();
    await far.until('epoch');
  }
  far.peer.close(0);
  socket.close();
});
