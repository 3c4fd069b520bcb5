/** What every part of the control plane is given: configuration, time, store, audit, keys. Made once by control.ts. */
import type { Clock } from '../../protocol/clock.ts';
import type { AuditLog } from '../audit/log.ts';
import type { Config } from '../config.ts';
import type { Counts } from '../counts.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/tables.ts';
import type { Vault } from '../store/vault.ts';
import type { Authorities } from './authorities.ts';
import type { InternalCa } from './internal-ca.ts';
import type { Pki } from './pki.ts';

/** Proof of who acts, beside what they do in the audit (evidence.ts makes it). Bytes as base64url. */
export type Evidence = Readonly<Record<`signed.${string}`, string | number>>;

export interface Context {
  readonly config: Config;
  readonly clock: Clock;
  readonly store: Store;
  readonly audit: AuditLog;
  readonly pki: Pki;
  /** Signs X.509-SVIDs. */
  readonly ca: InternalCa;
  /** Of makers of authenticators, as the operator named them. */
  readonly makers: Authorities;
  /** Seals what the store has to give back. */
  readonly vault: Vault;
  readonly log: Logger;
  /** Other control planes may change the store as well. */
  readonly isShared: boolean;
  /** SPIFFE id of the administrator this context acts for; the operator of the machine when nobody is named. */
  readonly actor?: string;
  /** The signature of the request that is answered; in the event of whatever it changes. */
  readonly signed?: Evidence;
  /** Refused requests since the start. */
  readonly refusals: Counts<'code'>;
}
