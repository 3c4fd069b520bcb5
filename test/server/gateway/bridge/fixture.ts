/** A service on a plain socket in place of the data plane, and the bridge in front of it. */
import assert from 'node:assert/strict';
import { type AddressInfo, connect as connectNet, type Server as NetServer } from 'node:net';
import { after } from 'node:test';
import type { ServiceRecord } from '../../../../server/channel/snapshot-content.ts';
import { systemClock } from '../../../../server/channel/system-clock.ts';
import type { HttpDependencies } from '../../../../server/gateway/bridge/http-exchange.ts';
import { BridgeError } from '../../../../server/gateway/bridge/tunnel-stream.ts';
import { type Connect, UpstreamPool } from '../../../../server/gateway/bridge/upstream-pool.ts';
import { ServiceJar } from '../../../../server/gateway/exchange/cookie-jar.ts';
import { context, shim } from '../exchange/support.ts';

/** Listens on a free loopback port until the tests of the file are done. */
export async function listen(server: NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function')
      server.closeAllConnections();
    server.close();
  });
  // A TCP server's address is never a path.
  return (server.address() as AddressInfo).port;
}

/** The connector function over loopback. */
export const plainConnect: Connect = ({ host, port }, signal) =>
  new Promise((resolve, reject) => {
    const socket = connectNet({ host, port, signal });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });

export interface Fixture {
  readonly deps: HttpDependencies;
  readonly jar: ServiceJar;
  readonly pool: UpstreamPool;
  /** Connections made so far. */
  readonly connections: () => number;
  readonly judged: { method: string; target: string }[];
  /** How often the jar was saved. */
  readonly saves: () => number;
}

export const correlation = '00112233445566778899aabbccddeeff';

export function fixture(
  port: number,
  over: { service?: Partial<ServiceRecord>; deny?: boolean; connect?: Connect; ca?: string } = {},
): Fixture {
  const service = { ...context.service, address: '127.0.0.1', port, ...over.service };
  const jar = new ServiceJar();
  const judged: { method: string; target: string }[] = [];
  let connections = 0;
  let saves = 0;
  const connect: Connect = (target, signal) => {
    connections += 1;
    return (over.connect ?? plainConnect)(target, signal);
  };
  const openUdp = () => assert.fail('no UDP here');
  const pool = new UpstreamPool({ service, connect, openUdp, ca: over.ca === undefined ? undefined : [over.ca] });
  after(() => pool.close());
  const deps: HttpDependencies = {
    context: { ...context, service },
    pool,
    clock: systemClock,
    shim,
    correlation,
    openJar: async () => ({
      jar,
      save: async () => {
        saves += 1;
      },
    }),
    judge: async (request) => {
      judged.push(request);
      if (over.deny === true) throw new BridgeError('denied');
    },
  };
  return { deps, jar, pool, connections: () => connections, judged, saves: () => saves };
}
