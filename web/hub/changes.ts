/**
 * The hub's side of changes that take two administrators: what waits, and this person's yes to it. The challenge is computed
 * from the document as this page showed it, so nothing else can be signed in its name.
 */
import { utf8 } from '../../protocol/bytes.ts';
import { approvalChallenge } from '../../protocol/challenges.ts';
import { call, decode, type SessionInfo } from './api.ts';
import type { Device } from './device.ts';
import { hash } from './hash.ts';
import { signedCall } from './signed-call.ts';
import { touchPasskey } from './touch.ts';

export interface Change {
  readonly id: string;
  readonly kind: 'policy.replace' | 'root.rotate' | 'retention.set';
  readonly state: 'waiting' | 'done' | 'refused' | 'outdated' | 'expired';
  readonly dangers: readonly { readonly message: string; readonly policies: readonly string[] }[];
  readonly document: string;
  readonly requestedBy: string;
  readonly requestedAt: number;
  readonly expires: number;
  readonly needed: number;
  readonly approvals: readonly { readonly user: string; readonly name: string; readonly at: number }[];
}

/** @throws ApiError `role_needed` for a person who is no policy administrator */
export async function waitingChanges(): Promise<readonly Change[]> {
  return (await call<{ changes: Change[] }>('GET', '/api/changes')).changes;
}

/** What a document puts in force, under a heading each; read from the very text that is signed. */
export function contentOf({ document }: Change): [heading: string, text: string][] {
  const said = JSON.parse(document) as { policies?: Record<string, string>; from?: string; to?: number | null };
  if (said.policies !== undefined) return Object.entries(said.policies);
  if (said.to !== undefined) return [['Kept from now on', said.to === null ? 'for ever' : `${said.to} days`]];
  return [['Fingerprint of the root that is replaced', (said.from ?? '').match(/.{4}/g)?.join(' ') ?? '']];
}

/** Signs the document as it was shown. @throws ApiError, or the DOMException of the authenticator */
export async function approve(device: Device, { passkey }: SessionInfo, change: Change): Promise<Change> {
  const { ceremony, nonce } = await signedCall<{ ceremony: string; nonce: string }>(device, '/api/changes/begin', {
    change: change.id,
  });
  const { rpId, userHandle, credentialId } = passkey;
  const challenge = approvalChallenge(hash, {
    rpId,
    nonce: decode(nonce),
    deviceKeyHash: hash.sha256(device.publicKey),
    userHandle: decode(userHandle),
    documentHash: hash.sha256(utf8(change.document)),
  });
  const credential = await touchPasskey({ challenge, rpId, credentialIds: [credentialId], timeout: 60_000 });
  return signedCall<Change>(device, '/api/changes/finish', { ceremony, credential });
}

export async function refuse(device: Device, { id }: Change): Promise<void> {
  await signedCall(device, '/api/changes/refuse', { change: id });
}
