/**
 * A gateway that answers no rekey any more, end to end: the keeper of the Worker against a real gateway, the client's
 * clock moved by hand. Beside the old session a new one is made; what runs in the old one runs to its end.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { unbase64url } from '../../protocol/bytes.ts';
import { connectClient } from '../../protocol/connect-client.ts';
import type { Session } from '../../protocol/session.ts';
import { generateComposite } from '../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import type { TunnelStatus } from '../../worker/api.ts';
import { SessionKeeper } from '../../worker/tunnel/session-keeper.ts';
import { fetchThrough } from '../server/gateway/world/exchange.ts';
import { World } from '../server/gateway/world/world.ts';
import { FakeClock, settled } from '../support/fake-clock.ts';

let world: World;
/** The download that is under way: the test says when it goes on. */
const download = Promise.withResolvers<ServerResponse>();
before(async () => {
  world = await World.open((request, response) => {
    if (request.url === '/download') download.resolve(response.writeHead(200));
    else response.end('ok');
  });
});
after(() => world.close());

test('QZ-17: when a rekey stalls for 15 s, new streams go to a new session and the old one drains', async () => {
  const clock = new FakeClock(Date.now());
  const { signer } = generateComposite();
  const posture = new Uint8Array(40).fill(2, 0, 32);
  const svid = await world.authority.issue({ sessionPublicKey: signer.publicKey });
  const hello = world.authority.hello!;
  const gateway = { publicKey: unbase64url(hello.publicKey), stealthKey: unbase64url(hello.stealthKey) };
  const sessions: Session[] = [];
  const statuses: TunnelStatus[] = [];
  let [isOpen, isStalled] = [false, false];
  const keeper = new SessionKeeper(
    {
      ...{ svid, posture, gateway, serial: new Uint8Array(16), endpoints: [], renewInMs: 3_000_000 },
      pins: new Uint8Array(32),
      service: { name: 'wiki', title: 'Wiki', app: 'http://wiki.apps.localhost' },
    },
    {
      clock,
      chance: () => 0.5,
      onLapsed: () => undefined,
      onStatus: (status) => statuses.push(status),
      renew: () => assert.fail('no renewal is due'),
      connect: async (credential, signal, { onState, onOverdue }) => {
        const isFirst = sessions.length === 0;
        // The first session's RK_RESP is lost, and with it all that follows on its control stream; its streams go on.
        const fault = ({ from, streamId, bytes }: { from: string; streamId: bigint; bytes: Uint8Array }) => {
          if (!isFirst || from !== 'gateway' || streamId !== 0n) return [bytes];
          isStalled ||= isOpen && bytes.length > 1_000;
          return isStalled ? [] : [bytes];
        };
        const session = await connectClient({
          ...{ carrier: world.loopback({ fault }), crypto: nodeCrypto, clock, gateway, signal },
          identity: { svid: credential.svid, posture: credential.posture, signer },
          session: { onState, onRekeyOverdue: onOverdue },
        });
        sessions.push(session);
        // On WebSocket the keeper would look for WebTransport meanwhile.
        return { session, transport: 'webtransport' };
      },
    },
  );
  keeper.start();
  const first = await keeper.session(60_000);
  isOpen = true;
  const blob = randomBytes(64 * 1024);
  const hash = createHash('sha256');
  const arriving = fetchThrough(first, '/download');
  const response = await download.promise;
  /** Time passes, and the download goes on. */
  const pass = async (seconds: number) => {
    for (let s = 0; s < seconds; s++) {
      await clock.advance(1_000);
      const { bytesIn } = first.stats();
      response.write(blob);
      hash.update(blob);
      while (first.stats().bytesIn < bytesIn + blob.length && first.state.code === undefined) await setImmediate();
    }
  };
  while (!isStalled) await pass(1);
  await pass(13);
  assert.equal(first.state.phase, 'rekeying');
  assert.equal(sessions.length, 1, 'a gateway may take its time');
  await pass(3);
  while (sessions.length < 2) {
    await settled();
    await clock.advance(1);
  }
  const second = await keeper.session(60_000);
  assert.notEqual(second, first);
  assert.equal((await fetchThrough(second, '/page')).body.toString(), 'ok');
  // Written only now: the old session still carries what was begun in it.
  response.end(blob);
  hash.update(blob);
  const { body } = await arriving;
  assert.equal(createHash('sha256').update(body).digest('hex'), hash.digest('hex'));
  // Its last stream has ended, and that is the end of a session that drains.
  await clock.advance(70_000);
  assert.equal((await first.closed).code, 'done');
  assert.equal(second.state.phase, 'open');
  assert.deepEqual(statuses.at(-1)?.state, 'open');
  keeper.end();
  await second.closed;
  while (world.gateway.status().sessions > 0) await setImmediate();
});
