/**
 * The gateway's end of TLS inside WireGuard, to services that a connector publishes or that have a name of another trust
 * domain: the far end must be the service by its SVID, and we show who we are. Without both there is no connection.
 */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Clock } from '../../protocol/clock.ts';
import { tlsFloor, WrongIdentityError } from '../channel/mutual-tls.ts';
import { NetworkError } from '../netstack/errors.ts';
import { leafSpiffeId } from '../spiffe/x509-svid.ts';
import { type FarEnd, FarTrust, NotFederatedError, SvidEndedError } from './far-trust.ts';

/** A timer of Node's takes no more than 24 days; a federation lasts longer. */
const longestLookMs = 86_400_000;

export class InnerTls {
  /** Ed25519, base64url: what the control plane is asked to certify. New with each process. */
  readonly certificateKey: string;
  readonly #key: string;
  readonly #clock: Pick<Clock, 'now' | 'after'>;
  readonly #trust = new FarTrust();
  /** What rests on a federation, and ends with it. */
  readonly #federated = new Set<() => void>();
  #certificate: string | undefined;

  constructor(clock: Pick<Clock, 'now' | 'after'>) {
    this.#clock = clock;
    const pair = generateKeyPairSync('ed25519');
    this.#key = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    this.certificateKey = createPrivateKey(this.#key).export({ format: 'jwk' }).x ?? '';
  }

  /** Each welcome brings one. */
  certify(certificate: string): void {
    this.#certificate = certificate;
  }

  /** From signed policy alone. Connections that it no longer covers end at once. */
  trust(policy: Parameters<FarTrust['adopt']>[0]): void {
    this.#trust.adopt(policy);
    for (const look of this.#federated) look();
  }

  /**
   * @throws NetworkError EHOSTUNREACH without a certificate or an authority yet, NotFederatedError, WrongIdentityError, the
   * signal's reason, or what node:tls has to say
   */
  async secure(socket: Duplex, far: FarEnd, signal: AbortSignal): Promise<Duplex> {
    const cert = this.#certificate;
    const vouching = this.#trust.vouchersOf(far, this.#clock.now());
    if (cert === undefined || vouching === undefined) throw destroyed(socket, this.#nobody(far));
    const ca = [...vouching.authorities];
    const ours = { ...tlsFloor, key: this.#key, cert, ca };
    // Said, since a variable of the environment (NODE_TLS_REJECT_UNAUTHORIZED) would otherwise say no for all of Node.
    const secured = connect({ socket, ...ours, rejectUnauthorized: true, checkServerIdentity: mustBe(far) });
    const abort = () => secured.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await handshake(secured);
      if (far.federatedIn !== undefined) this.#endWithTrust(secured, far, ca);
      return secured;
    } catch (error) {
      secured.destroy();
      throw destroyed(socket, error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #nobody({ federatedIn }: FarEnd): Error {
    const isOthers = federatedIn !== undefined && this.#certificate !== undefined;
    return isOthers ? new NotFederatedError() : new NetworkError('EHOSTUNREACH', 'connect');
  }

  /**
   * A connection lasts no longer than what it was believed by: a federation ends, is taken back, or gets other authorities;
   * an SVID ends, and whoever may still have one shows it at the next connection.
   */
  #endWithTrust(secured: TLSSocket, far: FarEnd, believed: readonly string[]): void {
    const svidEnds = secured.getPeerX509Certificate()?.validToDate.getTime() ?? 0;
    let cancel = () => {};
    const look = () => {
      cancel();
      const now = this.#clock.now();
      const vouching = this.#trust.vouchersOf(far, now);
      const isGood = vouching !== undefined && believed.every((authority) => vouching.authorities.includes(authority));
      if (!isGood) secured.destroy(new NotFederatedError());
      else if (svidEnds <= now) secured.destroy(new SvidEndedError());
      else cancel = this.#clock.after(Math.min((vouching.until ?? 0) - now, svidEnds - now, longestLookMs), look);
    };
    secured.once('close', () => {
      cancel();
      this.#federated.delete(look);
    });
    this.#federated.add(look);
    look();
  }
}

/** For `checkServerIdentity`: the chain was checked by OpenSSL; that it is a leaf, and whose, is checked here. */
function mustBe({ spiffeId }: FarEnd) {
  return (_host: string, certificate: PeerCertificate): Error | undefined =>
    leafSpiffeId(certificate.raw) === spiffeId ? undefined : new WrongIdentityError();
}

async function handshake(secured: TLSSocket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    secured.once('secureConnect', resolve);
    secured.once('error', reject);
    secured.once('close', () => reject(new NetworkError('ECONNRESET', 'connect')));
  });
}

function destroyed(socket: Duplex, error: unknown): unknown {
  socket.destroy();
  return error;
}
