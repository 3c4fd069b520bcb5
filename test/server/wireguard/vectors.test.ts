/** The published answers: Noise's for the handshake, BLAKE2's own, Wycheproof's for the cookie's AEAD. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { blake2s } from '@noble/hashes/blake2.js';
import { open, sealInto } from '../../../server/wireguard/aead.ts';
import {
  type InitiationTokens,
  type ResponseTokens,
  readInitiation,
  readResponse,
  writeInitiation,
  writeResponse,
} from '../../../server/wireguard/handshake.ts';
import { type EphemeralPublic, PrivateKey, presharedKey, type StaticPublic } from '../../../server/wireguard/keys.ts';
import { hash } from '../../../server/wireguard/noise.ts';
import { needsVectors, vectorJson } from '../../support/vectors.ts';

interface NoiseVector {
  protocol_name: string;
  init_prologue: string;
  init_psks: string[];
  init_static: string;
  init_ephemeral: string;
  resp_static: string;
  resp_ephemeral: string;
  handshake_hash: string;
  messages: { payload: string; ciphertext: string }[];
}

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');
const staticKey = (text: string) => new PrivateKey<StaticPublic>(bytes(text));
const ephemeral = (text: string) => new PrivateKey<EphemeralPublic>(bytes(text));

test('BR-7: the handshake reproduces the Noise_IKpsk2 vector from both sides', needsVectors, () => {
  const all = vectorJson<{ vectors: NoiseVector[] }>('noise/cacophony.json').vectors;
  const ours = all.filter((vector) => vector.protocol_name === 'Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s');
  assert.ok(ours.length > 0, 'no vector was checked');
  for (const vector of ours) checkNoise(vector);
});

function checkNoise(vector: NoiseVector): void {
  const [first, second, ...transport] = vector.messages;
  const prologue = bytes(vector.init_prologue);
  const psk = presharedKey(bytes(vector.init_psks[0]!));
  const initiator = staticKey(vector.init_static);
  const responder = staticKey(vector.resp_static);

  const written = writeInitiation({
    local: initiator,
    remote: responder.publicKey,
    staticSecret: initiator.exchange(responder.publicKey)!,
    ephemeral: ephemeral(vector.init_ephemeral),
    payload: bytes(first!.payload),
    prologue,
  })!;
  assert.equal(hex(joinInitiation(written.tokens)), first!.ciphertext);

  const read = readInitiation({
    local: responder,
    tokens: splitInitiation(bytes(first!.ciphertext)),
    staticSecretOf: (remote) => responder.exchange(remote),
    prologue,
  })!;
  assert.equal(hex(read.payload), first!.payload);
  assert.equal(hex(read.state.remote), hex(initiator.publicKey));

  const answer = writeResponse(read.state, {
    ephemeral: ephemeral(vector.resp_ephemeral),
    psk,
    payload: bytes(second!.payload),
  })!;
  assert.equal(hex(joinResponse(answer)), second!.ciphertext);

  const completed = readResponse(written.state, { tokens: splitResponse(bytes(second!.ciphertext)), psk })!;
  assert.equal(hex(completed.payload), second!.payload);
  assert.equal(hex(completed.symmetric.transcript), vector.handshake_hash);
  assert.equal(hex(read.state.symmetric.transcript), vector.handshake_hash);

  const keys = completed.symmetric.split();
  assert.deepEqual(keys, read.state.symmetric.split());
  assert.ok(transport.length > 0);
  for (const [index, message] of transport.entries()) {
    const key = index % 2 === 0 ? keys.initiator : keys.responder;
    const sealed = new Uint8Array(bytes(message.payload).length + 16);
    sealInto(sealed, key, Math.floor(index / 2), bytes(message.payload));
    assert.equal(hex(sealed), message.ciphertext);
    assert.equal(hex(open(key, Math.floor(index / 2), sealed)!), message.payload);
  }
}

function joinInitiation(tokens: InitiationTokens): Uint8Array {
  return Buffer.concat([tokens.ephemeral, tokens.sealedStatic, tokens.sealedPayload]);
}

function splitInitiation(message: Uint8Array): InitiationTokens {
  return {
    ephemeral: message.subarray(0, 32) as EphemeralPublic,
    sealedStatic: message.subarray(32, 80),
    sealedPayload: message.subarray(80),
  };
}

function joinResponse(tokens: ResponseTokens): Uint8Array {
  return Buffer.concat([tokens.ephemeral, tokens.sealedPayload]);
}

function splitResponse(message: Uint8Array): ResponseTokens {
  return { ephemeral: message.subarray(0, 32) as EphemeralPublic, sealedPayload: message.subarray(32) };
}

test('BLAKE2s gives the answers of its authors, with and without a key', needsVectors, () => {
  const cases = vectorJson<{ hash: string; in: string; key: string; out: string }[]>('noise/blake2s-kat.json');
  let checked = 0;
  for (const { hash: name, in: input, key, out } of cases) {
    if (name !== 'blake2s') continue;
    const message = bytes(input);
    assert.equal(hex(key === '' ? hash(message) : blake2s(message, { key: bytes(key) })), out);
    checked++;
  }
  assert.ok(checked >= 256, `only ${checked} were checked`);
});

interface WycheproofGroup {
  tests: { tcId: number; key: string; iv: string; aad: string; msg: string; ct: string; tag: string; result: string }[];
}

test('XChaCha20-Poly1305 decides every Wycheproof case', needsVectors, () => {
  const groups = vectorJson<{ testGroups: WycheproofGroup[] }>('wycheproof/xchacha20_poly1305_test.json').testGroups;
  let checked = 0;
  for (const { tests } of groups) {
    for (const one of tests) {
      assert.equal(opensXChaCha(one), one.result === 'valid', `tcId ${one.tcId}`);
      checked++;
    }
  }
  assert.ok(checked >= 300, `only ${checked} were checked`);
});

function opensXChaCha({ key, iv, aad, msg, ct, tag }: WycheproofGroup['tests'][number]): boolean {
  try {
    const box = xchacha20poly1305(bytes(key), bytes(iv), bytes(aad));
    return hex(box.decrypt(bytes(ct + tag))) === msg;
  } catch {
    return false; // a wrong tag, or a nonce of a length that XChaCha20 does not have
  }
}
