/**
 * The tunnel side of one published service: TLS of the internal authority inside WireGuard, so that a service is reached
 * through two layers and through neither alone; behind it a plain TCP connection to the service, byte for byte.
 * Only a gateway of this installation is let in.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { parseSpiffeId } from '../../protocol/spiffe.ts';
import { acceptTls, callerOf, type TlsIdentity, WrongIdentityError } from '../channel/mutual-tls.ts';
import type { Logger } from '../log.ts';

/** The service is on this machine or beside it. */
const connectLimitMs = 10_000;
const keepAliveMs = 30_000;

export interface ServiceTarget {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export class ServiceDoor {
  readonly #target: ServiceTarget;
  readonly #trustDomain: string;
  readonly #log: Logger;
  #identity: TlsIdentity | undefined;

  constructor(target: ServiceTarget, trustDomain: string, log: Logger) {
    this.#target = target;
    this.#trustDomain = trustDomain;
    this.#log = log;
  }

  /** The certificate of the service; the one before is used no more. */
  identify(identity: TlsIdentity): void {
    this.#identity = identity;
  }

  /** Takes a connection that came through the tunnel. */
  serve(tunnel: Duplex): void {
    tunnel.on('error', () => {});
    this.#admit(tunnel).then(
      (secured) => join(tunnel, secured, this.#connect()),
      (error: unknown) => {
        this.#log.warn({ service: this.#target.name, err: error }, 'a connection through the tunnel was turned away');
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

  #connect(): Socket {
    const { host, port } = this.#target;
    const service = connectTcp({ host, port, allowHalfOpen: true });
    service.setTimeout(connectLimitMs, () => service.destroy());
    service.once('connect', () => service.setTimeout(0).setNoDelay(true).setKeepAlive(true, keepAliveMs));
    return service;
  }
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
