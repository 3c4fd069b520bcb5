/**
 * The answer to a launch or a renewal, believed only after its documents verify: pins name the root, the root certifies
 * directory and issuer, those signed the gateway's descriptor and the credential, and both are meant for us. What is not
 * signed (addresses, times, the title) is checked for shape: lying there breaks the tunnel and opens nothing.
 */
import { copy, equal, unbase64url } from '../../protocol/bytes.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { type GatewayDescriptor, verifyDescriptor } from '../../protocol/descriptor.ts';
import { hashBytes, postureBytes } from '../../protocol/limits.ts';
import { ObjectError, objectType, openObject, parseObject } from '../../protocol/lks1.ts';
import { followPins, type Generation, type Role, roleNumber, verifyRole } from '../../protocol/pins.ts';
import { type ClientSvid, decodeSvid } from '../../protocol/svid.ts';
import { type LaunchedService, TunnelFault } from '../api.ts';
import type { Endpoint } from '../transport/endpoint.ts';

/** A LaunchAnswer as JSON has it: bytes in base64url. */
export interface LaunchAnswer {
  readonly svid: string;
  readonly descriptor: string;
  readonly certificates: readonly string[];
  readonly root: string;
  readonly pins: string;
  /** Pins and roots before these, the oldest first: browsers that know only them follow. */
  readonly earlier: readonly { readonly pins: string; readonly root: string }[];
  readonly endpoints: readonly {
    readonly url: string;
    readonly transport: 'webtransport' | 'websocket';
    readonly certHashes: readonly string[];
  }[];
  readonly service: LaunchedService;
  readonly posture: string;
  readonly renewAfter: number;
  readonly expires: number;
  readonly wipe?: string;
}

/** What a handshake needs, verified. */
export interface Credential {
  readonly svid: Uint8Array;
  readonly serial: Uint8Array;
  readonly posture: Uint8Array;
  readonly gateway: Pick<GatewayDescriptor, 'publicKey' | 'stealthKey'>;
  readonly endpoints: readonly Endpoint[];
  readonly service: LaunchedService;
  /** Time from its issue to its renewal, ms: both by the control plane's clock, so ours need not be right. */
  readonly renewInMs: number;
  /** Fingerprint of the pins in use; another than the browser's own where the root was replaced since. */
  readonly pins: Uint8Array;
}

/** What this browser knows by itself. */
export interface Expected {
  readonly sessionPublicKey: Uint8Array;
  readonly service: string;
  /** The app's origin, a sibling of our own. */
  readonly app: string;
  /** Fingerprint of the install pins that this browser keeps since its enrolment. */
  readonly pins: Uint8Array;
}

type Verifier = Pick<Crypto, 'sha256' | 'verify'>;

const maxEndpoints = 16;
const maxCertificates = 16;

/**
 * @param answer hostile until this returns.
 * @throws TunnelFault `bad_answer` when somebody else than the control plane wrote it, `clock` when its documents are
 * not of this time, `version` when the gateway does not speak our protocol.
 */
export async function believe(
  answer: LaunchAnswer,
  expected: Expected,
  crypto: Verifier,
  clock: Pick<Clock, 'now'>,
): Promise<Credential> {
  try {
    const { root, fingerprint: pins } = await followPins(crypto, generationsOf(answer), expected.pins);
    const keyOf = (role: Role, document: Uint8Array) => roleKey(answer, role, document, root, crypto, clock);

    const signedDescriptor = unbase64url(answer.descriptor);
    const descriptor = await verifyDescriptor(
      crypto,
      clock,
      signedDescriptor,
      await keyOf('directory', signedDescriptor),
    );

    const svid = unbase64url(answer.svid);
    // Its life is the gateway's to judge, by the gateway's clock.
    await openObject(crypto, svid, { type: objectType.svid, signerPublicKey: await keyOf('svid', svid) });
    const claims = decodeSvid(svid);
    const posture = unbase64url(answer.posture);
    requireOurs(answer, claims, posture, expected);

    return {
      svid,
      serial: copy(claims.serial),
      posture,
      gateway: { publicKey: descriptor.publicKey, stealthKey: descriptor.stealthKey },
      endpoints: endpointsOf(answer),
      service: { name: expected.service, title: String(answer.service.title), app: expected.app, ...wipeOf(answer) },
      renewInMs: timeOf(answer.renewAfter) - claims.notBefore,
      pins,
    };
  } catch (cause) {
    throw disbelief(cause);
  }
}

/** The oldest first. */
function wipeOf({ wipe }: LaunchAnswer): Pick<LaunchedService, 'wipe'> {
  return wipe !== undefined && /^[\w-]{43}$/.test(wipe) ? { wipe } : {};
}

function generationsOf({ earlier, pins, root }: LaunchAnswer): Generation[] {
  return [...earlier, { pins, root }].map((one) => ({ pins: unbase64url(one.pins), root: unbase64url(one.root) }));
}

function requireOurs(answer: LaunchAnswer, claims: ClientSvid, posture: Uint8Array, expected: Expected): void {
  const isOurs =
    equal(claims.sessionPublicKey, expected.sessionPublicKey) &&
    claims.service === expected.service &&
    answer.service.name === expected.service &&
    answer.service.app === expected.app &&
    posture.length === postureBytes &&
    equal(posture.subarray(0, hashBytes), claims.postureHash);
  if (!isOurs) throw new TypeError('the credential is for another key, service, app or device');
}

/** The verified key of a role, which must be the one that signed `document`. */
async function roleKey(
  answer: LaunchAnswer,
  role: Role,
  document: Uint8Array,
  root: Uint8Array,
  crypto: Verifier,
  clock: Pick<Clock, 'now'>,
): Promise<Uint8Array> {
  const wanted = parseObject(document).keyId;
  const certificates = answer.certificates.slice(0, maxCertificates).map((text) => unbase64url(text));
  // Unverified, the first byte of a body only says which ones are worth verifying. While a key is being replaced the
  // role has two.
  const claimed = certificates.filter((certificate) => parseObject(certificate).body[0] === roleNumber[role]);
  let failure: unknown = new TypeError('no certificate names the key that signed');
  for (const certificate of claimed) {
    try {
      const key = await verifyRole(crypto, clock, root, certificate, role);
      if (equal(crypto.sha256(key), wanted)) return key;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function endpointsOf(answer: LaunchAnswer): Endpoint[] {
  return answer.endpoints.slice(0, maxEndpoints).map(({ url, transport, certHashes }) => {
    const { protocol } = new URL(url);
    const fits =
      transport === 'webtransport'
        ? protocol === 'https:'
        : transport === 'websocket' && (protocol === 'ws:' || protocol === 'wss:');
    if (!fits) throw new TypeError('an endpoint of no kind we know');
    return { url, transport, certHashes: certHashes.map((hash) => unbase64url(hash)) };
  });
}

function timeOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError('a time is a number');
  return value;
}

function disbelief(cause: unknown): TunnelFault {
  const code = cause instanceof ObjectError ? cause.code : undefined;
  if (code === 'expired' || code === 'not_yet_valid')
    return new TunnelFault(
      'clock',
      'The documents of this launch are not of this time: the clock of this device is wrong, or the answer is old. Check the clock and open the service again.',
      undefined,
      { cause },
    );
  if (code === 'unsupported')
    return new TunnelFault('version', 'This page is older than the gateway. Reload it.', undefined, { cause });
  return new TunnelFault(
    'bad_answer',
    'The answer to the launch was not signed by this installation. Do not go on; tell your administrator.',
    undefined,
    { cause },
  );
}
