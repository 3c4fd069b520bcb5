/** The admin API of WireGuard: the gateway's peers, those of before, and its own key. */
import { createRoute } from '@hono/zod-openapi';
import { listArchivedPeers } from '../archived-peers.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { addPeer, listPeers, removePeer } from '../peers.ts';
import { named, route, routeTaking } from './admin-route.ts';
import * as shapes from './admin-schemas.ts';
import { type ApiApp, actingFor } from './respond.ts';

export function addPeers(app: ApiApp, context: Context, desk: ChannelDesk): void {
  app.openapi(route('get', '/admin/peers', shapes.peers), async (exchange) =>
    exchange.json({ peers: await listPeers(context) }, 200),
  );
  app.openapi(route('get', '/admin/archived-peers', shapes.archivedPeers), async (exchange) =>
    exchange.json({ peers: await listArchivedPeers(context) }, 200),
  );
  app.openapi(routeTaking('post', '/admin/peers', shapes.newPeer, shapes.peer), async (exchange) => {
    const added = await addPeer(actingFor(context, exchange), exchange.req.valid('json'));
    // The key first: a gateway that learns of a peer without it would fail its handshakes.
    await desk.gateways.tellPresharedKeys();
    await desk.policy.reload();
    return exchange.json(added, 200);
  });
  const request = { ...named, query: shapes.reason };
  const remove = { ...route('delete', '/admin/peers/{name}', shapes.done), request };
  app.openapi(createRoute(remove), async (exchange) => {
    await removePeer(
      actingFor(context, exchange),
      exchange.req.valid('param').name,
      exchange.req.valid('query').reason,
    );
    await desk.policy.reload();
    await desk.gateways.tellPresharedKeys();
    return exchange.json({}, 200);
  });
  app.openapi(route('get', '/admin/wireguard', shapes.wireguard), async (exchange) => {
    const gateway = desk.gateways.wireguardPeer();
    const own = gateway && { publicKey: gateway.publicKey, port: Number(gateway.endpoint.split(':').at(-1)) };
    const report = await desk.wireguard.report();
    const live = new Map(report?.peers.map(({ publicKey, ...rest }) => [publicKey, rest]));
    const peers = (await listPeers(context)).map((peer) => {
      const known = live.get(peer.publicKey);
      return known === undefined ? peer : { ...peer, live: known };
    });
    return exchange.json({ ...own, ...(report?.retiring && { retiring: report.retiring }), peers }, 200);
  });
  app.openapi(routeTaking('post', '/admin/wireguard/key', shapes.rotation, shapes.rotated), async (exchange) =>
    exchange.json(await desk.wireguard.rotate(exchange.req.valid('json')), 200),
  );
}
