/** What a revocation cuts at the gateway, and what it writes down of it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encodeRequestHead } from '../../../protocol/exchange/http.ts';
import { amrBit } from '../../../protocol/svid.ts';
import type { LinkRecord } from '../../../server/channel/snapshot-content.ts';
import { fetchThrough } from './world/exchange.ts';
import { World } from './world/world.ts';

const link: LinkRecord = {
  ...{ id: 'a'.repeat(24), services: ['wiki'], expiresAt: Date.now() + 3_600_000, maxUses: 2 },
  ...{ readOnly: true, kiosk: true, hours: [], zone: 'UTC' },
};
const guest = (use: number) => ({
  svid: { spiffeId: `spiffe://latchkey.local/guest/${link.id}/${use}`, amr: amrBit.guestLink },
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
  await world.publish({ ...world.content([{}]), links: [link] });
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

test('QPT-3: a revoked link cuts the download of its guest, at a byte that is written down', async () => {
  const session = await world.client(guest(2));
  const stays = await world.client();
  const stream = await session.open({ kind: 'http', service: 'wiki' });
  await stream.write(encodeRequestHead({ method: 'GET', target: '/endless', headers: [] }));
  await stream.finish();
  let received = 0;
  const read = async () => {
    const chunk = await stream.read();
    received += chunk?.length ?? 0;
    return chunk;
  };
  while (received < 100_000) await read();
  await world.authority.revoke([{ kind: 'link', id: new TextEncoder().encode(link.id) }], 9n);
  const cutOff = (async () => {
    while ((await read()) !== null);
  })();
  await assert.rejects(cutOff, { code: 'session_closed' });
  assert.equal((await session.closed).code, 'revoked');
  const cut = await world.authority.event(({ type }) => type === 'stream.cut');
  const { kind, sent, stream: id } = cut.detail as { kind: string; sent: number; stream: string };
  assert.deepEqual(
    [cut.actor, cut.reason, cut.policies, kind, id],
    [guest(2).svid.spiffeId, 'revoked', ['revocation'], 'http', String(stream.id)],
  );
  assert.ok(sent >= received && received >= 100_000, `sent ${sent}, received ${received}`);
  await assert.rejects(world.client(guest(1)));
  assert.equal((await fetchThrough(stays, '/x')).status, 200);
  stays.close('done');
});
