/**
 * Every published signature vector of our algorithms on every implementation that signs or verifies here: node:crypto,
 * WebCrypto behind the browser's rule, our Wasm (the browser's ML-DSA), @noble, and the second implementation's own Ed25519.
 * Not here: pre-hashed modes, which this product has not.
 */
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { concat, utf8 } from '../../../protocol/bytes.ts';
import { splitPublicKey, splitSignature } from '../../../protocol/composite.ts';
import { compositeFromSeeds, verifyMldsa65 } from '../../../server/crypto/composite-key.ts';
import { verifyEd25519 } from '../../../server/crypto/ed25519.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { compositeVerifier, verifyEd25519 as verifyInBrowser } from '../../../worker/tunnel/composite.ts';
import * as second from '../../interop/latchkey/suite.ts';
import { inLong } from '../../support/long.ts';
import { isLoose } from '../../support/loose-ed25519.ts';
import { nobleCrypto, nobleSigner, nobleVerifyEd25519 } from '../../support/noble-crypto.ts';
import { needsVectors, vectorJson } from '../../support/vectors.ts';
import { fromHex, report, toHex } from '../../wasm/cases.ts';
import { seeded } from '../../wasm/seeded.ts';
import { freshKernel } from '../../wasm/under-test.ts';

const { mldsa: wasm } = freshKernel().kernel;

type Verify = (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean | Promise<boolean>;
const ed25519Verifiers: Record<string, Verify> = {
  'node:crypto': verifyEd25519,
  'WebCrypto by the browser’s rule': verifyInBrowser,
  '@noble': nobleVerifyEd25519,
  'the second implementation': second.verifyEd25519,
};

type Groups<Group> = { testGroups: Group[] };
const groupsOf = <Group>(path: string): Group[] => vectorJson<Groups<Group>>(path).testGroups;

// ── Ed25519 ──

for (const [name, verify] of Object.entries(ed25519Verifiers)) {
  test(
    `QHX-11: Ed25519 accepts exactly the 43 of CCTV’s 914 that verify_strict does, on ${name}`,
    needsVectors,
    async (t) => {
      type Case = { number: number; key: string; sig: string; msg: string; flags: string[] | null };
      let [checked, accepted] = [0, 0];
      for (const c of vectorJson<Case[]>('cctv/ed25519/ed25519vectors.json')) {
        const verdict = await verify(fromHex(c.key), utf8(c.msg), fromHex(c.sig));
        assert.equal(verdict, !isLoose(c.flags), `case ${c.number}`);
        accepted += Number(verdict);
        checked++;
      }
      report(t, checked, 914, 'CCTV cases');
      report(t, accepted, 43, 'of them accepted');
    },
  );

  test(`QHX-11: Ed25519 verifies Wycheproof, RFC 8032 and ACVP, on ${name}`, needsVectors, async (t) => {
    type Case = { tcId: number; msg: string; sig: string; result: string };
    let checked = 0;
    for (const { publicKey, tests } of groupsOf<{ publicKey: { pk: string }; tests: Case[] }>(
      'wycheproof/ed25519_test.json',
    ))
      for (const c of tests) {
        const verdict = await verify(fromHex(publicKey.pk), fromHex(c.msg), fromHex(c.sig));
        assert.equal(verdict, c.result === 'valid', `Wycheproof ${c.tcId}`);
        checked++;
      }
    for (const c of rfc8032()) {
      assert.equal(await verify(fromHex(c.publicKey), fromHex(c.message), fromHex(c.signature)), true, c.publicKey);
      checked++;
    }
    for (const c of pure(groupsOf<AcvpGroup>('acvp/EDDSA-SigVer-1.0.ED-25519.json'))) {
      assert.equal(
        await verify(fromHex(c.q), fromHex(c.message), fromHex(c.signature)),
        c.testPassed,
        `ACVP ${c.tcId}`,
      );
      checked++;
    }
    report(t, checked, 151 + 5 + 5, 'Ed25519 verdicts');
  });
}

type Rfc8032 = { secretKey: string; publicKey: string; message: string; signature: string };
const rfc8032 = (): Rfc8032[] => vectorJson('rfc/rfc8032-ed25519.json');

type AcvpCase = { tcId: number; d: string; q: string; message: string; signature: string; testPassed: boolean };
type AcvpGroup = { preHash?: boolean; d: string; q: string; tests: AcvpCase[] };
/** The cases of Ed25519 itself, not of Ed25519ph. */
const pure = (groups: AcvpGroup[]): AcvpCase[] =>
  groups
    .filter((group) => !group.preHash)
    .flatMap(({ d, q, tests }) => tests.map((one) => ({ ...(d && { d, q }), ...one })));

const nodeKey = (seed: Uint8Array) =>
  createPrivateKey({ key: seed, format: 'raw-private', asymmetricKeyType: 'ed25519' });
const signers: Record<
  string,
  { sign: (seed: Uint8Array, message: Uint8Array) => Uint8Array; publicKey: (seed: Uint8Array) => Uint8Array }
> = {
  'node:crypto': {
    sign: (seed, message) => sign(null, message, nodeKey(seed)),
    publicKey: (seed) => createPublicKey(nodeKey(seed)).export({ format: 'raw-public' }),
  },
  '@noble': { sign: (seed, message) => ed25519.sign(message, seed), publicKey: (seed) => ed25519.getPublicKey(seed) },
};

for (const [name, own] of Object.entries(signers))
  test(`QHX-11: Ed25519 makes the keys and signatures of RFC 8032 and ACVP, on ${name}`, needsVectors, (t) => {
    let checked = 0;
    for (const { d, q } of pure(groupsOf<AcvpGroup>('acvp/EDDSA-KeyGen-1.0.ED-25519.json'))) {
      assert.equal(toHex(own.publicKey(fromHex(d))), q.toLowerCase());
      checked++;
    }
    const made = rfc8032().map((c) => ({ d: c.secretKey, q: c.publicKey, message: c.message, signature: c.signature }));
    for (const { d, q, message, signature } of [
      ...made,
      ...pure(groupsOf<AcvpGroup>('acvp/EDDSA-SigGen-1.0.ED-25519.json')),
    ]) {
      assert.equal(toHex(own.publicKey(fromHex(d))), q.toLowerCase());
      assert.equal(toHex(own.sign(fromHex(d), fromHex(message))), signature.toLowerCase());
      checked++;
    }
    report(t, checked, 3 + 5 + 42, 'Ed25519 keys and signatures');
  });

test('QHX-11: a key that ACVP calls none verifies nothing, on every library', needsVectors, async (t) => {
  let checked = 0;
  for (const { d, q, tcId, testPassed } of pure(groupsOf<AcvpGroup>('acvp/EDDSA-KeyVer-1.0.ED-25519.json')))
    for (const [name, verify] of Object.entries(ed25519Verifiers)) {
      const message = utf8('a message');
      const verdict = await verify(fromHex(q), message, ed25519.sign(message, fromHex(d)));
      assert.equal(verdict, testPassed, `case ${tcId} on ${name}`);
      checked++;
    }
  report(t, checked, 4 * 4, 'verdicts on keys');
});

// ── ML-DSA-65 ──

type MldsaVerify = (key: Uint8Array, message: Uint8Array, signature: Uint8Array, context: Uint8Array) => boolean;
const mldsaVerifiers: Record<string, MldsaVerify> = {
  'node:crypto': verifyMldsa65,
  '@noble': (key, message, signature, context) => {
    try {
      return ml_dsa65.verify(signature, message, key, { context });
    } catch {
      return false; // a key of another length, a context that is too long
    }
  },
  'the Wasm': (key, message, signature, context) => wasm.verify(key, message, context, signature),
};

for (const [name, verify] of Object.entries(mldsaVerifiers))
  test(`QHX-11: ML-DSA-65 verifies Wycheproof and ACVP, on ${name}`, needsVectors, (t) => {
    type Case = { tcId: number; msg: string; sig: string; ctx?: string; result: string };
    let checked = 0;
    for (const { publicKey, tests } of groupsOf<{ publicKey: string; tests: Case[] }>(
      'wycheproof/mldsa_65_verify_test.json',
    ))
      for (const c of tests) {
        const verdict = verify(fromHex(publicKey), fromHex(c.msg), fromHex(c.sig), fromHex(c.ctx ?? ''));
        assert.equal(verdict, c.result === 'valid', `Wycheproof ${c.tcId}`);
        checked++;
      }
    for (const c of external('acvp/ML-DSA-sigVer-FIPS204.ML-DSA-65.json')) {
      const verdict = verify(fromHex(c.pk), fromHex(c.message), fromHex(c.signature), fromHex(c.context));
      assert.equal(verdict, c.testPassed, `ACVP ${c.tcId}`);
      checked++;
    }
    report(t, checked, 210 + 15, 'ML-DSA-65 verdicts');
  });

type MldsaCase = {
  tcId: number;
  pk: string;
  sk: string;
  seed: string;
  message: string;
  mu?: string;
  context: string;
  rnd?: string;
  signature: string;
  testPassed: boolean;
};
type MldsaGroup = {
  signatureInterface?: 'external' | 'internal';
  preHash?: string;
  externalMu?: boolean;
  tests: MldsaCase[];
};
const external = (path: string): MldsaCase[] =>
  groupsOf<MldsaGroup>(path)
    .filter((group) => group.signatureInterface === 'external' && group.preHash === 'pure')
    .flatMap((group) => group.tests);

test('QHX-11: ML-DSA-65 makes the keys of ACVP, on node:crypto, @noble and the Wasm', needsVectors, (t) => {
  let checked = 0;
  for (const c of groupsOf<MldsaGroup>('acvp/ML-DSA-keyGen-FIPS204.ML-DSA-65.json').flatMap((group) => group.tests)) {
    const { publicKey, secretKey } = ml_dsa65.keygen(fromHex(c.seed));
    assert.deepEqual([toHex(publicKey), toHex(secretKey)], [c.pk.toLowerCase(), c.sk.toLowerCase()], `case ${c.tcId}`);
    const composite = compositeFromSeeds(fromHex(c.seed), new Uint8Array(32));
    assert.equal(toHex(splitPublicKey(composite.publicKey)!.mldsa), c.pk.toLowerCase(), `case ${c.tcId}`);
    assert.equal(toHex(wasm.publicKey(fromHex(c.seed))), c.pk.toLowerCase(), `case ${c.tcId}`);
    checked++;
  }
  report(t, checked, 25, 'ML-DSA-65 keys');
});

test(
  'QHX-11: ML-DSA-65 makes the signatures of ACVP on @noble, and node:crypto verifies the external ones',
  needsVectors,
  (t) => {
    let [made, verified] = [0, 0];
    for (const group of groupsOf<MldsaGroup>('acvp/ML-DSA-sigGen-FIPS204.ML-DSA-65.json')) {
      if (group.preHash === 'preHash') continue;
      for (const c of group.tests) {
        const entropy = { extraEntropy: c.rnd === undefined ? (false as const) : fromHex(c.rnd) };
        const message = fromHex(group.externalMu ? c.mu! : c.message);
        const signature =
          group.signatureInterface === 'external'
            ? ml_dsa65.sign(message, fromHex(c.sk), { context: fromHex(c.context), ...entropy })
            : ml_dsa65.internal.sign(message, fromHex(c.sk), { externalMu: group.externalMu === true, ...entropy });
        assert.equal(toHex(signature), c.signature.toLowerCase(), `case ${c.tcId}`);
        made++;
        if (group.signatureInterface !== 'external') continue;
        const key = ml_dsa65.getPublicKey(fromHex(c.sk));
        assert.equal(verifyMldsa65(key, message, signature, fromHex(c.context)), true, `case ${c.tcId}`);
        verified++;
      }
    }
    report(t, made, 90, 'ML-DSA-65 signatures made');
    report(t, verified, 30, 'of them verified by node:crypto');
  },
);

test('QHX-11: ML-DSA-65 signs as Wycheproof says, from seeds and from whole keys, on @noble', needsVectors, (t) => {
  type Case = { tcId: number; msg?: string; mu: string; ctx?: string; rnd?: string; sig?: string; result: string };
  type Group = { privateSeed?: string; privateKey?: string; tests: Case[] };
  let checked = 0;
  const sign = ({ privateSeed, privateKey }: Group, c: Case): string => {
    const key = privateSeed ? ml_dsa65.keygen(fromHex(privateSeed)).secretKey : fromHex(privateKey!);
    const extraEntropy = c.rnd === undefined ? (false as const) : fromHex(c.rnd);
    if (c.msg === undefined)
      return toHex(ml_dsa65.internal.sign(fromHex(c.mu), key, { externalMu: true, extraEntropy }));
    return toHex(ml_dsa65.sign(fromHex(c.msg), key, { context: fromHex(c.ctx ?? ''), extraEntropy }));
  };
  for (const file of ['mldsa_65_sign_seed_test', 'mldsa_65_sign_noseed_test'])
    for (const group of groupsOf<Group>(`wycheproof/${file}.json`))
      for (const c of group.tests) {
        if (c.result === 'valid') assert.equal(sign(group, c), c.sig, `${file} ${c.tcId}`);
        else assert.throws(() => sign(group, c), `${file} ${c.tcId}`);
        checked++;
      }
  report(t, checked, 105 + 78, 'Wycheproof ML-DSA-65 signatures');
});

test('QHX-11: ML-DSA-65 signs as Wycheproof says, from seeds, on the Wasm', needsVectors, (t) => {
  type Case = { tcId: number; msg?: string; ctx?: string; rnd?: string; sig?: string; result: string };
  type Group = { privateSeed: string; tests: Case[] };
  let checked = 0;
  for (const { privateSeed, tests } of groupsOf<Group>('wycheproof/mldsa_65_sign_seed_test.json'))
    for (const c of tests) {
      if (c.msg === undefined) continue; // mu alone: an interface that the module has not
      const [message, context] = [fromHex(c.msg), fromHex(c.ctx ?? '')];
      const sign = () => wasm.sign(fromHex(privateSeed), message, context, fromHex(c.rnd ?? '00'.repeat(32)));
      if (c.result === 'valid') assert.equal(toHex(sign()), c.sig, `case ${c.tcId}`);
      else assert.throws(sign, `case ${c.tcId}`);
      checked++;
    }
  report(t, checked, 88, 'Wycheproof ML-DSA-65 signatures');
});

// ── the composite ──

const compositeVerifiers = {
  'node:crypto': nodeCrypto.verify,
  browser: compositeVerifier(wasm),
  '@noble': nobleCrypto().verify,
};

test(
  'QHX-11: the draft’s composite signature verifies on every library, with and without context',
  needsVectors,
  async (t) => {
    type Draft = { m: string; ctx: string; tests: { tcId: string; pk: string; s: string; sWithContext: string }[] };
    const { m, ctx, tests } = vectorJson<Draft>('composite/id-MLDSA65-Ed25519-SHA512.json');
    const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
    const one = tests.find(({ tcId }) => tcId === 'id-MLDSA65-Ed25519-SHA512')!;
    const context = Buffer.from(ctx, 'base64').toString('latin1');
    let checked = 0;
    for (const verify of [...Object.values(compositeVerifiers), second.verify])
      for (const [signature, given, good] of [
        [one.s, '', true],
        [one.sWithContext, context, true],
        [one.s, context, false],
        [one.sWithContext, '', false],
      ] as const) {
        assert.equal(await verify(bytes(one.pk), bytes(m), given, bytes(signature)), good);
        checked++;
      }
    report(t, checked, 16, 'verdicts on the draft’s signatures');
  },
);

const rounds = inLong(60, 2_000);

test(`QHX-11: ${rounds} signatures made by node:crypto and by @noble verify at the other, and none that is damaged does`, async (t) => {
  const random = seeded();
  let [verified, refused] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const [mldsa, classical] = [random.bytes(32), random.bytes(32)];
    const [node, noble] = [compositeFromSeeds(mldsa, classical), nobleSigner(mldsa, classical)];
    const what = `round ${round}, LATCHKEY_SEED=${random.seed}`;
    assert.deepEqual(node.publicKey, noble.publicKey, what);
    const [message, context] = [random.bytes(random.below(300)), `Latchkey/1 ${toHex(random.bytes(random.below(20)))}`];
    const maker = round % 2 === 0 ? node : noble;
    const signature = await maker.sign(message, context);
    const half = splitSignature(signature)!;
    const other = splitSignature(await (maker === node ? noble : node).sign(message, context))!;
    // Ed25519 has one signature; ML-DSA of OpenSSL is hedged, so the halves of two signers may be joined freely.
    assert.deepEqual(half.ed25519, other.ed25519, what);
    const damaged = signature.slice();
    damaged[random.below(damaged.length)]! ^= 1 << random.below(8);
    for (const verify of Object.values(compositeVerifiers)) {
      assert.equal(await verify(maker.publicKey, message, context, signature), true, what);
      assert.equal(await verify(maker.publicKey, message, context, concat(other.mldsa, half.ed25519)), true, what);
      assert.equal(await verify(maker.publicKey, message, context, damaged), false, what);
      verified += 2;
      refused++;
    }
  }
  report(t, verified, rounds * 6, 'verified');
  report(t, refused, rounds * 3, `damaged ones refused, LATCHKEY_SEED=${random.seed}`);
});
