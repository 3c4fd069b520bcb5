/**
 * TLS between parts of one installation: version 1.3, X25519MLKEM768 and nothing else as key exchange
 * (draft-ietf-tls-ecdhe-mlkem), certificates of the internal authority at both ends, and names that are SPIFFE ids.
 * No host name counts: whoever holds the key of the SVID is the one, wherever it is.
 */
import type { Duplex } from 'node:stream';
import { createServer, type PeerCertificate, type TLSSocket, type TlsOptions } from 'node:tls';
import { isSpiffeId } from '../../protocol/spiffe.ts';

/** A certificate and its key, PEM, and the authority that the other end must show one of. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

/** What both ends set. */
export const tlsFloor = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ecdhCurve: 'X25519MLKEM768',
} as const satisfies TlsOptions;

/** The other end is not the one that was expected. */
export class WrongIdentityError extends Error {
  readonly code = 'EWRONGIDENTITY';
  constructor() {
    super('The other end of a TLS connection has another identity than expected.');
    this.name = 'WrongIdentityError';
  }
}

/** @returns the one SPIFFE id of a certificate; undefined for none, or for more than one name of any kind. */
export function spiffeIdOf(certificate: Pick<PeerCertificate, 'subjectaltname'> | undefined): string | undefined {
  const name = certificate?.subjectaltname;
  if (name === undefined || !name.startsWith('URI:')) return undefined;
  const id = name.slice('URI:'.length);
  return isSpiffeId(id) ? id : undefined;
}

/** For `checkServerIdentity`: the chain was checked by OpenSSL, the name is checked here and no other way. */
export function mustBe(spiffeId: string) {
  return (_host: string, certificate: PeerCertificate): Error | undefined =>
    spiffeIdOf(certificate) === spiffeId ? undefined : new WrongIdentityError();
}

/** A handshake inside a connection that stands; longer, and there is nobody at its other end. */
const handshakeLimitMs = 10_000;

/**
 * The server's side over any stream, for callers that show a certificate of the same authority.
 * Rejects when the handshake fails; the stream is then the caller's to destroy.
 */
export function acceptTls(stream: Duplex, identity: TlsIdentity): Promise<TLSSocket> {
  const options: TlsOptions = { ...identity, ...tlsFloor, requestCert: true, rejectUnauthorized: true };
  // A server for each: node:tls judges a caller's certificate in a server alone, and says of none which stream it had.
  const server = createServer({ ...options, handshakeTimeout: handshakeLimitMs, allowHalfOpen: true } as TlsOptions);
  return new Promise((resolve, reject) => {
    server.once('secureConnection', resolve);
    server.once('tlsClientError', reject);
    server.emit('connection', stream);
  });
}

/** @returns the caller's SPIFFE id when it showed a certificate of ours that verifies. */
export function callerOf(socket: TLSSocket): string | undefined {
  return socket.authorized ? spiffeIdOf(socket.getPeerCertificate()) : undefined;
}
