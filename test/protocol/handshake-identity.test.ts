/** Who is believed, on which terms, and what is refused although every message is well formed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, copy, equal } from '../../protocol/bytes.ts';
import type { Crypto, Signer } from '../../protocol/crypto.ts';
import { HandshakeError } from '../../protocol/established.ts';
import type { ClientHandshakeOptions } from '../../protocol/handshake-client.ts';
import { encodeFrame, encodeReject } from '../../protocol/handshake-frame.ts';
import type { GatewayHandshakeOptions } from '../../protocol/handshake-gateway.ts';
import { mac1 } from '../../protocol/init.ts';
import { signSvid } from '../../protocol/svid.ts';
import { handshakeSecrets } from '../../protocol/transcript.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { nobleCrypto } from '../support/noble-crypto.ts';
import * as fixed from './fixed-handshake.ts';

type Options = { client?: Partial<ClientHandshakeOptions>; gateway?: Partial<GatewayHandshakeOptions> };

/** Where a handshake ends, and with which code. */
async function end({ client = {}, gateway = {} }: Options): Promise<string> {
  const [c, g] = [fixed.newClient(client), fixed.newGateway(gateway)];
  const peers = [
    ['gateway', g],
    ['client', c],
    ['gateway', g],
    ['client', c],
  ] as const;
  let frame = c.start();
  for (const [name, peer] of peers) {
    try {
      const step = await peer.receive(frame);
      if (step.send === undefined) return 'open';
      frame = step.send;
    } catch (error) {
      assert.ok(error instanceof HandshakeError, String(error));
      return `${name} ${error.code}`;
    }
  }
  return 'no end';
}

const mallory = fixed.rememberingSigner('mallory');
const issue = (changes: object, signer: Signer = fixed.signers.issuer) =>
  signSvid(nodeCrypto, signer, { ...fixed.svidFields, ...changes });
const as = (svid: Uint8Array, signer: Signer = fixed.signers.session): Options => ({
  client: { identity: { svid, posture: fixed.posture, signer } },
});

test('QHX-3: both ends are proven: the plain handshake opens', async () => {
  assert.equal(await end({}), 'open');
});

test('QHX-3: a stolen credential without its key does not open', async () => {
  assert.equal(await end(as(fixed.svid, mallory)), 'gateway bad_svid');
});

test('QPT-9: whoever has not the key is not taken for the person: the caller hears of no holder before the proof', async () => {
  const told: string[] = [];
  const onIdentified = (svid: { spiffeId: string }) => void told.push(svid.spiffeId);
  assert.equal(await end({ ...as(fixed.svid, mallory), gateway: { onIdentified } }), 'gateway bad_svid');
  assert.deepEqual(told, []);
  assert.equal(await end({ gateway: { onIdentified } }), 'open');
  assert.deepEqual(told, [fixed.svidFields.spiffeId]);
  const full = () => {
    throw new HandshakeError('too_many');
  };
  assert.equal(await end({ gateway: { onIdentified: full } }), 'gateway too_many');
});

test("QHX-3: a credential that carries another's key does not open for its thief", async () => {
  const misbound = await issue({ sessionPublicKey: mallory.publicKey });
  assert.equal(await end(as(misbound)), 'gateway bad_svid');
});

test('QHX-3: a gateway that knows all but the identity key is not believed', async () => {
  const impostor: Signer = { publicKey: fixed.signers.gateway.publicKey, sign: mallory.sign };
  const identities = [{ signer: impostor, stealthKeys: [fixed.stealthKey] }];
  assert.equal(await end({ gateway: { identities } }), 'client bad_svid');
});

test('a credential is refused when expired, not yet valid, or of another issuer', async () => {
  assert.equal(await end(as(await issue({ notAfter: fixed.now }))), 'gateway expired');
  assert.equal(await end(as(await issue({ notBefore: fixed.now + 60_000 }))), 'gateway bad_svid');
  assert.equal(await end(as(await issue({}, mallory))), 'gateway bad_svid');
  assert.equal(await end(as(new Uint8Array(0))), 'gateway bad_svid');
});

test('a posture that the credential does not name is refused', async () => {
  const other = copy(fixed.posture);
  other[0]! ^= 1;
  const identity = { svid: fixed.svid, posture: other, signer: fixed.signers.session };
  assert.equal(await end({ client: { identity } }), 'gateway posture');
});

test("the verifier's and the policy's own codes come through", async () => {
  const revoked = async () => Promise.reject(new HandshakeError('revoked'));
  assert.equal(await end({ gateway: { verifySvid: revoked } }), 'gateway revoked');
  const denied = () => {
    throw new HandshakeError('denied');
  };
  assert.equal(await end({ gateway: { params: denied } }), 'gateway denied');
  const broken = async () => Promise.reject(new Error('a bug'));
  assert.equal(await end({ gateway: { verifySvid: broken } }), 'gateway internal');
});

test('mac1 finds the identity and stealth key that the client means, and nothing else answers', async () => {
  const [old, young] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const identities = [
    { signer: mallory, stealthKeys: [old, young] },
    { signer: fixed.signers.gateway, stealthKeys: [old, fixed.stealthKey] },
  ];
  assert.equal(await end({ gateway: { identities } }), 'open');
  const to = (publicKey: Uint8Array, stealthKey: Uint8Array) => ({
    client: { gateway: { publicKey, stealthKey } },
    gateway: { identities },
  });
  assert.equal(await end(to(mallory.publicKey, young)), 'open');
  assert.equal(await end(to(fixed.signers.gateway.publicKey, young)), 'gateway silent');
  assert.equal(await end(to(fixed.signers.issuer.publicKey, old)), 'gateway silent');
  const five = [{ signer: mallory, stealthKeys: [old, old, old, old, old] }];
  assert.throws(() => fixed.newGateway({ identities: five }), TypeError);
  assert.throws(() => fixed.newGateway({ identities: [] }), TypeError);
});

/** The recorded INIT with other bytes at `at`, under a right or a wrong mac1. */
function initWith(at: number, bytes: number[], key = fixed.stealthKey): Uint8Array {
  const body = copy(fixed.messages.init.subarray(4, -16));
  body.set(bytes, at);
  const target = { stealthKey: key, gatewayKeyHash: nodeCrypto.sha256(fixed.signers.gateway.publicKey) };
  return encodeFrame('init', concat(body, mac1(nodeCrypto, target, body)));
}

for (const [what, at, bytes, reason] of [
  ['a version above ours only', 4, [0, 3, 0, 2], 'version'],
  ['a version below ours only', 4, [0, 0, 0, 0], 'version'],
  ['only a suite nobody assigned', 8, [0, 2], 'suite'],
  ['no suite at all', 8, [0, 0], 'suite'],
] as const) {
  test(`QZ-20, QHX-4: an offer of ${what} is rejected and not guessed at`, async () => {
    await assert.rejects(fixed.newGateway().receive(initWith(at, [...bytes])), (error: HandshakeError) => {
      assert.equal(error.code, reason);
      assert.deepEqual(error.reject, encodeReject(reason));
      return true;
    });
    const stranger = fixed.newGateway().receive(initWith(at, [...bytes], new Uint8Array(32)));
    await assert.rejects(stranger, { code: 'silent', reject: undefined });
  });
}

test('QZ-20, QHX-4: a choice of version or suite that was not offered ends the client', async () => {
  for (const [at, code] of [
    [4, 'version'],
    [6, 'suite'],
  ] as const) {
    const resp = copy(fixed.messages.resp);
    resp[at + 1] = 2;
    await assert.rejects((await fixed.waiting.resp()).receive(resp), { code });
  }
});

test('what is not quite an INIT is not answered even under a right mac1', async () => {
  for (const [at, bytes] of [
    [0, [0x6c]],
    [3, [0x32]],
    [11, [1]],
    [1_260, [0, 1]],
    [1_260, [0, 8]],
  ] as const)
    await assert.rejects(fixed.newGateway().receive(initWith(at, [...bytes])), { code: 'silent', reject: undefined });
});

test('QZ-15: an INIT carried over another transport than it names is refused without an answer', async () => {
  const gateway = fixed.newGateway({ transport: 2 });
  await assert.rejects(gateway.receive(fixed.messages.init), { code: 'downgrade', reject: undefined });
});

test('a full gateway says busy to whoever can make mac1, and a client takes the word for what it is', async () => {
  const gateway = fixed.newGateway({ admit: () => false });
  await assert.rejects(gateway.receive(fixed.messages.init), { code: 'too_many', reject: encodeReject('too_many') });
  const client = await fixed.waiting.resp();
  await assert.rejects(client.receive(encodeReject('too_many')), { code: 'too_many' });
  const other = await fixed.waiting.resp();
  await assert.rejects(other.receive(encodeFrame('reject', Uint8Array.of(8))), { code: 'decode' });
});

test('QZ-11: an encapsulation key that fails the modulus check ends the handshake before encapsulation', async () => {
  // 12-bit coefficients of 0xfff are above q = 3329.
  await assert.rejects(fixed.newGateway().receive(initWith(44, [0xff, 0xff, 0xff])), { code: 'decode' });
});

test('QZ-11: a share whose X25519 half is of low order ends the handshake, on both ends and both libraries', async () => {
  const zeros = new Array<number>(32).fill(0);
  const init = initWith(44 + 1184, zeros);
  await assert.rejects(fixed.newGateway().receive(init), { code: 'decode' }); // OpenSSL refuses by itself
  await assert.rejects(fixed.newGateway({ crypto: nobleCrypto() }).receive(init), { code: 'decrypt' }); // our own check
  const resp = copy(fixed.messages.resp);
  resp.set(zeros, 4 + 36 + 1088);
  await assert.rejects((await fixed.waiting.resp()).receive(resp), { code: 'decrypt' });
  const client = fixed.newClient({ crypto: nobleCrypto() });
  client.start();
  await assert.rejects(client.receive(resp), { code: 'decrypt' });
});

test('QZ-11, QZ-14: each half of the exchange changes every key, and their order matters', () => {
  const [kem, ecc, zero] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), new Uint8Array(32)];
  const th2 = new Uint8Array(32).fill(3);
  const keys = (...halves: [Uint8Array, Uint8Array]) =>
    Object.values(handshakeSecrets(nodeCrypto, th2, concat(...halves)));
  const variants = [keys(kem, ecc), keys(zero, ecc), keys(ecc, kem)];
  const all = variants.flat();
  for (const [i, one] of all.entries()) assert.ok(all.every((other, j) => i === j || !equal(one, other)));
  assert.throws(() => keys(kem, zero), { code: 'zero_share' });
});

test('AUTH has the same length for identities of every length', async () => {
  const prefix = 'spiffe://td/';
  const lengths = new Set<number>();
  for (const [id, service] of [
    ['u', 's'],
    ['u'.repeat(200 - prefix.length), 's'.repeat(64)],
  ] as const) {
    const svid = await issue({ spiffeId: prefix + id, service });
    const client = fixed.newClient({ identity: { svid, posture: fixed.posture, signer: fixed.signers.session } });
    const done = await fixed.complete(client, fixed.newGateway());
    lengths.add(done.messages.auth.length);
  }
  assert.deepEqual([...lengths], [4 + 10_256]);
});

test('every session has keys of its own, even for the same two parties', async () => {
  const crypto: Crypto = nodeCrypto;
  const run = () => fixed.complete(fixed.newClient({ crypto }), fixed.newGateway({ crypto }));
  const [one, two] = [await run(), await run()];
  assert.deepEqual(one.client.epoch, one.gateway.epoch);
  for (const name of ['client', 'gateway', 'chain', 'exporter', 'transcript'] as const)
    assert.ok(!equal(one.client.epoch[name], two.client.epoch[name]), name);
});
