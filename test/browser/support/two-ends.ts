/**
 * Latchkey/1 between two ends that both run on the given Crypto, over a carrier in memory: a client, a gateway and the
 * documents that introduce them. For tests that ask whether one implementation can play both parts.
 */

import { acceptGateway } from '../../../protocol/accept-gateway.ts';
import { concat, equal, utf8 } from '../../../protocol/bytes.ts';
import type { Clock } from '../../../protocol/clock.ts';
import { connectClient } from '../../../protocol/connect-client.ts';
import type { Crypto, Signer } from '../../../protocol/crypto.ts';
import type { Session } from '../../../protocol/session.ts';
import type { IncomingStream } from '../../../protocol/stream.ts';
import { verifySvid } from '../../../protocol/svid.ts';
import { countingCarrier } from '../../../worker/tunnel/counting-carrier.ts';
import { credentialFor, usualParams } from '../../support/introduction.ts';
import { loopbackPair } from '../../support/loopback-carrier.ts';

export interface TwoEnds {
  readonly client: Session;
  readonly gateway: Session;
  /** Sealed frames the client and the gateway handed to the carrier. */
  readonly sent: { client: number; gateway: number };
}

/** @param onStream what the gateway does with a stream. */
export async function twoEnds(
  crypto: Crypto,
  clock: Clock,
  keys: { readonly session: Signer; readonly gateway: Signer; readonly issuer: Signer },
  onStream: (incoming: IncomingStream) => void,
): Promise<TwoEnds> {
  const sent = { client: 0, gateway: 0 };
  const link = loopbackPair();
  const postureHash = crypto.sha256(utf8('a statement'));
  const svid = await credentialFor(crypto, clock, keys.issuer, keys.session.publicKey, postureHash);
  const stealthKey = crypto.random(32);
  const gateway = acceptGateway({
    carrier: countingCarrier(link.gateway, () => {
      sent.gateway += 1;
    }),
    crypto,
    clock,
    identities: [{ signer: keys.gateway, stealthKeys: [stealthKey] }],
    verifySvid: (bytes) => verifySvid(crypto, clock, bytes, keys.issuer.publicKey),
    params: () => usualParams(crypto, clock),
    session: { onOpen: onStream },
  });
  const client = connectClient({
    carrier: countingCarrier(link.client, () => {
      sent.client += 1;
    }),
    crypto,
    clock,
    gateway: { publicKey: keys.gateway.publicKey, stealthKey },
    identity: { svid, posture: concat(postureHash, new Uint8Array(8)), signer: keys.session },
  });
  const [clientSession, gatewaySession] = await Promise.all([client, gateway]);
  return { client: clientSession, gateway: gatewaySession, sent };
}

/** Sends back what it gets. */
export async function echo(incoming: IncomingStream): Promise<void> {
  const stream = await incoming.accept();
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) await stream.write(chunk);
  await stream.finish();
}

/** Writes bytes to an echoing service. @returns whether the same came back. */
export async function comesBack(session: Session, bytes: Uint8Array): Promise<boolean> {
  const stream = await session.open({ kind: 'tcp', service: 'wiki' });
  const writing = stream.write(bytes).then(() => stream.finish());
  const chunks: Uint8Array[] = [];
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) chunks.push(chunk);
  await writing;
  return equal(concat(...chunks), bytes);
}
