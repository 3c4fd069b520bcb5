/**
 * Whose word is good for the far end of TLS inside WireGuard. For names of this trust domain it is the internal authority's;
 * for a name of another one that of its own authorities, in the namespaces that an administrator federated with it, until
 * the federation ends (QHX-10). Everything comes from signed policy; what is not in it is not believed.
 */
import { parseSpiffeId } from '../../protocol/spiffe.ts';
import type { FederationRecord, ServiceRecord, SnapshotContent } from '../channel/snapshot-content.ts';

/** Who must be at the other end. */
export interface FarEnd {
  readonly spiffeId: string;
  /** For a name of another trust domain: the namespace of the service here. */
  readonly federatedIn?: string;
}

/** No federation covers the name of the far end, here and now. */
export class NotFederatedError extends Error {
  readonly code = 'ENOTFEDERATED';
  constructor() {
    super('No federation covers the trust domain of a service in its namespace.');
    this.name = 'NotFederatedError';
  }
}

/** The certificate by which a far end of another trust domain was believed has ended. */
export class SvidEndedError extends Error {
  readonly code = 'ESVIDENDED';
  constructor() {
    super('The SVID of a service of another trust domain has ended while a connection to it was open.');
    this.name = 'SvidEndedError';
  }
}

/** @returns undefined for a service without TLS inside WireGuard */
export function farEndOf({ innerTls, farId, spiffeId }: ServiceRecord): FarEnd | undefined {
  if (farId === undefined) return innerTls === true ? { spiffeId } : undefined;
  const own = parseSpiffeId(spiffeId);
  // A service has a name of that kind; one that had not would be in no namespace that anybody named.
  return { spiffeId: farId, federatedIn: own?.kind === 'service' ? own.namespace : '' };
}

/** Authorities and, where they are another domain's, how long they count. */
export interface Vouching {
  /** PEM */
  readonly authorities: readonly string[];
  /** ms since 1970; undefined for our own. */
  readonly until?: number;
}

export class FarTrust {
  #authority: string | undefined;
  #federations: readonly FederationRecord[] = [];

  /** From signed policy alone. */
  adopt(policy: Pick<SnapshotContent, 'authority' | 'federations'> | undefined): void {
    this.#authority = policy?.authority;
    this.#federations = policy?.federations ?? [];
  }

  /** @returns undefined when nobody may vouch for this far end now */
  vouchersOf({ spiffeId, federatedIn }: FarEnd, now: number): Vouching | undefined {
    if (federatedIn === undefined)
      return this.#authority === undefined ? undefined : { authorities: [this.#authority] };
    const trustDomain = parseSpiffeId(spiffeId)?.trustDomain;
    const found = this.#federations.find((one) => one.trustDomain === trustDomain);
    if (found === undefined || !found.namespaces.includes(federatedIn) || found.expiresAt <= now) return undefined;
    return { authorities: found.authorities, until: found.expiresAt };
  }
}
