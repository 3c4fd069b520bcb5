/** What a revocation cuts at the gateway, and what it writes down of it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encodeRequestHead } from '../../../protocol/exchange/http.ts';
import type { Revocation } from '../../../protocol/revocation.ts';
import type { Session } from '../../../protocol/session.ts';
import { amrBit } from '../../../protocol/svid.ts';
import type { LinkRecord } from '../../../server/channel/snapshot-content.ts';
import { fetchThrough } from './world/exchange.ts';
import { World } from './world/world.ts';

const link: LinkRecord = {
  ...{ id: 'a'.repeat(24), services: ['wiki'], expiresAt: Date.now() + 3_600_000, maxUses: 2 },
  ...{ readOnly: true, kiosk: true, hours: [], zone: 'UTC' },
};
const other = { ...link, id: 'b'.repeat(24) };
const guest = (use: number, { id } = link) => ({
  svid: { spiffeId: `spiffe://latchkey.local/guest/${id}/${use}`, amr: amrBit.guestLink },
});

let world: World;
before(async () => {
  world = await World.open((request, response) => {
    if (request.url !== '/endless') return response.end('hello');
    // As fast as it is read, and no faster.
    const more = () => {
      while (response.write(Buffer.alloc(16_384, 1)));
    };
    response.on('drain', more);
    more();
  });
  await world.publish({ ...world.content([{}]), links: [link, other] });
});
after(() => world.close());

test('BR-3: a guest’s session reads where the link says so, and the audit says which rule stopped the rest', async () => {
  const session = await world.client(guest(1));
  assert.equal((await fetchThrough(session, '/x')).status, 200);
  await assert.rejects(fetchThrough(session, '/x', { method: 'POST', body: new Uint8Array(1) }));
  const event = await world.authority.event(({ type, decision }) => type === 'http.request' && decision === 'deny');
  assert.deepEqual([event.actor, event.policies], [guest(1).svid.spiffeId, ['link-read-only-request']]);
  await assert.rejects(session.open({ kind: 'websocket', service: 'wiki' }), { code: 'denied' });
  session.close('done');
});

test('BR-3: a use that the link does not have opens nothing', async () => {
  const session = await world.client(guest(3));
  assert.equal((await session.closed).code, 'denied');
});

/** A download without end, of which some has come. @returns how much came, and its end */
async function endless(session: Session) {
  const stream = await session.open({ kind: 'http', service: 'wiki' });
  await stream.write(encodeRequestHead({ method: 'GET', target: '/endless', headers: [] }));
  await stream.finish();
  const got = { stream: String(stream.id), received: 0 };
  const read = async () => {
    const chunk = await stream.read();
    got.received += chunk?.length ?? 0;
    return chunk;
  };
  while (got.received < 100_000) await read();
  const cutOff = async () => {
    while ((await read()) !== null);
  };
  return { got, cutOff };
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const serial = new Uint8Array(16).fill(7);
const ada = (device: string) => ({ spiffeId: `spiffe://latchkey.local/user/ada/device/${device}` });
type Kind = Revocation['revoked'][number]['kind'];
/** In this order, because each takes the place of the one before: whom it means nobody needs afterwards. */
const kinds: readonly [kind: Kind, id: Uint8Array, svid: { spiffeId: string; serial?: Uint8Array; amr?: number }][] = [
  ['session', serial, { ...ada('first'), serial }],
  ['device', utf8('second'), ada('second')],
  ['link', utf8(link.id), guest(2).svid],
  ['user', utf8('ada'), ada('third')],
  ['service', utf8('wiki'), guest(1, other).svid],
];
for (const [index, [kind, id, svid]] of kinds.entries())
  test(`QPT-3: a revoked ${kind} cuts the download that is open, at a byte that is written down, and opens nothing more`, async () => {
    const session = await world.client({ svid });
    // Whom this revocation does not mean; a service is open to nobody.
    const stays = kind === 'service' ? undefined : await world.client(kind === 'link' ? {} : guest(1, other));
    const { got, cutOff } = await endless(session);
    const before = new Set(world.authority.events.map((event) => event.id));
    await world.authority.revoke([{ kind, id }], BigInt(index + 2));
    await assert.rejects(cutOff(), { code: 'session_closed' });
    assert.equal((await session.closed).code, 'revoked');
    const cut = await world.authority.event((event) => event.type === 'stream.cut' && !before.has(event.id));
    const { sent, stream, kind: carried } = cut.detail as { sent: number; stream: string; kind: string };
    assert.deepEqual(
      [cut.actor, cut.reason, cut.policies, carried, stream],
      [svid.spiffeId, 'revoked', ['revocation'], 'http', got.stream],
    );
    assert.ok(sent >= got.received && got.received >= 100_000, `sent ${sent}, received ${got.received}`);
    await assert.rejects(world.client({ svid }));
    if (stays === undefined) return;
    assert.equal((await fetchThrough(stays, '/x')).status, 200);
    stays.close('done');
  });
