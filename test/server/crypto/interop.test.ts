/** node:crypto against @noble: the known answers checked, and live handshakes in both roles. */
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, decapsulate, diffieHellman } from 'node:crypto';
import { test } from 'node:test';
import { concat, hex } from '../../../protocol/bytes.ts';
import type { Crypto } from '../../../protocol/crypto.ts';
import { verifyDescriptor } from '../../../protocol/descriptor.ts';
import { nextEpoch } from '../../../protocol/schedule.ts';
import { verifySvid } from '../../../protocol/svid.ts';
import { compositeFromSeeds } from '../../../server/crypto/composite-key.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import * as fixed from '../../protocol/fixed-handshake.ts';
import * as known from '../../protocol/known-answers.ts';
import { namedSigner, nobleCrypto } from '../../support/noble-crypto.ts';
import { needsVectors } from '../../support/vectors.ts';

const { bytesOf } = known;

test('QZ-11: node:crypto decapsulates the known answers, both halves', needsVectors, () => {
  for (const [who, answer] of [
    ['client', bytesOf('share_g')],
    ['rekey1.client', bytesOf('rekey1', 'rk_resp').subarray(4)],
    ['rekey2.client', bytesOf('rekey2', 'rk_resp').subarray(4)],
  ] as const) {
    const [seed, scalar] = [bytesOf('inputs', `${who}.mlkem_seed_d_z`), bytesOf('inputs', `${who}.x25519_sk`)];
    const mlkem = createPrivateKey({ key: seed, format: 'raw-seed', asymmetricKeyType: 'ml-kem-768' });
    const x25519 = createPrivateKey({ key: scalar, format: 'raw-private', asymmetricKeyType: 'x25519' });
    const peer = createPublicKey({ key: answer.subarray(1088), format: 'raw-public', asymmetricKeyType: 'x25519' });
    const kem = decapsulate(mlkem, answer.subarray(0, 1088));
    const secret = concat(kem, diffieHellman({ privateKey: x25519, publicKey: peer }));
    const [client, gateway] = [known.clientCrypto(), known.gatewayCrypto()];
    // @noble, given the same secrets in their order, comes to the same
    let expected = gateway.answer(client.offer().share).secret;
    for (let skip = ['client', 'rekey1.client', 'rekey2.client'].indexOf(who); skip > 0; skip--)
      expected = gateway.answer(client.offer().share).secret;
    assert.equal(hex(secret), hex(expected), who);
    if (who === 'client') assert.equal(hex(secret), known.textOf('ss'));
  }
});

test(
  'node:crypto verifies the known signatures and documents, and opens the known messages',
  needsVectors,
  async () => {
    const { verify, opener } = nodeCrypto;
    const [gateway, session] = [bytesOf('public_keys', 'gateway'), bytesOf('public_keys', 'session')];
    assert.ok(await verify(gateway, bytesOf('th2'), 'Latchkey/1 gateway', bytesOf('sig_g')));
    assert.ok(await verify(session, bytesOf('thc'), 'Latchkey/1 client', bytesOf('sig_c')));
    assert.ok(!(await verify(gateway, bytesOf('th2'), 'Latchkey/1 client', bytesOf('sig_g'))));
    const issuer = bytesOf('public_keys', 'signer');
    assert.equal((await verifySvid(nodeCrypto, known.clock, bytesOf('svid'), issuer)).service, 'wiki');
    await verifyDescriptor(nodeCrypto, known.clock, bytesOf('gateway_descriptor'), issuer);
    const toClient = opener(bytesOf('handshake_keys', 'kg'));
    assert.ok(toClient.open(bytesOf('th2'), bytesOf('resp').subarray(1158)));
    assert.ok(toClient.open(bytesOf('th5'), bytesOf('ready')));
    assert.ok(opener(bytesOf('handshake_keys', 'kc')).open(bytesOf('th3'), bytesOf('auth')));
  },
);

test('node:crypto makes the known public keys from their seeds', needsVectors, () => {
  for (const name of ['signer', 'gateway', 'session']) {
    const seed = (kind: string) => bytesOf('inputs', `${name}.${kind}_seed`);
    assert.equal(hex(compositeFromSeeds(seed('mldsa'), seed('ed25519')).publicKey), known.textOf('public_keys', name));
  }
});

test('a gateway on node:crypto and the known client come to the same epoch, RETRY included', needsVectors, async () => {
  // The client's half is fixed by the vectors, the gateway's is fresh: OpenSSL takes no ML-KEM randomness.
  const client = known.clientOf(known.clientCrypto());
  const gateway = known.gatewayOf(nodeCrypto, { retry: known.retryOf() });
  const retry = fixed.sent(await gateway.receive(client.start()));
  assert.equal(hex(retry.subarray(4)), known.textOf('retry'));
  const auth = await client.receive(fixed.sent(await gateway.receive(fixed.sent(await client.receive(retry)))));
  const last = await gateway.receive(fixed.sent(auth));
  assert.deepEqual((await client.receive(fixed.sent(last))).established?.epoch, last.established?.epoch);
});

const pairs: [string, Crypto, Crypto][] = [
  ['node:crypto', nodeCrypto, nobleCrypto({ seed: 'gateway' })],
  ['@noble', nobleCrypto({ seed: 'client' }), nodeCrypto],
];
for (const [name, ours, theirs] of pairs) {
  for (const transport of [1, 2, 3] as const) {
    test(`QZ-11, QHX-3: a client on ${name} completes a live handshake with the other library (transport ${transport})`, async () => {
      const identities = [
        { signer: name === '@noble' ? fixed.signers.gateway : namedSigner('gateway'), stealthKeys: [fixed.stealthKey] },
      ];
      const gateway = { publicKey: identities[0]!.signer.publicKey, stealthKey: fixed.stealthKey };
      const done = await fixed.complete(
        fixed.newClient({ crypto: ours, transport, gateway }),
        fixed.newGateway({ crypto: theirs, transport, identities }),
      );
      assert.deepEqual(done.client.epoch, done.gateway.epoch);
      assert.deepEqual(done.client.params, done.gateway.params);
      assert.deepEqual(
        Object.fromEntries(Object.entries(done.messages).map(([kind, frame]) => [kind, frame.length - 4])),
        {
          init: 1_286,
          resp: 4_758,
          auth: 10_256,
          ready: 272,
        },
      );
      // and the first rekey between the two
      const offer = ours.offer();
      const answer = theirs.answer(offer.share);
      const next = (crypto: Crypto, epoch: typeof done.client.epoch, secret: Uint8Array) =>
        nextEpoch(crypto, epoch, offer.share, answer.share, secret);
      assert.deepEqual(
        next(ours, done.client.epoch, offer.finish(answer.share)),
        next(theirs, done.gateway.epoch, answer.secret),
      );
    });
  }
}
