/**
 * Who may join the control channel: once with a token of the supervisor, then with the credential of the last welcome.
 * A token is used up by the first hello that presents it; a credential is replaced at each welcome, and the one before
 * stays good until the newer one is seen, because an answer can be lost on its way.
 */
import { equal } from '../../protocol/bytes.ts';
import type { Hello } from '../channel/messages.ts';
import { digestOf, newSecret } from './identifiers.ts';

export type PeerRole = Hello['role'];

/** The credential columns of a gateway or connector. */
export interface KeptCredential {
  readonly resume_hash: Uint8Array;
  readonly previous_resume_hash: Uint8Array | null;
}

/** The supervisor's tokens that nobody has used yet. */
export class JoinTokens {
  readonly #tokens = new Map<string, PeerRole>();

  add(role: PeerRole, token: string): void {
    this.#tokens.set(keyOf(token), role);
  }

  /** Looks without using it up. */
  holds(role: PeerRole, token: string): boolean {
    return this.#tokens.get(keyOf(token)) === role;
  }

  /** @returns true for exactly one caller. */
  spend(role: PeerRole, token: string): boolean {
    return this.holds(role, token) && this.#tokens.delete(keyOf(token));
  }
}

function keyOf(token: string): string {
  return Buffer.from(digestOf(token)).toString('base64');
}

/** Does this secret belong to the peer? Compared by digest, in constant time. */
export function resumes(kept: KeptCredential, secret: string): boolean {
  const digest = digestOf(secret);
  const present = equal(digest, kept.resume_hash);
  const previous = kept.previous_resume_hash !== null && equal(digest, kept.previous_resume_hash);
  return present || previous;
}

/** The next credential of a peer and the columns to keep of it. @param presented what it came with, when that was one */
export function nextCredential(presented: string | undefined): { readonly secret: string } & KeptCredential {
  const secret = newSecret();
  return {
    secret,
    resume_hash: digestOf(secret),
    previous_resume_hash: presented === undefined ? null : digestOf(presented),
  };
}
