/**
 * QZ-3: every key rests on both halves of the hybrid exchange. A half that is zeroed or exchanged gives other keys, in
 * the handshake and in each rekey, on every library; an X25519 half of zeros is no key at all.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, copy, hex } from '../../protocol/bytes.ts';
import type { Crypto, KeyOffer } from '../../protocol/crypto.ts';
import { HandshakeError } from '../../protocol/established.ts';
import { firstEpoch, nextEpoch } from '../../protocol/schedule.ts';
import * as transcript from '../../protocol/transcript.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import { wasmCrypto } from '../../wasm/crypto.ts';
import { nobleCrypto } from '../support/noble-crypto.ts';
import { freshKernel } from '../wasm/under-test.ts';
import * as fixed from './fixed-handshake.ts';

const { random, verify } = nodeCrypto;
const cryptos: Record<string, Crypto> = {
  'node:crypto': nodeCrypto,
  'the Wasm': wasmCrypto(freshKernel().kernel, { random, verify }),
  '@noble': nobleCrypto(),
};

const fill = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value);
const zeros = fill(0);
const [mlkem, x25519, other] = [fill(1), fill(2), fill(3)];

/** The same exchange with one half or both not what they were. */
const exchanges: Record<string, Uint8Array> = {
  'as agreed': concat(mlkem, x25519),
  'ML-KEM half zeroed': concat(zeros, x25519),
  'another ML-KEM half': concat(other, x25519),
  'another X25519 half': concat(mlkem, other),
  'halves exchanged': concat(x25519, mlkem),
  'X25519 half twice': concat(x25519, x25519),
  'ML-KEM half twice': concat(mlkem, mlkem),
};

/** Every secret that comes out of an exchange, by name. */
function secretsOf(crypto: Crypto, shared: Uint8Array): Record<string, string> {
  const th = fill(9);
  const handshake = transcript.handshakeSecrets(crypto, th, shared);
  const identities = { gateway: fixed.signers.gateway.publicKey, session: fixed.signers.session.publicKey };
  const master = transcript.masterSecret(crypto, handshake.handshake, th, identities);
  const first = firstEpoch(crypto, master, th);
  const unchanged = firstEpoch(crypto, fill(8), th);
  const next = nextEpoch(crypto, unchanged, fill(4), fill(5), shared);
  const named = { ...handshake, master, ...prefixed('first', first), ...prefixed('next', next) };
  return Object.fromEntries(Object.entries(named).map(([name, secret]) => [name, hex(secret)]));
}

const prefixed = (prefix: string, { client, gateway, chain, exporter }: ReturnType<typeof firstEpoch>) => ({
  [`${prefix} client`]: client,
  [`${prefix} gateway`]: gateway,
  [`${prefix} chain`]: chain,
  [`${prefix} exporter`]: exporter,
});

for (const [name, crypto] of Object.entries(cryptos)) {
  test(`QZ-3: a half that is zeroed or exchanged changes every key, on ${name}`, () => {
    const seen = new Map<string, string>();
    for (const [what, shared] of Object.entries(exchanges))
      for (const [key, value] of Object.entries(secretsOf(crypto, shared))) {
        const before = seen.get(value);
        assert.equal(before, undefined, `${key} ${what} is ${before}`);
        seen.set(value, `${key} ${what}`);
      }
    assert.equal(seen.size, 7 * 14);
  });

  test(`QZ-3: an X25519 half of zeros is no key, whatever the other half, on ${name}`, () => {
    for (const half of [mlkem, zeros])
      assert.throws(() => secretsOf(crypto, concat(half, zeros)), { name: 'KeyExchangeError', code: 'zero_share' });
  });
}

/** node:crypto with an exchange that loses its ML-KEM half on this side. */
function halved(crypto: Crypto): Crypto {
  const lose = (secret: Uint8Array): Uint8Array => {
    const lost = copy(secret);
    lost.fill(0, 0, 32);
    return lost;
  };
  const offerOf = (offer: KeyOffer): KeyOffer => ({
    share: offer.share,
    finish: (answer) => lose(offer.finish(answer)),
    wipe: () => offer.wipe(),
  });
  return {
    ...crypto,
    offer: () => offerOf(crypto.offer()),
    answer(share) {
      const { share: answer, secret } = crypto.answer(share);
      return { share: answer, secret: lose(secret) };
    },
  };
}

test('QZ-3: an end that lost its ML-KEM half completes no handshake with one that has it', async () => {
  const whole = () => fixed.complete(fixed.newClient(), fixed.newGateway());
  const both = () =>
    fixed.complete(
      fixed.newClient({ crypto: halved(fixed.fixedCrypto) }),
      fixed.newGateway({ crypto: halved(fixed.fixedCrypto) }),
    );
  for (const [client, gateway] of [
    [halved(fixed.fixedCrypto), fixed.fixedCrypto],
    [fixed.fixedCrypto, halved(fixed.fixedCrypto)],
  ] as const)
    await assert.rejects(
      fixed.complete(fixed.newClient({ crypto: client }), fixed.newGateway({ crypto: gateway })),
      (error) => error instanceof HandshakeError && error.code === 'decrypt',
    );
  // Two that both lost it agree, since nothing else is wrong with them, on other keys.
  const [strong, weak] = [await whole(), await both()];
  assert.deepEqual(weak.client.epoch, weak.gateway.epoch);
  assert.notDeepEqual(weak.client.epoch.client, strong.client.epoch.client);
});
