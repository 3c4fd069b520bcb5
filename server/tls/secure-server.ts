/**
 * An HTTP server behind TLS of our own: the name in the ClientHello chooses the certificate, and a name that is not ours
 * gets none. Like its plain twin it listens nowhere and is given its connections.
 */
import { createServer as createPlain, type Server, type ServerOptions } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../../protocol/clock.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import { CertificateWatch } from './certificate-watch.ts';

const handshakeTimeoutMs = 10_000;

export interface SecureServerOptions {
  readonly config: Pick<Config, 'tls' | 'hubHost' | 'appsDomain'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** @throws TlsError when a certificate or key cannot be served. */
export function newServer(options: SecureServerOptions, http: ServerOptions): Server {
  const { tls } = options.config;
  if (tls === undefined) return createPlain(http);
  const watches = { hub: new CertificateWatch(tls.hub, options), apps: new CertificateWatch(tls.apps, options) };
  const server = createSecure({
    ...http,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.3',
    handshakeTimeout: handshakeTimeoutMs,
    SNICallback: (name, done) => {
      const kind = certificateFor(options.config, name);
      if (kind === undefined) done(new Error('not a name of ours'));
      else done(null, watches[kind].context satisfies SecureContext);
    },
  });
  // What ends before it is HTTP is nobody we know, and no fault of ours.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.once('close', () => {
    for (const watch of Object.values(watches)) watch.close();
  });
  return server;
}

/** Which certificate serves a name. @returns undefined for a name that is not ours. */
export function certificateFor(
  { hubHost, appsDomain }: Pick<Config, 'hubHost' | 'appsDomain'>,
  name: string,
): 'hub' | 'apps' | undefined {
  const asked = name.toLowerCase();
  if (asked === hubHost) return 'hub';
  const [label = '', ...domain] = asked.split('.');
  return label !== '' && domain.join('.') === appsDomain ? 'apps' : undefined;
}
