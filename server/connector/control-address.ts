/**
 * How a connector reaches the control plane: the socket in a data folder on the same machine, or TLS to a host and port.
 * Over TLS the authority is the one whose digest came with the token, and the name must be the control plane's.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { formatSpiffeId } from '../../protocol/spiffe.ts';
import { mustBe, tlsFloor } from '../channel/mutual-tls.ts';

export interface ControlAddress {
  readonly kind: 'unix' | 'tls';
  readonly path: string;
  readonly host: string;
  readonly port: number;
}

/** The control plane cannot be reached, or is not the one of the token. */
export class ControlAddressError extends Error {
  readonly code: 'control_malformed' | 'control_unreachable' | 'control_unknown';
  constructor(code: ControlAddressError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ControlAddressError';
    this.code = code;
  }
}

/** @throws ControlAddressError `control_malformed` */
export function parseControlAddress(text: string): ControlAddress {
  if (text.startsWith('unix:')) return { kind: 'unix', path: text.slice('unix:'.length), host: '', port: 0 };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/\s[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535)
    throw new ControlAddressError('control_malformed', 'The address of the control plane is HOST:PORT.');
  return { kind: 'tls', path: '', host: match[1] ?? match[2] ?? '', port };
}

/**
 * The authority's certificate, as the control plane shows it, when its digest is the expected one. Nothing is said to
 * the other end before.
 * @returns PEM. @throws ControlAddressError
 */
export async function fetchAuthority({ host, port }: ControlAddress, fingerprint: Uint8Array): Promise<string> {
  // Unverified on purpose: this connection serves to look at the chain, which is then compared.
  const socket = connectTls({ host, port, ...tlsFloor, rejectUnauthorized: false });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.setTimeout(10_000, () => reject(new Error('timeout')));
    });
    const found = chainOf(socket).find((der) => createHash('sha256').update(der).digest().equals(fingerprint));
    if (found === undefined)
      throw new ControlAddressError(
        'control_unknown',
        'The control plane at this address is not the one of the token.',
      );
    return new X509Certificate(found).toString();
  } catch (cause) {
    if (cause instanceof ControlAddressError) throw cause;
    throw new ControlAddressError('control_unreachable', `The control plane at ${host}:${port} does not answer.`, {
      cause,
    });
  } finally {
    socket.destroy();
  }
}

function chainOf(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (at?.raw !== undefined && !chain.some((seen) => seen.equals(at!.raw))) {
    chain.push(at.raw);
    at = at.issuerCertificate;
  }
  return chain;
}

/** @param identity asked for at each connection: none before the first welcome. */
export function dialer(
  address: ControlAddress,
  authority: string | undefined,
  trustDomain: string,
  identity: () => { readonly key: string; readonly cert: string } | undefined,
): () => Socket {
  if (address.kind === 'unix') return () => connectTcp(address.path);
  const control = formatSpiffeId({ kind: 'other', trustDomain, path: ['control'] });
  return () =>
    connectTls({
      ...{ host: address.host, port: address.port, ...tlsFloor, checkServerIdentity: mustBe(control) },
      // Whatever the environment says (NODE_TLS_REJECT_UNAUTHORIZED).
      rejectUnauthorized: true,
      ...(authority !== undefined && { ca: authority }),
      ...identity(),
    });
}
