/**
 * The known answers of Latchkey/1 and everything needed to run them again: fixed secrets, fixed randomness, fixed clock.
 * The file is hexadecimal throughout; {@link bytesOf} reads one field, by its path.
 */
import { unhex } from '../../protocol/bytes.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { ClientHandshake, type ClientHandshakeOptions } from '../../protocol/handshake-client.ts';
import { GatewayHandshake, type GatewayHandshakeOptions } from '../../protocol/handshake-gateway.ts';
import type { SessionParams } from '../../protocol/params.ts';
import { CookieKeys } from '../../protocol/retry.ts';
import { verifySvid } from '../../protocol/svid.ts';
import { nobleCrypto, nobleSigner } from '../support/noble-crypto.ts';
import { vectorJson, vectorsPresent } from '../support/vectors.ts';

const answers: unknown = vectorsPresent ? vectorJson('latchkey/handshake.json') : {};

/** A value by its path; a missing one throws, so that no comparison can be with nothing. */
export function fieldOf(...path: string[]): unknown {
  let value = answers;
  for (const name of path) value = (value as Record<string, unknown>)[name];
  if (value === undefined) throw new Error(`the known answers have no ${path.join(' ')}`);
  return value;
}

export const bytesOf = (...path: string[]): Uint8Array => unhex(fieldOf(...path) as string);
export const numberOf = (...path: string[]): number => fieldOf(...path) as number;
export const textOf = (...path: string[]): string => fieldOf(...path) as string;

/** Input fields have dots in their names. */
const input = (name: string): Uint8Array => bytesOf('inputs', name);

export const signerOf = (name: 'signer' | 'gateway' | 'session') =>
  nobleSigner(input(`${name}.mldsa_seed`), input(`${name}.ed25519_seed`));

/** The client's randomness, in the order the protocol draws it. */
export const clientCrypto = () =>
  nobleCrypto({
    random: [input('client.random')],
    offers: ['client', 'rekey1.client', 'rekey2.client'].map((who) => ({
      x25519: input(`${who}.x25519_sk`),
      mlkemSeed: input(`${who}.mlkem_seed_d_z`),
    })),
  });

/** The gateway's. */
export const gatewayCrypto = () =>
  nobleCrypto({
    random: [input('gateway.random')],
    answers: ['gateway', 'rekey1.gateway', 'rekey2.gateway'].map((who) => ({
      x25519: input(`${who}.x25519_sk`),
      mlkemM: input(`${who}.mlkem_m`),
    })),
  });

/** Stands still at the time of the run. */
export const clock: Clock = {
  now: () => numberOf('fields', 'time_ms'),
  monotonic: () => 0,
  after: () => () => {},
};

/** The cookie keys of the run, which has one key with number 1. */
export const cookieKeys = () => new CookieKeys(nobleCrypto({ random: [input('cookie.key')] }), clock);

/** READY's parameters, from the input fields. */
export function paramsOf(): SessionParams {
  const ready = (name: string) => numberOf('fields', `ready.${name}`);
  return {
    sessionId: input('ready.session_id'),
    policyEpoch: BigInt(ready('policy_epoch')),
    rekeyAfterS: ready('rekey_after_s'),
    rejectAfterS: ready('reject_after_s'),
    rekeyAfterBytes: BigInt(ready('rekey_after_bytes')),
    maxStreams: ready('max_streams'),
    maxRecord: ready('max_record'),
    reauthBy: BigInt(ready('reauth_by_ms')),
  };
}

/** The two roles as they were in the run; other Cryptos and options can be put in their place. */
export function clientOf(crypto: Crypto, options: Partial<ClientHandshakeOptions> = {}): ClientHandshake {
  return new ClientHandshake({
    crypto,
    transport: 1,
    gateway: { publicKey: bytesOf('public_keys', 'gateway'), stealthKey: input('stealth_key') },
    identity: { svid: bytesOf('svid'), posture: bytesOf('posture'), signer: signerOf('session') },
    ...options,
  });
}

export function gatewayOf(crypto: Crypto, options: Partial<GatewayHandshakeOptions> = {}): GatewayHandshake {
  return new GatewayHandshake({
    crypto,
    clock,
    transport: 1,
    identities: [{ signer: signerOf('gateway'), stealthKeys: [input('stealth_key')] }],
    verifySvid: (svid) => verifySvid(crypto, clock, svid, bytesOf('public_keys', 'signer')),
    params: paramsOf,
    ...options,
  });
}

/** The RETRY policy of the run: always a puzzle. */
export const retryOf = () => ({
  keys: cookieKeys(),
  address: textOf('fields', 'retry.client_address'),
  demand: () => numberOf('fields', 'retry.difficulty'),
});
