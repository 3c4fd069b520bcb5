/**
 * The demo connector's process: a WireGuard peer on loopback. The demo service stands behind the same door with TLS that
 * any service of a connector has. Its plain port is for what somebody adds by hand at this address, as at that of any
 * WireGuard peer; such a service has no second layer.
 */
import { generateKeyPairSync } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { dataPaths } from '../config.ts';
import { logger } from '../log.ts';
import { runChild } from '../up/child.ts';
import { startConnector } from './connector.ts';
import { demoService } from './demo/demo-service.ts';
import { ServiceDoor } from './service-door.ts';

runChild('connector', async ({ config, token }) => {
  const log = logger('connector');
  const service = demoService();
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const door = new ServiceDoor('demo', config.trustDomain, (caller) => service.emit('connection', caller), log);
  const connector = await startConnector({
    name: 'demo',
    dial: () => connect(dataPaths.controlSocket(config)),
    token: token ?? '',
    keyFile: join(config.data, 'connector', 'wireguard.pem'),
    exposes: [
      { name: 'demo', port: 443, serve: (socket) => door.serve(socket) },
      { name: 'plain', port: 80, serve: (socket) => service.emit('connection', socket) },
    ],
    certificateKey: publicKey.export({ format: 'jwk' }).x ?? '',
    onWelcome: (welcome) => door.identify(key, welcome),
    wireguard: { bind: '127.0.0.1', mtu: config.wireguard.mtu, announce: true },
    log,
  });
  // The supervisor starts it anew, with a token of its own.
  void connector.refused.then(() => process.exit(1));
  return {
    info: { address: connector.address, publicKey: connector.publicKey },
    stop: () => connector.close(),
  };
});
