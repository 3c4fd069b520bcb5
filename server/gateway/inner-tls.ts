/**
 * The gateway's end of TLS inside WireGuard, to services that a connector publishes: the far end must be the service by
 * its SVID, and we show who we are. Without both there is no connection.
 */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { mustBe, tlsFloor } from '../channel/mutual-tls.ts';
import { NetworkError } from '../netstack/errors.ts';

export class InnerTls {
  /** Ed25519, base64url: what the control plane is asked to certify. New with each process. */
  readonly certificateKey: string;
  readonly #key: string;
  #certificate: string | undefined;
  #authority: string | undefined;

  constructor() {
    const pair = generateKeyPairSync('ed25519');
    this.#key = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    this.certificateKey = createPrivateKey(this.#key).export({ format: 'jwk' }).x ?? '';
  }

  /** Each welcome brings one. */
  certify(certificate: string): void {
    this.#certificate = certificate;
  }

  /** From signed policy alone. */
  trust(authority: string | undefined): void {
    this.#authority = authority;
  }

  /**
   * @param spiffeId of the service that must be behind it.
   * @throws NetworkError EHOSTUNREACH without a certificate yet, WrongIdentityError, the signal's reason, or what
   * node:tls has to say
   */
  async secure(socket: Duplex, spiffeId: string, signal: AbortSignal): Promise<Duplex> {
    const [cert, ca] = [this.#certificate, this.#authority];
    if (cert === undefined || ca === undefined) throw destroyed(socket, new NetworkError('EHOSTUNREACH', 'connect'));
    const secured = connect({ socket, ...tlsFloor, key: this.#key, cert, ca, checkServerIdentity: mustBe(spiffeId) });
    const abort = () => secured.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        secured.once('secureConnect', resolve);
        secured.once('error', reject);
        secured.once('close', () => reject(new NetworkError('ECONNRESET', 'connect')));
      });
      return secured;
    } catch (error) {
      secured.destroy();
      throw destroyed(socket, error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

function destroyed(socket: Duplex, error: unknown): unknown {
  socket.destroy();
  return error;
}
