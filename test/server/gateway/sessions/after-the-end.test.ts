/** Nobody is left to close what is opened for a session that has ended, or for a client that has given up. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import type { IncomingStream } from '../../../../protocol/stream.ts';
import { loadConfig } from '../../../../server/config.ts';
import { nodeCrypto } from '../../../../server/crypto/node-crypto.ts';
import type { SessionDependencies } from '../../../../server/gateway/sessions/dependencies.ts';
import { LiveSession } from '../../../../server/gateway/sessions/live-session.ts';
import { serveStream } from '../../../../server/gateway/sessions/serve-stream.ts';
import { UdpFlows } from '../../../../server/gateway/sessions/udp-flows.ts';
import { PolicyState } from '../../../../server/gateway/state/policy-state.ts';
import { logger } from '../../../../server/log.ts';
import { NetStack } from '../../../../server/netstack/stack.ts';
import type { UdpSocket } from '../../../../server/netstack/udp.ts';
import { posture, svidFields } from '../../../protocol/fixed-handshake.ts';
import { Arrivals, newPair } from '../../../protocol/session/pair.ts';
import { record, snapshot } from '../world/world.ts';

const config = loadConfig({ data: '/nonexistent' });
const peer = { address: '192.0.2.7', origin: undefined, transport: 'loopback' } as const;

/** A session whose first OPEN is written down only when the test says so. */
async function heldOpen(kind: 'tcp' | 'udp') {
  const arrivals = new Arrivals<IncomingStream>();
  const pair = await newPair({ gateway: { onOpen: (incoming) => arrivals.push(incoming) } });
  const policy = new PolicyState(pair.clock, 60_000);
  const issuedAt = pair.clock.now();
  const services = [record({ scheme: kind, wireguardKey: `${'A'.repeat(43)}=` })];
  const content = JSON.stringify(snapshot(services, []));
  policy.adopt({ epoch: 1n, issuedAt, notAfter: issuedAt + 60_000, content });
  const [asked, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const stack = new NetStack({ addresses: ['100.100.0.1'], output: () => undefined });
  const flows: UdpSocket[] = [];
  const sockets: Duplex[] = [];
  const used = {
    ...{ config, crypto: nodeCrypto, clock: pair.clock, log: logger('test'), policy },
    audit: {
      note: () => undefined,
      record: () => {
        asked.resolve();
        return written.promise;
      },
    },
    connect: async () => {
      const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
      sockets.push(socket);
      return socket;
    },
    udpFlows: new UdpFlows(({ host, port }) => {
      const flow = stack.openUdp({ host, port });
      flows.push(flow);
      return flow;
    }),
  };
  // Of what every session shares, a stream of this kind reaches no more than this.
  const deps = used as unknown as SessionDependencies;
  const live = new LiveSession(deps, peer);
  live.identify({ ...svidFields, verified: true }, posture);
  live.begin(pair.gateway);
  const cut = new AbortController();
  pair.client.open({ kind, service: 'wiki', signal: cut.signal }).catch(() => undefined);
  const incoming = await arrivals.next();
  const served = serveStream(incoming, live, deps);
  await asked.promise;
  return { pair, live, incoming, served, written, flows, sockets, cut };
}

for (const kind of ['tcp', 'udp'] as const) {
  test(`QPT-9: a ${kind} stream that was held while its session ended opens nothing`, async () => {
    const { pair, live, served, written, flows, sockets } = await heldOpen(kind);
    pair.client.close('done');
    await pair.gateway.closed;
    live.ended();
    written.resolve();
    await served;
    assert.deepEqual([flows.length, sockets.length], [0, 0]);
  });

  test(`QPT-9: what was opened for a ${kind} stream whose client gave up is closed at once`, async () => {
    const { incoming, served, written, flows, sockets, cut, live } = await heldOpen(kind);
    cut.abort();
    await incoming.closed;
    written.resolve();
    await served;
    assert.equal(flows.length + sockets.length, 1);
    if (kind === 'udp') await flows[0]!.closed;
    else if (!sockets[0]!.closed) await once(sockets[0]!, 'close');
    live.ended();
  });
}
