/** What stands in for the origin where an engine hides it, shown on the wire. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { Arrivals } from '../../../protocol/arrivals.ts';
import type { Carrier } from '../../../protocol/carrier.ts';
import { mintTicket } from '../../../server/channel/tickets.ts';
import { quinn, startQuinn, ticketPath } from './support/engines.ts';
import { connectQuic } from './support/h3-client.ts';

const skip = 'missing' in quinn ? quinn.missing : false;
const origin = 'http://evil.example';
const refused = { code: 'refused' };

it('BR-6: quinn lets in whoever has a ticket, once, and nobody else', { skip }, async (t) => {
  // The client may have the answer before the server hands on the carrier.
  const carriers = new Arrivals<Carrier>();
  const server = await startQuinn((carrier) => carriers.push(carrier));
  t.after(() => server.stop());
  const { port, transport } = server;
  const path = ticketPath(transport);
  const first = await connectQuic(port, origin, { path });
  t.after(() => first.close());
  await carriers.next();
  const bad = {
    'the same ticket again': path,
    'no ticket': '/tunnel',
    'an empty ticket': '/tunnel/',
    'another path': `/other/${path.slice('/tunnel/'.length)}`,
    'a ticket in the query': `/tunnel/?${ticketPath(transport).slice('/tunnel/'.length)}`,
    'a good ticket with a query': `${ticketPath(transport)}?`.concat('a=1'),
    'a good ticket with more path': `${ticketPath(transport)}/`,
    'a ticket of another gateway': `/tunnel/${mintTicket(randomBytes(32), Date.now(), '')}`,
    'a ticket that has ended': `/tunnel/${mintTicket(transport.ticketKey, Date.now() - 3_600_000, '')}`,
  };
  for (const [what, wrong] of Object.entries(bad))
    await assert.rejects(connectQuic(port, origin, { path: wrong }), refused, what);
  assert.deepEqual(
    { ...transport.counters },
    { accepted: 1, refused: Object.keys(bad).length, dropped: 0, malformed: 0 },
  );
  carriers.end();
  assert.equal(await carriers.next(), null, 'a carrier for one that was refused');
});

it('BR-6: of 16 who come with one ticket at the same time exactly one is let in', { skip }, async (t) => {
  const server = await startQuinn(() => undefined);
  t.after(() => server.stop());
  const path = ticketPath(server.transport);
  const all = await Promise.allSettled(Array.from({ length: 16 }, () => connectQuic(server.port, origin, { path })));
  assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.equal(server.transport.counters.refused, 15);
});
