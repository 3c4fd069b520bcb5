/**
 * The key schedule from the master secret on: the secrets of each epoch, the keys of its streams, and the step to the
 * next epoch (docs/protocol.md, "Key schedule" and "Rekey"). The handshake's own secrets are in transcript.ts.
 * Epochs form a chain: each takes the last one's chain key as salt and a fresh hybrid exchange as input.
 */
import { assertLength, isZero, utf8, Writer, wipe } from './bytes.ts';
import type { Crypto } from './crypto.ts';
import { L } from './labels.ts';
import { sharedSecretBytes } from './limits.ts';

/** What the two ends share while an epoch lasts. All but `number` and `transcript` is secret. */
export type EpochSecrets = {
  readonly number: number;
  /** S_c: what the client seals under, by way of {@link streamKey}. */
  readonly client: Uint8Array;
  /** S_g: the same for the gateway. */
  readonly gateway: Uint8Array;
  /** CK, which only the next epoch uses. */
  readonly chain: Uint8Array;
  /** EX */
  readonly exporter: Uint8Array;
  /** T_n, the hash of all that was said to get here. */
  readonly transcript: Uint8Array;
};

/** The hybrid exchange yielded what an honest peer's never does: end the session. */
export class KeyExchangeError extends Error {
  readonly code = 'zero_share';
  constructor() {
    super('key exchange: zero_share');
    this.name = 'KeyExchangeError';
  }
}

type Kdf = Pick<Crypto, 'expand'>;

/**
 * HKDF-Extract over both halves, in their fixed order. RFC 7748 section 6.1: an all-zero X25519 half comes from a
 * point of low order, and would leave the secret to ML-KEM alone.
 * @throws KeyExchangeError
 */
export function mixSharedSecret(crypto: Pick<Crypto, 'extract'>, salt: Uint8Array, shared: Uint8Array): Uint8Array {
  assertLength('shared secret', shared, sharedSecretBytes);
  if (isZero(shared.subarray(sharedSecretBytes / 2))) throw new KeyExchangeError();
  return crypto.extract(salt, shared);
}

function epochFrom(crypto: Kdf, number: number, secret: Uint8Array, transcript: Uint8Array): EpochSecrets {
  return {
    number,
    client: L(crypto, secret, 'c ap', transcript),
    gateway: L(crypto, secret, 'g ap', transcript),
    chain: L(crypto, secret, 'chain', transcript),
    exporter: L(crypto, secret, 'exporter', transcript),
    transcript,
  };
}

/** Epoch 0. The caller wipes the master secret. */
export function firstEpoch(crypto: Kdf, master: Uint8Array, th6: Uint8Array): EpochSecrets {
  return epochFrom(crypto, 0, master, th6);
}

/**
 * Epoch n+1. Leaves `epoch` as it is, since old records may still come; the caller wipes `shared`.
 * @param rkInit the whole content of RK_INIT, epoch number first; `rkResp` likewise.
 * @throws KeyExchangeError
 */
export function nextEpoch(
  crypto: Pick<Crypto, 'sha256' | 'extract' | 'expand'>,
  epoch: EpochSecrets,
  rkInit: Uint8Array,
  rkResp: Uint8Array,
  shared: Uint8Array,
): EpochSecrets {
  const transcript = crypto.sha256(epoch.transcript, Uint8Array.of(0x20), rkInit, rkResp);
  const secret = mixSharedSecret(crypto, epoch.chain, shared);
  try {
    return epochFrom(crypto, epoch.number + 1, secret, transcript);
  } finally {
    wipe(secret);
  }
}

/** The MAC in RK_DONE: proof, under the new keys, that the client computed the same epoch. */
export function rekeyConfirm(crypto: Pick<Crypto, 'expand' | 'hmac'>, epoch: EpochSecrets): Uint8Array {
  const key = L(crypto, epoch.client, 'rk', epoch.transcript);
  try {
    return crypto.hmac(key, epoch.transcript);
  } finally {
    wipe(key);
  }
}

/** Key of one direction of one stream. @param direction `epoch.client` or `epoch.gateway`. */
export function streamKey(crypto: Kdf, direction: Uint8Array, streamId: bigint): Uint8Array {
  return L(crypto, direction, 'stream', new Writer().u64(streamId).done());
}

/** Key of one direction of one datagram flow. */
export function datagramKey(crypto: Kdf, direction: Uint8Array, flowId: number): Uint8Array {
  return L(crypto, direction, 'dgram', new Writer().u32(flowId).done());
}

/**
 * A value both ends know and no one else: binds something outside the tunnel to this epoch (after RFC 9266).
 * @throws TypeError for an epoch that was wiped: what everybody can derive from zeros binds nothing.
 */
export function exporterValue(
  crypto: Pick<Crypto, 'sha256' | 'expand'>,
  epoch: EpochSecrets,
  label: string,
  context: Uint8Array,
): Uint8Array {
  if (isZero(epoch.exporter)) throw new TypeError('the exporter of this epoch was wiped');
  return L(crypto, epoch.exporter, `exp ${label}`, crypto.sha256(context));
}

/** What REAUTH signs, both ways. @param transcript T_n of the present epoch. */
export function reauthHash(crypto: Pick<Crypto, 'sha256'>, transcript: Uint8Array, svid: Uint8Array): Uint8Array {
  return crypto.sha256(utf8('lk1 reauth'), transcript, svid);
}

/** Ends an epoch: nothing can be sealed, opened or exported with what is left. */
export function wipeEpoch(epoch: EpochSecrets): void {
  wipe(epoch.client, epoch.gateway, epoch.chain, epoch.exporter);
}
