/**
 * The admin API: served on a Unix socket that only the owner of the data folder may open, which is its authentication.
 * `latchkey service|user|device|link|wg|policy …` are its clients.
 */
import { createRoute, z } from '@hono/zod-openapi';
import { base64url } from '../../../protocol/bytes.ts';
import { probeReportSchema } from '../../channel/probe-report.ts';
import { origins } from '../../config.ts';
import { changeRole, rolesOf } from '../admin-roles.ts';
import { countEvents } from '../audit-query.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import { newConnectorToken } from '../connector-tokens.ts';
import type { Context } from '../context.ts';
import { metricsType } from '../metrics.ts';
import { inviteFirstAdmin, inviteToEnrol, newPerson } from '../people.ts';
import { listPeople } from '../people-list.ts';
import { addService, changeService, countDefined, listServices, removeService } from '../services.ts';
import { addDevices } from './admin-devices.ts';
import { addFederations } from './admin-federations.ts';
import { addKnocks, addLinks } from './admin-links.ts';
import { addPeers } from './admin-peers.ts';
import { addPolicies } from './admin-policies.ts';
import { named, route, routeTaking } from './admin-route.ts';
import * as shapes from './admin-schemas.ts';
import { addSessions } from './admin-sessions.ts';
import { addAudit, addTrust } from './admin-trust.ts';
import { addChanges } from './change-api.ts';
import { type ApiApp, actingFor, newApi, takes } from './respond.ts';
import { addSvids } from './spiffe-api.ts';

export function adminApp(context: Context, desk: ChannelDesk): ApiApp {
  const app = newApi(context);
  addAdminRoutes(app, context, desk);
  app.doc31('/api/openapi.json', { openapi: '3.1.0', info: { title: 'Latchkey admin', version: '1' } });
  return app;
}

/** The same addresses for the owner of the data folder and, behind admin-door.ts, for administrators' pages. */
export function addAdminRoutes(app: ApiApp, context: Context, desk: ChannelDesk): void {
  addServices(app, context, desk);
  addPeers(app, context, desk);
  addConnectors(app, context, desk);
  addPeople(app, context, desk);
  addPolicies(app, context, desk);
  addChanges(app, context);
  addDevices(app, context, desk);
  addSessions(app, context, desk);
  addLinks(app, context, desk);
  addKnocks(app, context, desk);
  addInsight(app, context, desk);
  addTrust(app, context);
  addAudit(app, context, desk);
  addSvids(app, context);
  addFederations(app, context, desk);
  app.get('/admin/metrics', async (exchange) =>
    exchange.body(await desk.metrics.text(), 200, { 'content-type': metricsType }),
  );
}

function addServices(app: ApiApp, context: Context, desk: ChannelDesk): void {
  const list = { ...route('get', '/admin/services', shapes.services), request: { query: shapes.page } };
  app.openapi(createRoute(list), async (exchange) =>
    exchange.json(await listServices(context, exchange.req.valid('query')), 200),
  );
  app.openapi(routeTaking('post', '/admin/services', shapes.newService, shapes.service), async (exchange) => {
    const added = await addService(actingFor(context, exchange), exchange.req.valid('json'));
    await desk.policy.reload();
    return exchange.json(added, 200);
  });
  const change = {
    ...route('patch', '/admin/services/{name}', shapes.service),
    request: { ...named, ...takes(shapes.serviceSettings) },
  };
  app.openapi(createRoute(change), async (exchange) => {
    const settings = exchange.req.valid('json');
    const changed = await changeService(actingFor(context, exchange), exchange.req.valid('param').name, settings);
    await desk.policy.reload();
    // The names in their certificates have the namespace in them: connectors come again for new ones.
    if (settings.namespace !== undefined) desk.connectors.reconnectBefore(context.clock.now() + 1);
    return exchange.json(changed, 200);
  });
  const probe = { ...route('post', '/admin/services/{name}/probe', probeReportSchema), request: named };
  app.openapi(createRoute(probe), async (exchange) =>
    exchange.json(await desk.probes.probe(exchange.req.valid('param').name), 200),
  );
  const remove = { ...route('delete', '/admin/services/{name}', shapes.done), request: named };
  app.openapi(createRoute(remove), async (exchange) => {
    await removeService(actingFor(context, exchange), exchange.req.valid('param').name);
    await desk.policy.reload();
    return exchange.json({}, 200);
  });
}

function addConnectors(app: ApiApp, context: Context, desk: ChannelDesk): void {
  app.openapi(route('get', '/admin/connectors', shapes.connectors), async (exchange) =>
    exchange.json({ connectors: await desk.connectors.list() }, 200),
  );
  app.openapi(
    routeTaking('post', '/admin/connectors', shapes.newConnector, shapes.connectorToken),
    async (exchange) => {
      const wanted = exchange.req.valid('json');
      const token = await newConnectorToken(actingFor(context, exchange), wanted, desk.port);
      await desk.connectors.comeAgain(wanted.name);
      return exchange.json(token, 200);
    },
  );
}

function addPeople(app: ApiApp, context: Context, desk: ChannelDesk): void {
  app.openapi(routeTaking('post', '/admin/enrolments', shapes.newEnrolment, shapes.enrolment), async (exchange) => {
    const link = await inviteToEnrol(actingFor(context, exchange), exchange.req.valid('json'));
    await desk.policy.reload();
    return exchange.json(link, 200);
  });
  app.openapi(route('post', '/admin/enrolments/first', shapes.firstEnrolment), async (exchange) => {
    const link = await inviteFirstAdmin(actingFor(context, exchange));
    await desk.policy.reload();
    return exchange.json(link ?? { url: null }, 200);
  });
  const list = { ...route('get', '/admin/users', shapes.users), request: { query: shapes.page } };
  app.openapi(createRoute(list), async (exchange) => {
    const { users, total } = await listPeople(context, exchange.req.valid('query'));
    const who = exchange.get('who');
    // Whoever writes policies needs to know who there is, and not why somebody was taken out.
    const isAll = who === undefined || (await rolesOf(context, who.user)).includes('manager');
    const shown = isAll ? users : users.map(({ reason: _, ...person }) => person);
    return exchange.json({ users: shown, total }, 200);
  });
  app.openapi(routeTaking('post', '/admin/roles', shapes.roleChange, shapes.done), async (exchange) => {
    const { user, role, held } = exchange.req.valid('json');
    await changeRole(actingFor(context, exchange), user, role, held);
    return exchange.json({}, 200);
  });
  app.openapi(
    routeTaking('post', '/admin/users', shapes.newUser, z.object({ id: z.string(), name: z.string() })),
    async (exchange) => {
      const { id, name } = await newPerson(actingFor(context, exchange), exchange.req.valid('json'));
      await desk.policy.reload();
      return exchange.json({ id, name }, 200);
    },
  );
  const request = { ...named, query: shapes.reason };
  const removeUser = { ...route('delete', '/admin/users/{name}', shapes.done), request };
  app.openapi(createRoute(removeUser), async (exchange) => {
    await desk.revocations
      .by(actingFor(context, exchange))
      .user(exchange.req.valid('param').name, exchange.req.valid('query').reason);
    await desk.policy.reload();
    return exchange.json({}, 200);
  });
}

function addInsight(app: ApiApp, context: Context, desk: ChannelDesk): void {
  app.openapi(route('get', '/admin/status', shapes.status), async (exchange) => {
    const status = {
      hub: `${origins.hub(context.config)}/`,
      fingerprint: base64url(context.pki.fingerprint),
      services: await countDefined(context),
      events: await countEvents(context),
      policyEpoch: desk.policy.epoch,
      gateway: desk.gateways.tunnelUrls().length > 0,
    };
    return exchange.json(status, 200);
  });
}
