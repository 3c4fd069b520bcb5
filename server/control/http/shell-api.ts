/** The shell origin's API: renewal by the session key, and what its pages cannot know of the installation. */
import { createRoute } from '@hono/zod-openapi';
import { origins } from '../../config.ts';
import type { ChannelDesk } from '../channel-desk.ts';
import type { Context } from '../context.ts';
import { renew } from '../renewal.ts';
import { encodeBytes } from './bytes-field.ts';
import type { CallerLimits } from './rate-limit.ts';
import { type ApiApp, answers, callerOf, takes } from './respond.ts';
import * as schemas from './schemas.ts';

/** Adds the shell's routes. */
export function addShellApi(app: ApiApp, context: Context, desk: ChannelDesk, limits: CallerLimits): void {
  const renewal = createRoute({
    method: 'post',
    path: '/api/renew',
    request: takes(schemas.renewRequest),
    responses: answers(schemas.launchAnswer, 'the next credential of this session key'),
  });
  app.openapi(renewal, async (exchange) => {
    const offer = () => desk.gateways.offer(callerOf(exchange));
    const proof = exchange.req.valid('json');
    const answer = await limits.strangers.countingRefusals(callerOf(exchange), () =>
      renew(context, desk.policy, offer, proof, (who) => limits.people.require(who.user)),
    );
    return exchange.json(encodeBytes(answer), 200);
  });

  addInstallation(app, context);
}

/** For hub and shell alike: the bundle is the same for every installation. */
export function addInstallation(app: ApiApp, context: Context): void {
  const installation = createRoute({
    method: 'get',
    path: '/api/installation',
    responses: answers(schemas.installation, 'the origin of the hub, and whom people ask'),
  });
  app.openapi(installation, (exchange) => exchange.json(installationOf(context), 200));
}

export function installationOf({ config }: Context): { hub: string; contact: string } {
  return { hub: origins.hub(config), contact: config.contact };
}
