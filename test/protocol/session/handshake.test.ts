/** From a carrier to a session and through it: both ends' way in, on two independent Cryptos. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptGateway } from '../../../protocol/accept-gateway.ts';
import { utf8 } from '../../../protocol/bytes.ts';
import { connectClient } from '../../../protocol/connect-client.ts';
import type { Crypto } from '../../../protocol/crypto.ts';
import { HandshakeError } from '../../../protocol/established.ts';
import { CookieKeys } from '../../../protocol/retry.ts';
import { signSvid, verifySvid } from '../../../protocol/svid.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { type LoopbackOptions, loopbackPair } from '../../support/loopback-carrier.ts';
import { nobleCrypto } from '../../support/noble-crypto.ts';
import { now, params, posture, rememberingSigner, signers, stealthKey, svid, svidFields } from '../fixed-handshake.ts';

type Ends = Omit<LoopbackOptions, 'highWaterBytes'> & {
  readonly cryptos?: { readonly client: Crypto; readonly gateway: Crypto };
  readonly client?: Partial<Parameters<typeof connectClient>[0]>;
  readonly gateway?: Partial<Parameters<typeof acceptGateway>[0]>;
};

/** Both attempts, under way. */
function meet({ cryptos = { client: nodeCrypto, gateway: nodeCrypto }, client, gateway, ...network }: Ends = {}) {
  const clock = new FakeClock(now);
  const link = loopbackPair(network);
  const verify = (bytes: Uint8Array) => verifySvid(nodeCrypto, clock, bytes, signers.issuer.publicKey);
  const accepting = acceptGateway({
    carrier: link.gateway,
    crypto: cryptos.gateway,
    clock,
    identities: [{ signer: signers.gateway, stealthKeys: [stealthKey] }],
    verifySvid: verify,
    params: () => params,
    session: {
      onOpen: (incoming) => void incoming.accept().then((stream) => stream.write(utf8('hello'))),
      verifyReauth: verify,
    },
    ...gateway,
  });
  const connecting = connectClient({
    carrier: link.client,
    crypto: cryptos.client,
    clock,
    gateway: { publicKey: signers.gateway.publicKey, stealthKey },
    identity: { svid, posture, signer: signers.session },
    ...client,
  });
  for (const attempt of [accepting, connecting]) attempt.catch(() => {});
  return { clock, link, accepting, connecting };
}

/** What both ends say of an attempt that fails. */
async function failures(ends: Ends, wait = 0): Promise<[client: string, gateway: string]> {
  const { clock, link, accepting, connecting } = meet(ends);
  await settled();
  if (wait > 0) await clock.advance(wait);
  const codeOf = (error: unknown): string => {
    assert.ok(error instanceof HandshakeError);
    return error.code;
  };
  const codes = await Promise.all([connecting.then(() => 'open', codeOf), accepting.then(() => 'open', codeOf)]);
  await Promise.all([link.client.closed, link.gateway.closed]);
  assert.equal(clock.pending, 0);
  return codes as [string, string];
}

for (const [name, cryptos] of Object.entries({
  'node:crypto with itself': { client: nodeCrypto, gateway: nodeCrypto },
  'noble with node:crypto': { client: nobleCrypto(), gateway: nodeCrypto },
  'node:crypto with noble': { client: nodeCrypto, gateway: nobleCrypto() },
}))
  test(`QHX-3: handshake, stream, rekey and REAUTH, ${name}`, async () => {
    const { accepting, connecting } = meet({ cryptos });
    const [client, gateway] = await Promise.all([connecting, accepting]);
    const stream = await client.open({ kind: 'tcp', service: 'wiki' });
    assert.deepEqual(await stream.read(), utf8('hello'));
    client.requestRekey();
    await settled();
    assert.deepEqual([client.state.epoch, gateway.state.epoch], [1, 1]);
    await client.reauth(await signSvid(nodeCrypto, signers.issuer, { ...svidFields, notAfter: now + 1_200_000 }));
    assert.deepEqual(client.params, params);
    assert.ok('spiffeId' in gateway.peer && gateway.peer.notAfter === now + 1_200_000);
    client.close('done');
    assert.deepEqual(await gateway.closed, { code: 'done', byPeer: true, cut: false });
  });

test('the identity that signed RESP answers REAUTH while the gateway has two', async () => {
  const old = rememberingSigner('old gateway');
  const identities = [
    { signer: old, stealthKeys: [stealthKey] },
    { signer: signers.gateway, stealthKeys: [stealthKey] },
  ];
  const { accepting, connecting } = meet({ gateway: { identities } });
  const [client] = await Promise.all([connecting, accepting]);
  await client.reauth(svid);
  assert.equal(client.state.phase, 'open');
});

test('a client that does not know the stealth key hears nothing', async () => {
  const gateway = { publicKey: signers.gateway.publicKey, stealthKey: new Uint8Array(32) };
  assert.deepEqual(await failures({ client: { gateway } }), ['going_away', 'silent']);
});

test('a gateway without the pinned key is refused', async () => {
  const identities = [
    { signer: { ...signers.gateway, sign: rememberingSigner('eve').sign }, stealthKeys: [stealthKey] },
  ];
  const [client] = await failures({ gateway: { identities } });
  assert.equal(client, 'bad_svid');
});

test('a credential that is not good ends in silence', async () => {
  const verify = () => Promise.reject(new HandshakeError('revoked'));
  assert.deepEqual(await failures({ gateway: { verifySvid: verify } }), ['going_away', 'revoked']);
});

/** A gateway under load. */
const loaded = (difficulty: number) => {
  const keys = new CookieKeys(nodeCrypto, new FakeClock(now));
  return { retry: { keys, address: '192.0.2.1', demand: () => difficulty } };
};

test('QHX-4: a client does the work that a gateway under load asks for', async () => {
  for (const difficulty of [0, 12]) {
    const { clock, accepting, connecting } = meet({ gateway: loaded(difficulty) });
    const waiting = Promise.all([connecting, accepting]);
    while ((await Promise.race([waiting.then(() => 'open'), settled()])) !== 'open') await clock.advance(0);
  }
});

/** A client that has begun with a puzzle: its pause between hashes waits beside both ends’ ten seconds. */
async function atWork(signal: AbortSignal) {
  for (;;) {
    const met = meet({ gateway: loaded(20), client: { signal } });
    while (met.clock.pending < 3) await settled();
    if (met.clock.pending === 3) return met;
    // One in 500 finds the solution before its first pause.
    (await met.connecting).close('done');
  }
}

test('QHX-4: giving up ends the work on a puzzle, and the transport with it', async () => {
  const abort = new AbortController();
  const { clock, link, connecting } = await atWork(abort.signal);
  abort.abort();
  await link.client.closed;
  await clock.advance(0);
  await assert.rejects(connecting, { code: 'going_away' });
  await settled();
  assert.equal(clock.pending, 0);
  const late = meet({ client: { signal: abort.signal } });
  await assert.rejects(late.connecting, { code: 'going_away' });
});

test('a full gateway says that it is busy', async () => {
  const [client] = await failures({ gateway: { admit: () => false } });
  assert.equal(client, 'too_many');
});

for (const [what, index, from] of [
  ['INIT', 0, 'client'],
  ['RESP', 0, 'gateway'],
  ['AUTH', 1, 'client'],
  ['READY', 1, 'gateway'],
] as const)
  test(`a handshake that stalls before ${what} is given up after ten seconds`, async () => {
    const ends = {
      fault: (frame: { from: string; index: number; bytes: Uint8Array }) =>
        frame.from === from && frame.index >= index ? [] : [frame.bytes],
    };
    const { clock, link, connecting, accepting } = meet(ends);
    await settled();
    await clock.advance(9_999);
    assert.equal(await Promise.race([connecting.catch(() => 'over'), settled().then(() => 'waiting')]), 'waiting');
    await clock.advance(1);
    const codeOf = (error: HandshakeError) => error.code;
    const codes = await Promise.all([connecting.catch(codeOf), what === 'READY' ? 'open' : accepting.catch(codeOf)]);
    // both clocks strike at once; the one that is served second finds the transport closed
    assert.ok(codes.includes('idle'), String(codes));
    assert.ok(codes[0] === 'idle' || codes[0] === 'going_away');
    await link.gateway.closed;
  });

test('data before the handshake is over goes nowhere', async () => {
  const clock = new FakeClock(now);
  const link = loopbackPair();
  const accepting = acceptGateway({
    carrier: link.gateway,
    crypto: nodeCrypto,
    clock,
    identities: [{ signer: signers.gateway, stealthKeys: [stealthKey] }],
    verifySvid: () => assert.fail(),
    params: () => assert.fail(),
  });
  accepting.catch(() => {});
  await link.client.open(0n).send(Uint8Array.of(0x17, 0, 0, 32, ...new Uint8Array(32)));
  await assert.rejects(accepting, { code: 'silent' });
});

test('the first stream must be the control stream', async () => {
  const clock = new FakeClock(now);
  const link = loopbackPair();
  const accepting = acceptGateway({
    carrier: link.gateway,
    crypto: nodeCrypto,
    clock,
    identities: [{ signer: signers.gateway, stealthKeys: [stealthKey] }],
    verifySvid: () => assert.fail(),
    params: () => assert.fail(),
  });
  accepting.catch(() => {});
  link.client.open(2n);
  await assert.rejects(accepting, { code: 'silent' });
  await link.client.closed;
});
