/** The demo connector's process: a WireGuard peer on loopback with the demo service behind it. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { dataPaths } from '../config.ts';
import { logger } from '../log.ts';
import { runChild } from '../up/child.ts';
import { startConnector } from './connector.ts';
import { demoService } from './demo/demo-service.ts';

runChild('connector', async ({ config, token }) => {
  const service = demoService();
  const connector = await startConnector({
    name: 'demo',
    dial: () => connect(dataPaths.controlSocket(config)),
    token: token ?? '',
    keyFile: join(config.data, 'connector', 'wireguard.pem'),
    exposes: [{ name: 'demo', port: 80, serve: (socket) => service.emit('connection', socket) }],
    wireguard: { bind: '127.0.0.1', mtu: config.wireguard.mtu, announce: true },
    log: logger('connector'),
  });
  return {
    info: { address: connector.address, publicKey: connector.publicKey },
    stop: () => connector.close(),
  };
});
