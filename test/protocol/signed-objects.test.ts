/** LKS1 and the documents in it: descriptor, credential, snapshot, revocation, certificates, pins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, copy, utf8 } from '../../protocol/bytes.ts';
import type { Crypto, Signer } from '../../protocol/crypto.ts';
import { signDescriptor, verifyDescriptor } from '../../protocol/descriptor.ts';
import { ObjectError, type ObjectType, objectType, openObject, parseObject, signObject } from '../../protocol/lks1.ts';
import {
  followPins,
  type Generation,
  pinsFingerprint,
  type Role,
  roleNumber,
  signPins,
  signRole,
  verifyPins,
  verifyRole,
} from '../../protocol/pins.ts';
import { signRevocation, verifyRevocation } from '../../protocol/revocation.ts';
import { signSnapshot, verifySnapshot } from '../../protocol/snapshot.ts';
import { decodeSvid, encodeSvid, signSvid, verifySvid } from '../../protocol/svid.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import * as fixed from './fixed-handshake.ts';

const crypto: Crypto = nodeCrypto;
const signer = fixed.rememberingSigner('a role');
const other = fixed.rememberingSigner('another role');
const { publicKey } = signer;
const { clock, now } = fixed;
const open = (bytes: Uint8Array, type: ObjectType = 5, key = publicKey) =>
  openObject(crypto, bytes, { type, signerPublicKey: key });
const refused = (code: string) => (error: unknown) => error instanceof ObjectError && error.code === code;

test('an object opens to its body, for bodies of any length', async () => {
  for (const length of [0, 1, 255, 256, 70_000]) {
    const body = new Uint8Array(length).fill(length);
    assert.deepEqual(await open(await signObject(crypto, signer, 5, body)), body);
  }
});

test('an object with any bit flipped is refused', async () => {
  const object = await signObject(crypto, signer, 5, utf8('a body'));
  for (let bit = 0; bit < object.length * 8; bit += bit < 47 * 8 ? 1 : 37) {
    const changed = copy(object);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    await assert.rejects(open(changed), ObjectError, `bit ${bit}`);
  }
});

test('every prefix of an object is refused, and every object with a byte too many', async () => {
  const object = await signObject(crypto, signer, 5, utf8('a body'));
  for (let length = 0; length < object.length; length++)
    await assert.rejects(open(object.subarray(0, length)), refused('malformed'));
  await assert.rejects(open(concat(object, Uint8Array.of(0))), refused('malformed'));
});

test('each signature is refused in every other place: type, signer, handshake', async () => {
  const types = Object.values(objectType);
  assert.equal(types.length, 11);
  for (const made of types) {
    const object = await signObject(crypto, signer, made, utf8('a body'));
    for (const wanted of types)
      if (made === wanted) await open(object, wanted);
      else await assert.rejects(open(object, wanted), refused('wrong_type'));
    // the same bytes relabelled: the context of the signature still says what it was made for
    const relabelled = copy(object);
    relabelled[4] = made === 1 ? 2 : 1;
    await assert.rejects(open(relabelled, made === 1 ? 2 : 1), refused('bad_signature'));
    await assert.rejects(open(object, made, other.publicKey), refused('wrong_signer'));
    const { signed, signature } = parseObject(object);
    for (const context of ['Latchkey/1 gateway', 'Latchkey/1 client', 'Latchkey/1 launch', ''])
      assert.equal(await crypto.verify(publicKey, signed, context, signature), false);
  }
});

test('what was opened does not change with the bytes it came from', async () => {
  const object = Buffer.from(await signObject(crypto, signer, 5, utf8('a body')));
  const opening = open(object);
  object.fill(0);
  assert.deepEqual(await opening, utf8('a body'));
});

// ── ClientSvid ──

const issue = (changes: object = {}) => signSvid(crypto, signer, { ...fixed.svidFields, ...changes });
const believe = async (svid: Promise<Uint8Array>, service?: string) =>
  verifySvid(crypto, clock, await svid, publicKey, service === undefined ? {} : { service });

test('a credential is read back field by field', async () => {
  assert.deepEqual(await believe(issue(), 'wiki'), { ...fixed.svidFields, verified: true });
  assert.deepEqual(decodeSvid(await issue()), fixed.svidFields);
});

test('a credential lives from not_before, less the skew of clocks, to just before not_after', async () => {
  for (const [life, code] of [
    [{ notBefore: now, notAfter: now + 1 }, undefined],
    [{ notBefore: now + 5_000, notAfter: now + 9_000 }, undefined],
    [{ notBefore: now + 5_001, notAfter: now + 9_000 }, 'not_yet_valid'],
    [{ notBefore: now - 9, notAfter: now }, 'expired'],
  ] as const)
    if (code === undefined) await believe(issue(life));
    else await assert.rejects(believe(issue(life)), refused(code));
});

test('a credential of one service is refused at another', async () => {
  await assert.rejects(believe(issue(), 'payroll'), refused('wrong_subject'));
});

test('a credential with fields outside their grammar can be neither made nor read', async () => {
  for (const changes of [
    { spiffeId: 'spiffe://td' },
    { spiffeId: `spiffe://td/${'a'.repeat(200)}` },
    { service: '' },
    { service: 'a b' },
    { service: 'x'.repeat(65) },
  ])
    assert.throws(() => encodeSvid({ ...fixed.svidFields, ...changes }), TypeError);
  const body = encodeSvid(fixed.svidFields);
  const bodies = [
    body.subarray(0, -1),
    concat(body, Uint8Array.of(0)),
    concat(body.subarray(0, 2_092), Uint8Array.of(0, 1, 0x61)),
    concat(body.subarray(0, -5), Uint8Array.of(0)),
    concat(body.subarray(0, -4), utf8('wi i')),
  ];
  for (const bad of bodies)
    await assert.rejects(believe(signObject(crypto, signer, objectType.svid, bad)), refused('malformed'));
});

// ── the other documents ──

const descriptor = {
  publicKey: fixed.signers.gateway.publicKey,
  notBefore: now,
  notAfter: now + 86_400_000,
  minVersion: 1,
  maxVersion: 1,
  suites: 1,
  stealthKey: fixed.stealthKey,
  authority: 'gw.example.test:8700',
};

test('QHX-4: a descriptor is read back, and refused when expired, of another suite or version, or without authority', async () => {
  const read = async (changes: object) =>
    verifyDescriptor(crypto, clock, await signDescriptor(crypto, signer, { ...descriptor, ...changes }), publicKey);
  assert.deepEqual(await read({}), descriptor);
  await assert.rejects(read({ notAfter: now }), refused('expired'));
  for (const changes of [{ minVersion: 2, maxVersion: 3 }, { maxVersion: 0, minVersion: 0 }, { suites: 2 }])
    await assert.rejects(read(changes), refused('unsupported'));
  assert.throws(() => signDescriptor(crypto, signer, { ...descriptor, authority: '' }), TypeError);
  assert.throws(() => signDescriptor(crypto, signer, { ...descriptor, authority: 'a/b' }), TypeError);
});

test('a snapshot is read back, and refused past its end', async () => {
  const snapshot = { epoch: 2n ** 40n, issuedAt: now, notAfter: now + 60_000, content: '{"services":["Füßchen"]}' };
  const read = async (changes: object) =>
    verifySnapshot(crypto, clock, await signSnapshot(crypto, signer, { ...snapshot, ...changes }), publicKey);
  assert.deepEqual(await read({}), snapshot);
  await assert.rejects(read({ notAfter: now }), refused('expired'));
  await assert.rejects(read({ issuedAt: now + 10_000 }), refused('not_yet_valid'));
});

test('a revocation is read back, and a kind nobody assigned is refused', async () => {
  const revoked = (['device', 'user', 'session', 'service', 'signOut'] as const).map((kind, i) => ({
    kind,
    id: new Uint8Array(i * 8).fill(i),
  }));
  const revocation = { epoch: 9n, issuedAt: now, revoked };
  assert.deepEqual(
    await verifyRevocation(crypto, await signRevocation(crypto, signer, revocation), publicKey),
    revocation,
  );
  const unknown = concat(new Uint8Array(16), Uint8Array.of(0, 1, 9, 0));
  const object = await signObject(crypto, signer, objectType.revocation, unknown);
  await assert.rejects(verifyRevocation(crypto, object, publicKey), refused('malformed'));
});

// ── trust ──

const certify = (role: Role, key: Signer = other, life = { notBefore: now, notAfter: now + 1_000 }) =>
  signRole(crypto, signer, { role, publicKey: key.publicKey, ...life });

test('a role certificate gives its key for its own role only', async () => {
  const roles = Object.keys(roleNumber) as Role[];
  assert.equal(roles.length, 7);
  for (const made of roles)
    for (const wanted of roles) {
      const verifying = verifyRole(crypto, clock, publicKey, await certify(made), wanted);
      if (made === wanted) assert.deepEqual(await verifying, other.publicKey);
      else await assert.rejects(verifying, refused('wrong_subject'));
    }
});

test('a role certificate is refused when expired, of another root, or of a role nobody assigned', async () => {
  const expired = await certify('svid', other, { notBefore: now - 2, notAfter: now });
  await assert.rejects(verifyRole(crypto, clock, publicKey, expired, 'svid'), refused('expired'));
  await assert.rejects(
    verifyRole(crypto, clock, other.publicKey, await certify('svid'), 'svid'),
    refused('wrong_signer'),
  );
  const body = concat(Uint8Array.of(7), other.publicKey, new Uint8Array(16));
  const unknown = await signObject(crypto, signer, objectType.certificate, body);
  await assert.rejects(verifyRole(crypto, clock, publicKey, unknown, 'svid'), refused('malformed'));
});

test('pins are believed by their fingerprint, signed by the root they name', async () => {
  const hash = (key: Uint8Array) => crypto.sha256(key);
  const pins = { current: hash(publicKey), next: hash(other.publicKey) };
  const object = await signPins(crypto, signer, pins);
  const fingerprint = pinsFingerprint(crypto, object);
  assert.deepEqual(await verifyPins(crypto, object, { rootPublicKey: publicKey, fingerprint }), pins);
  const wrong = verifyPins(crypto, object, { rootPublicKey: publicKey, fingerprint: hash(fingerprint) });
  await assert.rejects(wrong, refused('wrong_subject'));
  const stranger = verifyPins(crypto, object, { rootPublicKey: other.publicKey, fingerprint });
  await assert.rejects(stranger, refused('wrong_signer'));
  await assert.rejects(signPins(crypto, other, pins), TypeError);
  // pins that name another root than the one that signed them
  const forged = await signObject(crypto, other, objectType.pins, concat(pins.current, pins.next));
  const believed = verifyPins(crypto, forged, { rootPublicKey: other.publicKey, fingerprint: hash(forged) });
  await assert.rejects(believed, refused('wrong_signer'));
});

/** Roots that follow each other, each pinned by the one before it. */
async function generationsOf(...roots: Signer[]): Promise<Generation[]> {
  const hash = (root: Signer | undefined) => (root === undefined ? new Uint8Array(32) : crypto.sha256(root.publicKey));
  return Promise.all(
    roots.map(async (root, at) => ({
      pins: await signPins(crypto, root, { current: hash(root), next: hash(roots[at + 1]) }),
      root: root.publicKey,
    })),
  );
}

test('QZ-22: who knows any generation of roots follows to the one in use, and to no other', async () => {
  const [third, stranger] = [fixed.rememberingSigner('a third role'), fixed.rememberingSigner('a stranger')];
  const all = await generationsOf(signer, other, third);
  const newest = { root: third.publicKey, fingerprint: pinsFingerprint(crypto, all[2]!.pins) };
  for (const { pins } of all) assert.deepEqual(await followPins(crypto, all, pinsFingerprint(crypto, pins)), newest);
  const known = pinsFingerprint(crypto, all[0]!.pins);
  const alone = await followPins(crypto, all.slice(0, 1), known);
  assert.deepEqual(alone, { root: signer.publicKey, fingerprint: known });
  // Nobody is led past a root that the last one did not name, nor back, nor by pins that a root of the path did not sign.
  const [first, second] = all as [Generation, Generation, Generation];
  const foreign = (await generationsOf(stranger))[0]!;
  const forged = await signPins(crypto, stranger, {
    current: crypto.sha256(stranger.publicKey),
    next: new Uint8Array(32),
  });
  const wrong: [string, Generation[]][] = [
    ['wrong_signer', [first, foreign]],
    ['wrong_signer', [first, all[2]!]],
    ['wrong_signer', [first, second, first]],
    ['wrong_signer', [first, { pins: forged, root: other.publicKey }]],
    ['wrong_subject', [second, all[2]!]],
    ['wrong_subject', []],
    ['malformed', Array.from({ length: 17 }, () => first)],
  ];
  for (const [code, path] of wrong) await assert.rejects(followPins(crypto, path, known), refused(code));
});
