/** Tickets in the answer to a launch, for a gateway whose transport wants them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { unbase64url } from '../../../protocol/bytes.ts';
import { decodeSvid } from '../../../protocol/svid.ts';
import type { TunnelEndpoint } from '../../../server/channel/messages.ts';
import { TicketGate } from '../../../server/channel/tickets.ts';
import { Browser } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken } from './far-gateway.ts';
import { Installation } from './installation.ts';

const base = 'https://127.0.0.1:8700/tunnel/';

describe('a gateway that wants tickets', () => {
  const key = randomBytes(32);
  let installation: Installation;
  let gateway: FarGateway;
  let admin: Browser;
  before(async () => {
    installation = await new Installation().start({ gateway: supervisorToken });
    gateway = await gatewayWithSite(installation, key);
    await installation.admin('POST', '/admin/services', { name: 'wiki', url: 'http://10.7.0.5/wiki' });
    admin = new Browser(installation);
    await admin.enrol((await installation.admin('POST', '/admin/enrolments/first', {})).body.url);
  });
  after(async () => {
    gateway?.channel.close();
    await installation?.stop();
    installation?.remove();
  });

  it('BR-6: a launch and a renewal bring a few tickets each, all different, in the path of the WebTransport URL', async () => {
    const { answer, session } = await admin.launch('wiki');
    const { serial } = decodeSvid(unbase64url(answer.body.svid));
    const renewed = await admin.renew(await admin.prepareRenewal(session, serial));
    const both = [answer, renewed].flatMap(({ body }) => ticketsOf(body.endpoints));
    assert.equal(new Set(both).size, 8);
    const gate = new TicketGate(key, () => installation.clock.now());
    for (const ticket of both) assert.equal(gate.spend(ticket)?.address, '127.0.0.1');
    // The way that needs none stays last.
    assert.deepEqual(answer.body.endpoints.slice(4), gateway.endpoints.slice(1));
  });

  it('BR-6: tickets and their key are in no header, no file and no event', async () => {
    const { answer } = await admin.launch('wiki');
    const page = await installation.browse(installation.shell, { path: '/nothing.js' });
    const kept = files(installation.config.data).map((file) => readFileSync(file, 'latin1'));
    const text = [JSON.stringify(page.headers), JSON.stringify(await installation.events('launch')), ...kept].join(
      '\n',
    );
    assert.ok(text.includes(base), 'the endpoint itself is kept');
    for (const secret of [...ticketsOf(answer.body.endpoints), key.toString('base64url'), key.toString('latin1')])
      assert.ok(!text.includes(secret));
  });
});

function ticketsOf(endpoints: readonly TunnelEndpoint[]): string[] {
  return endpoints
    .filter(({ transport }) => transport === 'webtransport')
    .map(({ url }) => {
      assert.ok(url.startsWith(base));
      return url.slice(base.length);
    });
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
