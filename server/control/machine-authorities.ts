/**
 * How strongly a connector's machine shows what it is. A token alone is weak: whoever holds it is the connector. Strong is
 * a certificate of an authority that the operator named (`channel.machines`), for the name the token was made for, and a
 * signature by its key over this very connection (channel/machine-evidence.ts).
 *
 * Honest: a key in a file can be copied by whoever is root there; what was revoked (CRL, OCSP) is not asked for, and name
 * constraints are not read. A TPM quote would say more, and is not spoken.
 */
import { X509Certificate } from 'node:crypto';
import { unbase64url } from '../../protocol/bytes.ts';
import { evidenceHolds } from '../channel/machine-evidence.ts';
import type { ConnectorHello } from '../channel/messages.ts';
import type { Caller } from '../channel/server.ts';
import type { ConnectorTable } from '../store/tables/services.ts';
import { Authorities } from './authorities.ts';

/** Extended key usage of who speaks as a client (RFC 5280 section 4.2.1.12). */
const clientAuth = '1.3.6.1.5.5.7.3.2';

/** What a connector's record keeps of it. */
type Evidence = Pick<ConnectorTable, 'evidence' | 'machine'>;
const weak: Evidence = { evidence: 'weak', machine: null };

export class MachineAuthorities {
  readonly #authorities: Authorities;

  /** @param files PEM. @throws AuthorityError */
  constructor(files: readonly string[]) {
    this.#authorities = new Authorities(files, 'channel.machines');
  }

  /** @returns undefined where something was shown that does not hold: that is not taken for weak. */
  judge(hello: ConnectorHello, caller: Caller, nowMs: number): Evidence | undefined {
    const { evidence, certificateKey, wireguardKey } = hello;
    if (evidence === undefined) return weak;
    if (caller.kind !== 'remote' || certificateKey === undefined) return undefined;
    try {
      const chain = evidence.chain.map((pem) => new X509Certificate(pem));
      const [own, ...between] = chain;
      const binding = {
        exporter: caller.exporter(),
        wireguardKey: Buffer.from(wireguardKey, 'base64'),
        certificateKey: unbase64url(certificateKey),
      };
      if (own === undefined || !isForClients(own) || !evidenceHolds(evidence, own, binding)) return undefined;
      if (!this.#authorities.vouchFor(own, between, nowMs)) return undefined;
      return { evidence: 'strong', machine: own.subject.replaceAll('\n', ', ') };
    } catch {
      return undefined; // a certificate that is none
    }
  }
}

/** One machine is meant: a wildcard is for many, and a subject's CN is text (RFC 9525 sections 2 and 6.3). */
const exactly = { wildcards: false, partialWildcards: false, subject: 'never' } as const;

/** @param machine a DNS name that the certificate has to be for, by its subject alternative names. */
export function isForMachine(hello: ConnectorHello, machine: string): boolean {
  const [own] = hello.evidence?.chain ?? [];
  return own !== undefined && new X509Certificate(own).checkHost(machine, exactly) !== undefined;
}

/** One without the extension may be used for anything. */
function isForClients(certificate: X509Certificate): boolean {
  return !certificate.ca && (certificate.keyUsage === undefined || certificate.keyUsage.includes(clientAuth));
}
