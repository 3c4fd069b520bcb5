/**
 * Everything that was recorded, sent again: each frame of a session at every later moment of it, each handshake message
 * inside an open session, and a whole recorded conversation to a fresh gateway and to a fresh client. The short form
 * takes every 3rd pair of moment and frame.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hex, utf8 } from '../../../protocol/bytes.ts';
import { HandshakeError } from '../../../protocol/established.ts';
import { encodeReject } from '../../../protocol/handshake-frame.ts';
import type { Session } from '../../../protocol/session.ts';
import type { Stream } from '../../../protocol/stream.ts';
import { type ClientSvid, signSvid, verifySvid } from '../../../protocol/svid.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { inLong } from '../../support/long.ts';
import type { FrameInFlight } from '../../support/loopback-carrier.ts';
import * as fixed from '../fixed-handshake.ts';
import { remembering } from '../remembering-crypto.ts';
import { newPair } from './pair.ts';

const every = inLong(3, 1);
const crypto = remembering(fixed.fixedCrypto);
const later: ClientSvid = { ...fixed.svidFields, notAfter: fixed.now + 900_000 };
const renewed = await signSvid(nodeCrypto, fixed.signers.issuer, later);

/** What the two users of a session saw of it. */
type Seen = {
  readonly toGateway: string[];
  readonly toClient: string[];
  readonly opened: number;
  readonly renewals: number;
};

async function read(stream: Stream, into: string[]): Promise<void> {
  try {
    for (let chunk = await stream.read(); chunk; chunk = await stream.read()) into.push(Buffer.from(chunk).toString());
    into.push('the end');
  } catch (error) {
    into.push(`cut: ${(error as { code: string }).code}`);
  }
}

type Replay = { readonly after: number; readonly frame: number };

/** One short life of a session with everything in it; after its n-th frame an earlier one comes once more. */
async function live(replay?: Replay) {
  const frames: FrameInFlight[] = [];
  let victim: 'client' | 'gateway' | undefined;
  const fault = (frame: FrameInFlight): readonly Uint8Array[] => {
    frames.push({ ...frame, bytes: frame.bytes.slice() });
    const again = replay && frames.length === replay.after + 1 ? frames[replay.frame] : undefined;
    if (!again) return [frame.bytes];
    victim = again.from === 'client' ? 'gateway' : 'client';
    if (again.from === frame.from && again.streamId === frame.streamId) return [frame.bytes, again.bytes];
    // Not at once: the first frames are sent while the pair is being made.
    setImmediate(() => pair.link.inject(again.from, again.streamId, again.bytes));
    return [frame.bytes];
  };
  let renewals = 0;
  const pair = await newPair({
    fault,
    clock: new FakeClock(fixed.now),
    cryptos: { client: crypto, gateway: crypto },
    gateway: {
      verifyReauth: (svid) => verifySvid(crypto, fixed.clock, svid, fixed.signers.issuer.publicKey),
      onReauth: () => renewals++,
    },
  });
  const seen = { toGateway: [] as string[], toClient: [] as string[], opened: 0 };
  await walk(pair, seen).catch(() => {}); // wherever the replay ended it
  await settled();
  const alive = [pair.client, pair.gateway].map(({ state }) => state);
  pair.link.client.close();
  const ends = { client: await pair.client.closed, gateway: await pair.gateway.closed };
  await settled();
  return { frames, seen: { ...seen, renewals } satisfies Seen, ends, alive, victim };
}

async function walk(
  { client, gateway, open }: Awaited<ReturnType<typeof newPair>>,
  seen: { toGateway: string[]; toClient: string[]; opened: number },
): Promise<void> {
  const step = async (made: Promise<unknown> | undefined): Promise<void> => {
    await Promise.race([made, settled().then(settled)]);
    await settled();
    if (client.state.code ?? gateway.state.code) throw new Error('over');
  };
  const openOne = async () => {
    const opening = open();
    opening.catch(() => {});
    await step(opening);
    const stream = await opening;
    seen.opened++;
    void read(stream.gateway, seen.toGateway);
    void read(stream.client, seen.toClient);
    return stream;
  };
  const first = await openOne();
  await step(first.client.write(utf8('one')));
  await step(first.gateway.write(utf8('uno')));
  client.requestRekey();
  await step(undefined);
  await step(first.client.write(utf8('two')));
  const reauth = client.reauth(renewed);
  reauth.catch(() => {});
  await step(reauth);
  const second = await openOne();
  await step(second.client.write(utf8('three')));
  gateway.requestRekey();
  await step(undefined);
  await step(first.gateway.finish());
  await step(first.client.finish());
  await step(second.gateway.write(utf8('due')));
  await step(Promise.all([second.client.finish(), second.gateway.finish()]));
}

const undisturbed = await live();
const isBeginning = (part: string[], whole: string[]): boolean =>
  part.filter((text) => !text.startsWith('cut')).every((text, i) => text === whole[i]);

test('QZ-2: each record of a session, sent again at every later moment of it, delivers nothing and ends it', async (t) => {
  const { frames, seen: whole } = undisturbed;
  assert.deepEqual(whole.toGateway, ['one', 'two', 'three', 'the end', 'the end']);
  assert.deepEqual([whole.toClient, whole.opened, whole.renewals], [['uno', 'the end', 'due', 'the end'], 2, 1]);
  assert.ok(frames.length > 25, `${frames.length} frames`);
  const [ended, ignored] = [new Map<string, number>(), [] as string[]];
  let number = 0;
  for (let after = 0; after < frames.length; after++)
    for (let frame = 0; frame <= after; frame++) {
      if (number++ % every !== 0) continue;
      const what = `frame ${frame} again after frame ${after}`;
      const { seen, ends, victim } = await live({ after, frame });
      assert.ok(isBeginning(seen.toGateway, whole.toGateway), `${what}: ${seen.toGateway}`);
      assert.ok(isBeginning(seen.toClient, whole.toClient), `${what}: ${seen.toClient}`);
      assert.ok(seen.opened <= 2 && seen.renewals <= 1, what);
      assert.ok(victim, `${what} was sent`);
      const { code, byPeer } = ends[victim];
      if (code === 'going_away') {
        // The stream had ended for both, so the frame met nobody; the session went on as if it had not come.
        assert.deepEqual(seen, whole, what);
        ignored.push(what);
      } else {
        assert.ok(!byPeer && ['decrypt', 'decode', 'replay'].includes(code), `${what}: ${code}`);
        ended.set(code, (ended.get(code) ?? 0) + 1);
      }
    }
  const fatal = [...ended.values()].reduce((sum, count) => sum + count, 0);
  assert.ok(fatal > 8 * ignored.length, `${fatal} ended it, ${ignored.length} met nobody`);
  t.diagnostic(
    `${fatal} replays ended their session (${[...ended].join(' ')}), ${ignored.length} met a stream that was over`,
  );
});

test('QZ-2: a handshake message inside an open session ends it, in either direction', async () => {
  for (const frame of [...Object.values(fixed.messages), encodeReject('too_many')])
    for (const from of ['client', 'gateway'] as const) {
      const { link, client, gateway } = await newPair();
      link.inject(from, 0n, frame);
      const victim: Session = from === 'client' ? gateway : client;
      assert.equal((await victim.closed).code, 'decode', `${hex(frame.subarray(0, 4))} from the ${from}`);
    }
});

test('QZ-2: a recorded conversation gets nothing from a fresh gateway but one RESP of new keys', async () => {
  // Everything fresh but the recording: the gateway's randomness and key exchange are its own.
  const gateway = fixed.newGateway({ crypto: nodeCrypto });
  const resp = fixed.sent(await gateway.receive(fixed.messages.init));
  assert.notDeepEqual(resp, fixed.messages.resp);
  await assert.rejects(
    gateway.receive(fixed.messages.auth),
    (error) => error instanceof HandshakeError && error.code === 'decrypt',
  );
});

test('QZ-2: a recorded gateway gets nothing from a fresh client', async () => {
  for (const reply of [fixed.messages.resp, fixed.messages.ready]) {
    const client = fixed.newClient({ crypto: nodeCrypto });
    client.start();
    await assert.rejects(
      client.receive(reply),
      (error) => error instanceof HandshakeError && ['decrypt', 'decode'].includes(error.code),
    );
  }
});

test('QZ-2: records of a session mean nothing to another one of the same two ends', async () => {
  const { frames } = undisturbed;
  let tried = 0;
  for (const { from, streamId, bytes } of frames.filter((frame) => frame.streamId === 0n)) {
    // The other session has lived through a rekey of its own, with other shares.
    const { link, client, gateway } = await newPair();
    client.requestRekey();
    await settled();
    link.inject(from, streamId, bytes);
    const { code } = await (from === 'client' ? gateway : client).closed;
    assert.ok(['decrypt', 'decode', 'replay'].includes(code), code);
    tried++;
  }
  assert.ok(tried >= 10, `${tried} frames`);
});
