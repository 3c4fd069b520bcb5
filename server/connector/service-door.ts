/**
 * The tunnel side of one service: TLS of the internal authority inside WireGuard, so that a service is reached through two
 * layers and through neither alone. Only a gateway of this installation is let in. Behind it stands what the door was made
 * with: the demo service in this process, or a plain TCP connection to a service, byte for byte.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { parseSpiffeId } from '../../protocol/spiffe.ts';
import type { ConnectorWelcome } from '../channel/messages.ts';
import { acceptTls, callerOf, type TlsIdentity, WrongIdentityError } from '../channel/mutual-tls.ts';
import type { Logger } from '../log.ts';

/** The service is on this machine or beside it. */
const connectLimitMs = 10_000;
const keepAliveMs = 30_000;

/** Takes a caller that was let in, and the tunnel under it to break off by. */
export type Behind = (caller: TLSSocket, tunnel: Duplex) => void;

export class ServiceDoor {
  readonly #name: string;
  readonly #trustDomain: string;
  readonly #behind: Behind;
  readonly #log: Logger;
  #identity: TlsIdentity | undefined;

  /** @param name the service's */
  constructor(name: string, trustDomain: string, behind: Behind, log: Logger) {
    this.#name = name;
    this.#trustDomain = trustDomain;
    this.#behind = behind;
    this.#log = log;
  }

  /** Takes the certificate that a welcome brings; the one before is used no more. @param key its private key, PEM */
  identify(key: string, { serviceSvids, authority }: Pick<ConnectorWelcome, 'serviceSvids' | 'authority'>): void {
    const cert = serviceSvids?.[this.#name];
    if (cert !== undefined && authority !== undefined) this.#identity = { key, cert, ca: authority };
  }

  /** Takes a connection that came through the tunnel. */
  serve(tunnel: Duplex): void {
    tunnel.on('error', () => {});
    this.#admit(tunnel).then(
      (caller) => this.#behind(caller, tunnel),
      (error: unknown) => {
        this.#log.warn({ service: this.#name, err: error }, 'a connection through the tunnel was turned away');
        tunnel.destroy(new WrongIdentityError());
      },
    );
  }

  async #admit(tunnel: Duplex): Promise<TLSSocket> {
    if (this.#identity === undefined) throw new WrongIdentityError();
    const secured = await acceptTls(tunnel, this.#identity);
    const caller = parseSpiffeId(callerOf(secured) ?? '');
    if (caller?.kind !== 'gateway' || caller.trustDomain !== this.#trustDomain) throw new WrongIdentityError();
    return secured;
  }
}

/** A TCP service that this machine reaches. */
export function toTcp(target: { readonly host: string; readonly port: number }): Behind {
  return (caller, tunnel) => join(tunnel, caller, connectTo(target));
}

function connectTo({ host, port }: { readonly host: string; readonly port: number }): Socket {
  const service = connectTcp({ host, port, allowHalfOpen: true });
  service.setTimeout(connectLimitMs, () => service.destroy());
  service.once('connect', () => service.setTimeout(0).setNoDelay(true).setKeepAlive(true, keepAliveMs));
  return service;
}

/** Byte for byte both ways; an end goes on as an end, a break as a reset, so that neither end takes one for the other. */
function join(tunnel: Duplex, secured: TLSSocket, service: Socket): void {
  secured.pipe(service).pipe(secured);
  for (const side of [secured, service]) side.on('error', () => {});
  service.on('close', () => {
    if (!service.readableEnded) tunnel.destroy(new BrokenOffError());
  });
  secured.on('close', () => {
    if (!secured.readableEnded) service.resetAndDestroy();
  });
}

/** The service broke off. */
class BrokenOffError extends Error {
  readonly code = 'ECONNRESET';
}
