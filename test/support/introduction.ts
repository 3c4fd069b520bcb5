/** What introduces a client and a gateway to each other, for tests and figures that have no control plane. */
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto, Signer } from '../../protocol/crypto.ts';
import type { SessionParams } from '../../protocol/params.ts';
import { signSvid } from '../../protocol/svid.ts';

const lifeMs = 600_000;

/** A credential for this session key, good for ten minutes. @param postureHash 32 bytes, of the client's AUTH */
export function credentialFor(
  crypto: Pick<Crypto, 'random' | 'sha256'>,
  clock: Pick<Clock, 'now'>,
  issuer: Signer,
  sessionPublicKey: Uint8Array,
  postureHash: Uint8Array,
): Promise<Uint8Array> {
  return signSvid(crypto, issuer, {
    sessionPublicKey,
    deviceKeyHash: crypto.random(32),
    notBefore: clock.now() - 1_000,
    notAfter: clock.now() + lifeMs,
    policyEpoch: 1n,
    amr: 3,
    postureHash,
    serial: crypto.random(16),
    spiffeId: 'spiffe://latchkey.local/user/ada/device/1',
    service: 'wiki',
  });
}

/** The usual terms of a session (docs/protocol.md, "READY"). */
export function usualParams(crypto: Pick<Crypto, 'random'>, clock: Pick<Clock, 'now'>): SessionParams {
  return {
    sessionId: crypto.random(16),
    policyEpoch: 1n,
    rekeyAfterS: 120,
    rejectAfterS: 180,
    rekeyAfterBytes: 2n ** 30n,
    maxStreams: 64,
    maxRecord: 16_384,
    reauthBy: BigInt(clock.now() + lifeMs),
  };
}
