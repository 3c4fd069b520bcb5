/** Guests who come in by links, many at once: one transaction each, on the disk before they are told. */
import { createHmac } from 'node:crypto';
import { unbase64url } from '../../../protocol/bytes.ts';
import { postureMessage } from '../../../protocol/challenges.ts';
import { enterKiosk } from '../../../server/control/guests.ts';
import { createLink } from '../../../server/control/links.ts';
import { Installation } from '../../server/control/installation.ts';

const [guests, atOnce] = [400, 32];

export async function redeemPerSecond(): Promise<number> {
  const installation = await new Installation().start();
  const { context, desk } = installation.control;
  try {
    await context.store
      .insertInto('services')
      .values({
        ...{
          name: 'wiki',
          title: 'wiki',
          url: 'http://10.7.0.5',
          scheme: 'http',
          address: '10.7.0.5',
          port: 80,
          path: '/',
        },
        ...{ upstream_host: '10.7.0.5', wireguard_key: 'x', demo: 0, inner_tls: 0, created_at: 1, suspended_at: null },
        ...{ host: 'public', cors_from: '[]', namespace: 'default', labels: '[]' },
      })
      .execute();
    const terms = { services: ['wiki'], ttlS: 3_600, uses: 10_000, kiosk: true, readOnly: false, approval: false };
    const { url } = await createLink(context, { ...terms, hours: [], zone: 'UTC' });
    const [link = '', secret = ''] = new URL(url).hash.slice(1).split('.');
    const statement = Buffer.from(JSON.stringify({ v: 1, time: installation.clock.now(), signals: [] }));
    const mac = createHmac('sha256', unbase64url(secret)).update(postureMessage(statement)).digest();
    const posture = { statement: new Uint8Array(statement), signature: new Uint8Array(mac) };
    let left = guests;
    const comeIn = async () => {
      while (left-- > 0) await enterKiosk(context, desk.knocks, { link, secret }, posture);
    };
    const begun = performance.now();
    await Promise.all(Array.from({ length: atOnce }, comeIn));
    return guests / ((performance.now() - begun) / 1_000);
  } finally {
    await installation.stop();
    installation.remove();
  }
}
