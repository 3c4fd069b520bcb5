/** SPIFFE for the world outside: the trust bundle, and SVIDs for devices and services. */
import { createRoute, z } from '@hono/zod-openapi';
import { storableField } from '../../channel/fields.ts';
import { bundleSchema, refreshHintS, writeBundle } from '../../spiffe/bundle.ts';
import type { Context } from '../context.ts';
import { issueForDevice, issueForService } from '../svids.ts';
import { publishedWitKeys } from '../wit-keys.ts';
import { routeTaking } from './admin-route.ts';
import { byDeviceKey, callerBy } from './guards.ts';
import type { CallerLimits } from './rate-limit.ts';
import { type ApiApp, actingFor, answers, takes } from './respond.ts';

const csr = z.string().max(4_096);
const svids = z
  .object({
    spiffeId: z.string(),
    x509Svid: z.string(),
    x509Expires: z.number(),
    witSvid: z.string(),
    witExpires: z.number(),
  })
  .openapi('Svids', { description: 'an X.509-SVID (PEM) and a WIT-SVID over one key; both take a proof of that key' });

/** For administrators whose duty is to issue. */
export function addSvids(app: ApiApp, context: Context): void {
  const asked = z.strictObject({ service: storableField(63), csr });
  app.openapi(routeTaking('post', '/admin/svids', asked, svids), async (exchange) => {
    const { service, csr } = exchange.req.valid('json');
    return exchange.json(await issueForService(actingFor(context, exchange), service, csr), 200);
  });
}

/** On the hub. */
export function addSpiffeApi(app: ApiApp, context: Context, { people }: CallerLimits): void {
  const bundle = createRoute({
    method: 'get',
    path: '/.well-known/latchkey/spiffe-bundle',
    responses: answers(bundleSchema, 'the keys that SVIDs of this trust domain are checked by (SPIFFE bundle format)'),
  });
  app.openapi(bundle, async (exchange) => {
    const { keys, sequence } = await publishedWitKeys(context);
    const caching = { 'cache-control': `public, max-age=${refreshHintS}` };
    return exchange.json(writeBundle(context.ca.certificate, keys, sequence), 200, caching);
  });

  const own = createRoute({
    method: 'post',
    path: '/api/svids',
    middleware: byDeviceKey(context),
    request: takes(z.strictObject({ csr })),
    responses: answers(svids, 'SVIDs of this device, over a key that this person holds'),
  });
  app.openapi(own, async (exchange) => {
    const who = callerBy(exchange);
    people.require(who.user);
    return exchange.json(await issueForDevice(actingFor(context, exchange), who, exchange.req.valid('json').csr), 200);
  });
}
