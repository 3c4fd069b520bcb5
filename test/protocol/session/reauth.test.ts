import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../../protocol/bytes.ts';
import type { Signer } from '../../../protocol/crypto.ts';
import { HandshakeError } from '../../../protocol/established.ts';
import { reauthHash } from '../../../protocol/schedule.ts';
import { type ClientSvid, signSvid, verifySvid } from '../../../protocol/svid.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { needsVectors } from '../../support/vectors.ts';
import { now, rememberingSigner, signers, svidFields } from '../fixed-handshake.ts';
import { bytesOf, fieldOf } from '../known-answers.ts';
import { newPair, type PairOptions } from './pair.ts';

const minute = 60_000;

/** A credential like the first one, but for what is given. */
const svidOf = (fields: Partial<ClientSvid> = {}): Promise<Uint8Array> =>
  signSvid(nodeCrypto, signers.issuer, { ...svidFields, serial: new Uint8Array(16), ...fields });

/** A pair whose gateway verifies credentials as it does in the handshake. */
async function newReauthPair(options: PairOptions = {}) {
  const clock = options.clock ?? new FakeClock(now);
  const verifyReauth = (svid: Uint8Array) => verifySvid(nodeCrypto, clock, svid, signers.issuer.publicKey);
  return newPair({ ...options, clock, gateway: { verifyReauth, ...options.gateway } });
}

test('a session lives on with the next credential, and ends with it', async () => {
  const renewed: number[] = [];
  const { client, gateway, clock, open } = await newReauthPair({
    gateway: { onReauth: (svid) => renewed.push(svid.notAfter) },
  });
  const stream = await open();
  await clock.advance(9 * minute);
  await client.reauth(await svidOf({ notAfter: now + 20 * minute }));
  assert.deepEqual(renewed, [now + 20 * minute]);
  assert.equal((gateway.peer as ClientSvid).notAfter, now + 20 * minute);
  await clock.advance(10 * minute);
  await stream.client.write(utf8('after the first credential ended'));
  assert.ok(await stream.gateway.read());
  await clock.advance(2 * minute);
  assert.deepEqual(await client.closed, { code: 'expired', byPeer: true, cut: false });
  assert.equal((await gateway.closed).code, 'expired');
  await assert.rejects(stream.client.read(), { code: 'session_closed' });
});

test('without REAUTH the session ends at reauth_by', async () => {
  const { client, gateway, clock } = await newReauthPair({ params: { reauthBy: BigInt(now + 5 * minute) } });
  await clock.advance(5 * minute - 1);
  assert.equal(gateway.state.phase, 'open');
  await clock.advance(1);
  assert.equal((await client.closed).code, 'expired');
});

test('without REAUTH the session ends with its credential although reauth_by is later', async () => {
  const { client, gateway, clock } = await newReauthPair({ params: { reauthBy: BigInt(now + 60 * minute) } });
  await clock.advance(10 * minute - 1);
  assert.equal(gateway.state.phase, 'open');
  await clock.advance(1);
  assert.equal((await client.closed).code, 'expired');
});

test('a gateway that gives grace takes a REAUTH in it, and ends the session after it', async () => {
  const { client, gateway, clock } = await newReauthPair({ gateway: { graceMs: minute } });
  await clock.advance(10 * minute + minute / 2);
  await client.reauth(await svidOf({ notAfter: now + 15 * minute }));
  await clock.advance(5 * minute);
  assert.equal(gateway.state.phase, 'open', 'in the grace of the second');
  await clock.advance(minute);
  assert.equal((await client.closed).code, 'expired');
});

test('a wall clock that is set back gives no credential more time', async () => {
  const { gateway, clock } = await newReauthPair();
  clock.jump(-60 * minute);
  await clock.advance(10 * minute - 1);
  assert.equal(gateway.state.phase, 'open');
  await clock.advance(1);
  assert.equal(gateway.state.code, 'expired');
});

test('a wall clock that is set past the credential ends the session within a minute', async () => {
  const { gateway, clock } = await newReauthPair();
  clock.jump(11 * minute);
  await clock.advance(minute);
  assert.equal(gateway.state.code, 'expired');
});

test('REAUTH across a rekey proves the epoch that carries it', async () => {
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let signatures = 0;
  const slow: Signer = {
    publicKey: signers.session.publicKey,
    async sign(message, context) {
      if (signatures++ === 0) await held;
      return signers.session.sign(message, context);
    },
  };
  const { client, gateway } = await newReauthPair({ signer: slow });
  const done = client.reauth(await svidOf());
  client.requestRekey();
  await settled();
  assert.equal(client.state.epoch, 1);
  release!();
  await done;
  assert.equal(signatures, 2, 'signed again for the new epoch');
  assert.deepEqual([client.state.phase, gateway.state.phase], ['open', 'open']);
});

test('two REAUTHs at one time are a mistake of the caller', async () => {
  const { client } = await newReauthPair();
  const first = client.reauth(await svidOf());
  await assert.rejects(client.reauth(await svidOf()), TypeError);
  await first;
  await client.reauth(await svidOf());
});

const refused: [what: string, code: string, fields: Partial<ClientSvid>][] = [
  ['an expired credential', 'expired', { notBefore: now - 10 * minute, notAfter: now - minute }],
  ['a credential of another person', 'bad_svid', { spiffeId: 'spiffe://latchkey.local/user/eve/device/1' }],
  ['a credential for another service', 'bad_svid', { service: 'payroll' }],
  ['a credential of another session key', 'bad_svid', { sessionPublicKey: rememberingSigner('other').publicKey }],
];
for (const [what, code, fields] of refused)
  test(`${what} ends the session: ${code}`, async () => {
    const { client, gateway } = await newReauthPair();
    await assert.rejects(client.reauth(await svidOf(fields)), { code });
    assert.deepEqual(await client.closed, { code, byPeer: true, cut: false });
    assert.equal((await gateway.closed).code, code);
  });

test('a credential that another issuer signed ends the session: bad_svid', async () => {
  const { client } = await newReauthPair();
  const svid = await signSvid(nodeCrypto, rememberingSigner('eve'), svidFields);
  await assert.rejects(client.reauth(svid), { code: 'bad_svid' });
});

test('a credential that was revoked ends the session with what the verifier said', async () => {
  const verifyReauth = () => Promise.reject(new HandshakeError('revoked'));
  const { client } = await newReauthPair({ gateway: { verifyReauth } });
  await assert.rejects(client.reauth(await svidOf()), { code: 'revoked' });
});

test('REAUTH without the session key ends the session: bad_svid', async () => {
  const thief = rememberingSigner('thief');
  const { client } = await newReauthPair({
    signer: { publicKey: signers.session.publicKey, sign: (message, context) => thief.sign(message, context) },
  });
  await assert.rejects(client.reauth(await svidOf()), { code: 'bad_svid' });
});

test('a gateway without its key is found out, and the client leaves: bad_svid', async () => {
  const thief = rememberingSigner('thief');
  const { client, gateway } = await newReauthPair({ gatewaySigner: thief });
  await assert.rejects(client.reauth(await svidOf()), { code: 'bad_svid' });
  assert.deepEqual(await gateway.closed, { code: 'bad_svid', byPeer: true, cut: false });
});

test('a REAUTH over another transcript is refused: the thief of an epoch is thrown out', async () => {
  // the client signs what an attacker in the middle of the rekey agreed with it
  const elsewhere = nodeCrypto.sha256(utf8('the transcript that the thief has with the client'));
  const confused: Signer = {
    publicKey: signers.session.publicKey,
    sign: async (_message, context) => signers.session.sign(reauthHash(nodeCrypto, elsewhere, await svidOf()), context),
  };
  const { client } = await newReauthPair({ signer: confused });
  await assert.rejects(client.reauth(await svidOf()), { code: 'bad_svid' });
});

test('a signature made for the handshake or for the other side is none for REAUTH', async () => {
  for (const other of ['Latchkey/1 client', 'Latchkey/1 reauth g', 'Latchkey/1 launch', 'Latchkey/1 renew']) {
    const { client } = await newReauthPair({
      signer: { publicKey: signers.session.publicKey, sign: (message) => signers.session.sign(message, other) },
    });
    await assert.rejects(client.reauth(await svidOf()), { code: 'bad_svid' }, other);
  }
});

test('a session that ends takes a waiting REAUTH with it', async () => {
  const verifyReauth = () => new Promise<never>(() => {});
  const { client, gateway } = await newReauthPair({ gateway: { verifyReauth } });
  const waiting = client.reauth(await svidOf());
  waiting.catch(() => {});
  await settled();
  gateway.close('going_away');
  await assert.rejects(waiting, { code: 'going_away' });
  await assert.rejects(client.reauth(await svidOf()), { code: 'going_away' });
});

test('what REAUTH signs is the known answer', needsVectors, () => {
  const hash = reauthHash(nodeCrypto, bytesOf('rekey1', 'T1'), bytesOf('svid'));
  assert.equal(Buffer.from(hash).toString('hex'), fieldOf('reauth_hash_epoch1'));
});

test('only a client reauthenticates', async () => {
  const { gateway } = await newReauthPair();
  assert.throws(() => gateway.reauth(new Uint8Array(1)), TypeError);
});
