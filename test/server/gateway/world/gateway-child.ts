/**
 * A gateway in a process of its own, with a door and a count of what it did: for tests that measure what others cost it.
 * Talks over IPC: `start` in, `ready` out; `count` in, {@link GatewayCount} out.
 */
import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { base64url } from '../../../../protocol/bytes.ts';
import type { Crypto } from '../../../../protocol/crypto.ts';
import { systemClock } from '../../../../server/channel/system-clock.ts';
import type { Config } from '../../../../server/config.ts';
import { nodeCrypto } from '../../../../server/crypto/node-crypto.ts';
import { Gateway } from '../../../../server/gateway/gateway.ts';
import { logger, setLogLevel } from '../../../../server/log.ts';

export interface GatewayCount {
  /** Key exchanges answered, and signatures verified. */
  readonly answers: number;
  readonly verifications: number;
  readonly halfOpen: number;
  readonly live: number;
  /** Connections at the door. */
  readonly connections: number;
  /** The process, and what is in use of its heap, after a collection. */
  readonly rssBytes: number;
  readonly usedBytes: number;
}

export type ToChild =
  | { readonly t: 'start'; readonly config: Config; readonly token: string }
  | { readonly t: 'count' };
export type FromChild =
  | {
      readonly t: 'ready';
      readonly tcpPort: number;
      readonly udpPort: number | undefined;
      /** See Endpoints; base64url. */
      readonly ticketKey: string | undefined;
      readonly wireguard: { port: number; publicKey: string };
    }
  | { readonly t: 'count'; readonly count: GatewayCount };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const count = { answers: 0, verifications: 0 };
const crypto: Crypto = {
  ...nodeCrypto,
  answer(share) {
    count.answers++;
    return nodeCrypto.answer(share);
  },
  verify(...signed) {
    count.verifications++;
    return nodeCrypto.verify(...signed);
  },
};

let gateway: Gateway | undefined;
const door = createServer((socket) => gateway?.endpoints.http.emit('connection', socket));

async function start(config: Config, token: string): Promise<void> {
  setLogLevel('silent');
  gateway = await Gateway.open({
    ...{ config, crypto, clock: systemClock, log: logger('gateway'), token },
    onRefused: () => process.exit(1),
  });
  await new Promise<void>((resolve) => door.listen({ port: 0, host: '0.0.0.0', backlog: 4_096 }, resolve));
  const address = door.address();
  const tcpPort = typeof address === 'object' && address !== null ? address.port : 0;
  const { udpPort, ticketKey } = gateway.endpoints;
  tell({ t: 'ready', tcpPort, udpPort, ticketKey: ticketKey && base64url(ticketKey), wireguard: gateway.wireguard });
}

function report(): void {
  collect();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const { live, halfOpen } = gateway!.sessions.counts;
  door.getConnections((_error, connections) =>
    tell({
      t: 'count',
      count: { ...count, live, halfOpen, connections, rssBytes: rss, usedBytes: heapUsed + arrayBuffers },
    }),
  );
}

function tell(message: FromChild): void {
  process.send?.(message);
}

process.on('message', (message: ToChild) => {
  if (message.t === 'count') report();
  else void start(message.config, message.token);
});
process.on('disconnect', () => process.exit(0));
