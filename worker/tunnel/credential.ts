/**
 * The answer to a launch or a renewal, believed only after its documents verify: pins name the root, the root certifies
 * the directory key, the directory key signed the gateway's descriptor, and the credential is for our key and service.
 */
import { copy, equal, unbase64url } from '../../protocol/bytes.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { type GatewayDescriptor, verifyDescriptor } from '../../protocol/descriptor.ts';
import { parseObject } from '../../protocol/lks1.ts';
import { verifyPins, verifyRole } from '../../protocol/pins.ts';
import { decodeSvid } from '../../protocol/svid.ts';
import { type LaunchedService, TunnelFault } from '../api.ts';
import type { Endpoint } from '../transport/endpoint.ts';

/** A LaunchAnswer as JSON has it: bytes in base64url. */
export interface LaunchAnswer {
  readonly svid: string;
  readonly descriptor: string;
  readonly certificates: readonly string[];
  readonly root: string;
  readonly pins: string;
  readonly endpoints: readonly {
    url: string;
    transport: 'webtransport' | 'websocket';
    certHashes: readonly string[];
  }[];
  readonly service: LaunchedService;
  readonly posture: string;
  readonly renewAfter: number;
  readonly expires: number;
}

/** What a handshake needs, verified. */
export interface Credential {
  readonly svid: Uint8Array;
  readonly serial: Uint8Array;
  readonly posture: Uint8Array;
  readonly gateway: Pick<GatewayDescriptor, 'publicKey' | 'stealthKey'>;
  readonly endpoints: readonly Endpoint[];
  readonly service: LaunchedService;
  /** ms since 1970 */
  readonly renewAfter: number;
}

export interface Expected {
  readonly sessionPublicKey: Uint8Array;
  readonly service: string;
  /** Fingerprint of the install pins that this browser keeps since its enrolment. */
  readonly pins: Uint8Array;
}

/** @throws TunnelFault `bad_answer` when a document does not verify: somebody else than the control plane wrote it. */
export async function believe(
  answer: LaunchAnswer,
  expected: Expected,
  crypto: Crypto,
  clock: Pick<Clock, 'now'>,
): Promise<Credential> {
  try {
    const root = unbase64url(answer.root);
    await verifyPins(crypto, unbase64url(answer.pins), { rootPublicKey: root, fingerprint: expected.pins });
    const directory = await directoryKey(answer, root, crypto, clock);
    const descriptor = await verifyDescriptor(crypto, clock, unbase64url(answer.descriptor), directory);
    const svid = unbase64url(answer.svid);
    const claims = decodeSvid(svid);
    if (!equal(claims.sessionPublicKey, expected.sessionPublicKey) || claims.service !== expected.service)
      throw new TypeError('the credential is for another key or service');
    return {
      svid,
      serial: copy(claims.serial),
      posture: unbase64url(answer.posture),
      gateway: { publicKey: descriptor.publicKey, stealthKey: descriptor.stealthKey },
      endpoints: answer.endpoints.map(({ url, transport, certHashes }) => ({
        url,
        transport,
        certHashes: certHashes.map((hash) => unbase64url(hash)),
      })),
      service: answer.service,
      renewAfter: answer.renewAfter,
    };
  } catch (cause) {
    throw new TunnelFault(
      'bad_answer',
      'The answer to the launch was not signed by this installation. Do not go on; tell your administrator.',
      undefined,
      { cause },
    );
  }
}

/** The certificates come unsorted; the one of the directory role is found by trying. */
async function directoryKey(
  answer: LaunchAnswer,
  root: Uint8Array,
  crypto: Crypto,
  clock: Pick<Clock, 'now'>,
): Promise<Uint8Array> {
  const certificates = answer.certificates.map((text) => unbase64url(text));
  const wanted = parseObject(unbase64url(answer.descriptor)).keyId;
  for (const certificate of certificates) {
    const key = await verifyRole(crypto, clock, root, certificate, 'directory').catch(() => undefined);
    if (key !== undefined && equal(crypto.sha256(key), wanted)) return key;
  }
  throw new TypeError('no certificate names the key that signed the descriptor');
}
