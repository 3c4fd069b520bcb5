/** Peers that hold the right keys and still say something wrong: what the tag of the AEAD can't catch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, copy } from '../../protocol/bytes.ts';
import type { Crypto, Sealer } from '../../protocol/crypto.ts';
import { HandshakeError } from '../../protocol/established.ts';
import * as fixed from './fixed-handshake.ts';

/** A Crypto whose owner changes its plaintexts just before sealing them. */
function lying(change: (plaintext: Uint8Array) => void): Crypto {
  const sealer = (key: Uint8Array): Sealer => {
    const honest = fixed.fixedCrypto.sealer(key);
    const seal = (ad: Uint8Array, plaintext: Uint8Array) => {
      const changed = copy(plaintext);
      change(changed);
      return honest.seal(ad, changed);
    };
    const frame: Sealer['frame'] = (head, ad, plaintext) => concat(head, seal(ad, plaintext));
    return { seal, frame, release() {}, count: 0, wipe: () => honest.wipe() };
  };
  return { ...fixed.fixedCrypto, sealer };
}

const flip = (at: number) => (plaintext: Uint8Array) => {
  plaintext[at < 0 ? plaintext.length + at : at]! ^= 1;
};

async function codeFromGateway(crypto: Crypto): Promise<string> {
  return fixed.complete(fixed.newClient({ crypto }), fixed.newGateway()).then(() => 'open', codeOf);
}
async function codeFromClient(crypto: Crypto): Promise<string> {
  return fixed.complete(fixed.newClient(), fixed.newGateway({ crypto })).then(() => 'open', codeOf);
}
function codeOf(error: unknown): string {
  assert.ok(error instanceof HandshakeError, String(error));
  return error.code;
}

const { length: svidLength } = fixed.svid;
const signatureAt = 2 + svidLength + 2 + 40;
const finishAt = signatureAt + 3_373;

for (const [what, change, code] of [
  ['nothing wrong', () => {}, 'open'],
  ['a finish that is wrong', flip(finishAt), 'decrypt'],
  ['a signature that the finish does not cover', flip(signatureAt), 'decrypt'],
  ['a posture that the finish does not cover', flip(2 + svidLength + 2), 'decrypt'],
  ['a posture of another length', flip(2 + svidLength + 1), 'decode'],
  ['a credential length beyond the message', (plain: Uint8Array) => plain.fill(0xff, 0, 2), 'decode'],
  ['padding that is not zero', flip(-1), 'decode'],
] as const)
  test(`an AUTH under the right keys with ${what} ends in ${code}`, async () => {
    assert.equal(await codeFromGateway(lying(change)), code);
  });

const isReady = (plain: Uint8Array): boolean => plain.length === 256;
const inReady = (change: (plain: Uint8Array) => void) => (plain: Uint8Array) => {
  if (isReady(plain)) change(plain);
};
const inResp = (change: (plain: Uint8Array) => void) => (plain: Uint8Array) => {
  if (!isReady(plain)) change(plain);
};

for (const [what, change, code] of [
  ['nothing wrong', () => {}, 'open'],
  ['a RESP whose signature is wrong', inResp(flip(10)), 'bad_svid'],
  ['a RESP with an extension', inResp(flip(9)), 'decode'],
  ['a RESP padded with something', inResp(flip(-1)), 'decode'],
  ['a RESP whose time alone was changed after hashing', inResp(flip(0)), 'decrypt'],
  ['a READY whose finish is wrong', inReady(flip(50)), 'decrypt'],
  ['a READY with other terms than its finish covers', inReady(flip(16)), 'decrypt'],
  ['a READY padded with something', inReady(flip(-1)), 'decode'],
] as const)
  test(`a gateway with the right keys and ${what} ends in ${code}`, async () => {
    assert.equal(await codeFromClient(lying(change)), code);
  });

for (const [name, value] of [
  ['rekeyAfterS', 0],
  ['rejectAfterS', 120],
  ['rekeyAfterBytes', 2n ** 20n - 1n],
  ['rekeyAfterBytes', 2n ** 36n + 1n],
  ['maxStreams', 0],
  ['maxRecord', 0],
  ['maxRecord', 16_385],
] as const)
  test(`terms with ${name} = ${value} are refused by the client although its gateway means them`, async () => {
    const gateway = fixed.newGateway({ params: () => ({ ...fixed.params, [name]: value }) });
    assert.equal(await fixed.complete(fixed.newClient(), gateway).then(() => 'open', codeOf), 'decode');
  });
