/** The gateway process of `latchkey up`: started by the supervisor, ended by it. */
import { systemClock } from '../channel/system-clock.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { logger } from '../log.ts';
import { runChild } from '../up/child.ts';
import { Gateway } from './gateway.ts';

const log = logger('gateway');

runChild('gateway', async ({ config, token, after }) => {
  if (token === undefined) throw new TypeError('the supervisor gave no token');
  const gateway = await Gateway.open({
    config,
    crypto: nodeCrypto,
    clock: systemClock,
    log,
    token,
    after,
    onRefused: (code) => {
      log.error({ code }, 'the control plane refused this gateway');
      // The supervisor starts it again with a token of its own.
      process.exit(1);
    },
  });
  const { port, publicKey } = gateway.wireguard;
  return {
    info: { wireguardPort: port, wireguardKey: publicKey, udpPort: gateway.endpoints.udpPort ?? null },
    http: gateway.endpoints.http,
    stop: () => gateway.close(),
  };
});
