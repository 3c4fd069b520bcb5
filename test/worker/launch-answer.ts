/** A control plane's keys and the answer it gives to a launch, for tests of those who must believe it. */
import { base64url, concat, utf8 } from '../../protocol/bytes.ts';
import { signDescriptor } from '../../protocol/descriptor.ts';
import { pinsFingerprint, type Role, signPins, signRole } from '../../protocol/pins.ts';
import { signSvid } from '../../protocol/svid.ts';
import { nodeCrypto } from '../../server/crypto/node-crypto.ts';
import type { Expected, LaunchAnswer } from '../../worker/tunnel/credential.ts';
import { rememberingSigner } from '../protocol/fixed-handshake.ts';

export const now = 1_790_000_000_000;
const dayMs = 86_400_000;
const hash = (text: string): Uint8Array => nodeCrypto.sha256(utf8(text));

export const keys = {
  root: rememberingSigner('root'),
  stranger: rememberingSigner('stranger'),
  directory: rememberingSigner('directory'),
  svid: rememberingSigner('issuer'),
  policy: rememberingSigner('policy'),
  gateway: rememberingSigner('gateway'),
  session: rememberingSigner('session'),
};

const postureHash = hash('statement');

/** What a test changes about the documents before they are signed. */
export interface Changes {
  readonly service?: string;
  readonly sessionPublicKey?: Uint8Array;
  readonly descriptorNotAfter?: number;
  readonly descriptorMinVersion?: number;
  readonly directoryNotAfter?: number;
  readonly descriptorSigner?: keyof typeof keys;
  readonly svidSigner?: keyof typeof keys;
  readonly certificateSigner?: keyof typeof keys;
}

export async function launchAnswer(changes: Changes = {}): Promise<LaunchAnswer> {
  const root = keys.root;
  const certificate = (role: Role & keyof typeof keys, notAfter = now + 90 * dayMs) =>
    signRole(nodeCrypto, keys[changes.certificateSigner ?? 'root'], {
      role,
      publicKey: keys[role].publicKey,
      notBefore: now - dayMs,
      notAfter,
    });
  const descriptor = await signDescriptor(nodeCrypto, keys[changes.descriptorSigner ?? 'directory'], {
    publicKey: keys.gateway.publicKey,
    notBefore: now - 1_000,
    notAfter: changes.descriptorNotAfter ?? now + dayMs,
    minVersion: changes.descriptorMinVersion ?? 1,
    maxVersion: 9,
    suites: 1,
    stealthKey: hash('stealth'),
    authority: 'gateway.localhost',
  });
  const svid = await signSvid(nodeCrypto, keys[changes.svidSigner ?? 'svid'], {
    sessionPublicKey: changes.sessionPublicKey ?? keys.session.publicKey,
    deviceKeyHash: hash('device'),
    notBefore: now - 1_000,
    notAfter: now + 600_000,
    policyEpoch: 3n,
    amr: 3,
    postureHash,
    serial: hash('serial').slice(0, 16),
    spiffeId: 'spiffe://latchkey.local/user/ada/device/1',
    service: changes.service ?? 'wiki',
  });
  const certificates = [
    await certificate('policy'),
    await certificate('svid'),
    await certificate('directory', changes.directoryNotAfter),
  ];
  return {
    svid: base64url(svid),
    descriptor: base64url(descriptor),
    certificates: certificates.map((bytes) => base64url(bytes)),
    root: base64url(root.publicKey),
    earlier: [],
    pins: base64url(await installPins()),
    endpoints: [
      { url: 'https://127.0.0.1:8700/tunnel', transport: 'webtransport', certHashes: [base64url(hash('certificate'))] },
      { url: 'ws://shell.apps.localhost:8700/tunnel', transport: 'websocket', certHashes: [] },
    ],
    service: { name: 'wiki', title: 'The wiki', app: 'http://wiki.apps.localhost:8700' },
    posture: base64url(concat(postureHash, new Uint8Array(8))),
    renewAfter: now + 360_000,
    expires: now + 600_000,
  };
}

const installPins = (): Promise<Uint8Array> =>
  signPins(nodeCrypto, keys.root, { current: nodeCrypto.sha256(keys.root.publicKey), next: hash('next root') });

/** What the enrolled browser knows. */
export const expected: Expected = {
  sessionPublicKey: keys.session.publicKey,
  service: 'wiki',
  app: 'http://wiki.apps.localhost:8700',
  pins: pinsFingerprint(nodeCrypto, await installPins()),
};
