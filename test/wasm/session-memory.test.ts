/**
 * What a whole session leaves in the module's memory: nothing that was secret. The other end runs on node:crypto and
 * tells every secret the two have ever shared; our own end tells what it drew. While the session lives the same search
 * finds the keys it lives by, so it can find.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptGateway } from '../../protocol/accept-gateway.ts';
import { copy } from '../../protocol/bytes.ts';
import { connectClient } from '../../protocol/connect-client.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import type { IncomingStream, Stream } from '../../protocol/stream.ts';
import { signSvid, verifySvid } from '../../protocol/svid.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { wasmCrypto } from '../../wasm/crypto.ts';
import * as fixed from '../protocol/fixed-handshake.ts';
import { Arrivals } from '../protocol/session/pair.ts';
import { FakeClock, settled } from '../support/fake-clock.ts';
import { loopbackPair } from '../support/loopback-carrier.ts';
import { freshKernel } from './under-test.ts';

/** A secret and where it came from. */
type Known = { readonly what: string; readonly bytes: Uint8Array };

/** node:crypto that keeps a copy of every secret it makes. */
function telling(known: Known[]): Crypto {
  const tell = (what: string, secret: Uint8Array): Uint8Array => {
    known.push({ what, bytes: copy(secret) });
    return secret;
  };
  return {
    ...nodeCrypto,
    extract: (salt, ikm) => tell('extracted', nodeCrypto.extract(salt, ikm)),
    expand: (key, info, length) =>
      tell(
        `expanded "${Buffer.from(info)
          .toString('latin1')
          .replace(/[^ -~]/g, '')}"`,
        nodeCrypto.expand(key, info, length),
      ),
    answer(share) {
      const { share: answer, secret } = nodeCrypto.answer(share);
      return { share: answer, secret: tell('shared secret', secret) };
    },
  };
}

/** The module, with a copy of every seed and scalar it is given; INIT's random is public and drawn elsewhere. */
function underWatch(known: Known[]) {
  const { kernel, memory } = freshKernel();
  const random = (length: number): Uint8Array => {
    const drawn = nodeCrypto.random(length);
    known.push({ what: `drawn for a key exchange, ${length} bytes`, bytes: copy(drawn) });
    return drawn;
  };
  const crypto: Crypto = { ...wasmCrypto(kernel, { random, verify: nodeCrypto.verify }), random: nodeCrypto.random };
  /** Which secrets have some eight bytes in a row anywhere in the memory. */
  const found = (): string[] => {
    const all = Buffer.from(memory);
    const holds = ({ bytes }: Known): boolean => {
      for (let at = 0; at + 8 <= bytes.length; at += 4) if (all.includes(bytes.subarray(at, at + 8))) return true;
      return false;
    };
    return known.filter(holds).map(({ what }) => what);
  };
  return { crypto, found };
}

async function connected(known: Known[]) {
  const { crypto, found } = underWatch(known);
  const link = loopbackPair();
  const clock = new FakeClock(fixed.now);
  const incoming = new Arrivals<IncomingStream>();
  const believe = (bytes: Uint8Array) => verifySvid(nodeCrypto, fixed.clock, bytes, fixed.signers.issuer.publicKey);
  const [client, gateway] = await Promise.all([
    connectClient({
      carrier: link.client,
      crypto,
      clock,
      gateway: { publicKey: fixed.signers.gateway.publicKey, stealthKey: fixed.stealthKey },
      identity: { svid: fixed.svid, posture: fixed.posture, signer: fixed.signers.session },
    }),
    acceptGateway({
      carrier: link.gateway,
      crypto: telling(known),
      clock,
      identities: [{ signer: fixed.signers.gateway, stealthKeys: [fixed.stealthKey] }],
      verifySvid: believe,
      params: () => fixed.params,
      session: { onOpen: (stream) => incoming.push(stream), verifyReauth: believe },
    }),
  ]);
  const open = async (): Promise<{ near: Stream; far: Stream }> => {
    const opening = client.open({ kind: 'tcp', service: 'wiki' });
    const far = await (await incoming.next()).accept();
    return { near: await opening, far };
  };
  return { client, gateway, clock, link, open, found };
}

/** Bytes each way, all of them read. */
async function exchange({ near, far }: { near: Stream; far: Stream }): Promise<void> {
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    await from.write(nodeCrypto.random(3_000));
    for (let have = 0; have < 3_000; ) have += (await to.read())?.length ?? assert.fail('cut');
  }
}

test('QZ-18: a session of streams, rekeys, REAUTH and exporters leaves no secret in the memory when it is closed', async (t) => {
  const known: Known[] = [];
  const { client, gateway, open, found } = await connected(known);
  const streams = [await open(), await open()];
  for (let epoch = 0; epoch < 3; epoch++) {
    for (const stream of streams) await exchange(stream);
    known.push({ what: `exporter of epoch ${epoch}`, bytes: copy(client.exporter('webauthn', fixed.posture)) });
    const renewed = await signSvid(nodeCrypto, fixed.signers.issuer, { ...fixed.svidFields, amr: epoch });
    await client.reauth(renewed);
    client.requestRekey();
    await settled();
    assert.equal(client.state.epoch, epoch + 1);
  }
  const alive = found();
  assert.ok(
    alive.some((what) => what.includes('lk1 stream')),
    'the search finds the keys of open streams',
  );
  assert.ok(
    alive.every((what) => what.includes('lk1 stream')),
    `and nothing else: ${alive}`,
  );

  client.close('done');
  assert.deepEqual(found(), [], 'at once, before the peer has read it');
  await Promise.all([client.closed, gateway.closed]);
  assert.deepEqual(found(), []);
  for (const what of [
    'drawn',
    'shared',
    'extracted',
    'lk1 master',
    'lk1 c ap',
    'lk1 chain',
    'lk1 exporter',
    'lk1 stream',
    'exporter of',
  ])
    assert.ok(
      known.some((one) => one.what.includes(what)),
      `${what} was looked for`,
    );
  assert.ok(known.length > 50, `${known.length} secrets`);
  t.diagnostic(`${known.length} secrets of a session looked for, 0 found after close, ${alive.length} while it lived`);
});

type Connected = Awaited<ReturnType<typeof connected>>;
const endings: Record<string, (session: Connected) => Promise<void> | void> = {
  'closed by the gateway': ({ gateway }) => gateway.close('going_away'),
  cut: ({ link }) => link.gateway.close(),
  'ended by a forged record': ({ link }) =>
    link.inject('gateway', 0n, Uint8Array.of(0x17, 0, 0, 32, ...Array(32).fill(7))),
  'past its credential': ({ clock }) => clock.advance(700_000),
};

for (const [how, end] of Object.entries(endings))
  test(`QZ-18: a session that is ${how} leaves no secret in the memory either`, async () => {
    const known: Known[] = [];
    const session = await connected(known);
    await exchange(await session.open());
    assert.notDeepEqual(session.found(), []);
    await end(session);
    await Promise.all([session.client.closed, session.gateway.closed]);
    assert.deepEqual(session.found(), []);
    assert.ok(known.length > 15, `${known.length} secrets`);
  });
