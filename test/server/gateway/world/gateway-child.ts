/**
 * A gateway in a process of its own, behind the product's front door, with a count of what it did: for tests that measure what others cost it.
 * Talks over IPC: `start` in, `ready` out; `count` in, {@link GatewayCount} out.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { base64url } from '../../../../protocol/bytes.ts';
import type { Crypto } from '../../../../protocol/crypto.ts';
import { systemClock } from '../../../../server/channel/system-clock.ts';
import type { Config } from '../../../../server/config.ts';
import { nodeCrypto } from '../../../../server/crypto/node-crypto.ts';
import { Gateway } from '../../../../server/gateway/gateway.ts';
import { logger, setLogLevel } from '../../../../server/log.ts';
import { adopt } from '../../../../server/up/child.ts';
import { openFrontDoor } from '../../../../server/up/front-door.ts';

export interface GatewayCount {
  /** Key exchanges answered, and signatures verified. */
  readonly answers: number;
  readonly verifications: number;
  readonly halfOpen: number;
  readonly live: number;
  /** The process, and what is in use of its heap, after a collection. */
  readonly rssBytes: number;
  readonly usedBytes: number;
  /** Processor time so far, this count's collection not among it. */
  readonly cpuMs: number;
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

async function start(config: Config, token: string): Promise<void> {
  setLogLevel('silent');
  gateway = await Gateway.open({
    ...{ config, crypto, clock: systemClock, log: logger('gateway'), token },
    onRefused: () => process.exit(1),
  });
  const { http } = gateway.endpoints;
  const { port: tcpPort } = await openFrontDoor({ port: 0, host: '0.0.0.0' }, (_owner, socket, head) => {
    // The supervisor sends the connection to another process here; the rest is the product's.
    adopt(http, socket, head);
    return true;
  });
  const { udpPort, ticketKey } = gateway.endpoints;
  tell({ t: 'ready', tcpPort, udpPort, ticketKey: ticketKey && base64url(ticketKey), wireguard: gateway.wireguard });
}

function report(): void {
  const { user, system } = process.cpuUsage();
  collect();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const { live, halfOpen } = gateway!.sessions.counts;
  tell({
    t: 'count',
    count: {
      ...count,
      live,
      halfOpen,
      rssBytes: rss,
      usedBytes: heapUsed + arrayBuffers,
      cpuMs: (user + system) / 1_000,
    },
  });
}

function tell(message: FromChild): void {
  process.send?.(message);
}

process.on('message', (message: ToChild) => {
  if (message.t === 'count') report();
  else void start(message.config, message.token);
});
process.on('disconnect', () => process.exit(0));
