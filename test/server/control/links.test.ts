/** One-click links: what they grant, to whom, how often, and for how long. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { base64url, unbase64url } from '../../../protocol/bytes.ts';
import { decodeSvid } from '../../../protocol/svid.ts';
import { takeUse } from '../../../server/control/links.ts';
import { nodeCrypto } from '../../../server/crypto/node-crypto.ts';
import { seededRandom } from '../../protocol/session/seeded-random.ts';
import { Browser } from './browser.ts';
import { type FarGateway, gatewayWithSite, supervisorToken } from './far-gateway.ts';
import { bind, KioskGuest } from './guest.ts';
import { Installation } from './installation.ts';

describe('one-click links', () => {
  let installation: Installation;
  let gateway: FarGateway;
  before(async () => {
    installation = await new Installation().start({ gateway: supervisorToken });
    gateway = await gatewayWithSite(installation);
    for (const name of ['wiki', 'ledger', 'terminal']) {
      const url = name === 'terminal' ? 'ssh://10.7.0.6' : `http://10.7.0.5/${name}`;
      await installation.admin('POST', '/admin/services', { name, url });
    }
  });
  // Nobody is slowed down by what the tests before did. The gateway takes so long a silence for an end and comes again.
  beforeEach(async () => {
    gateway.heard.length = 0;
    installation.clock.advance(60_000);
    await gateway.next('snapshot');
  });
  after(async () => {
    gateway.channel.close();
    await installation.stop();
    installation.remove();
  });

  const create = async (more: object = {}) => {
    const wanted = { services: ['wiki'], ttlS: 3_600, uses: 1, ...more };
    const { status, body } = await installation.admin('POST', '/admin/links', wanted);
    assert.equal(status, 200, JSON.stringify(body));
    return body as { url: string; link: { id: string } };
  };
  const kiosk = async (more: object = {}) => new KioskGuest(installation, (await create({ kiosk: true, ...more })).url);
  const error = ({ status, body }: { status: number; body: { error?: string } }) => [status, body.error];
  const lastEvent = async (type: string) => (await installation.events(type)).at(-1);

  test('BR-3: are made in one call, keep their secret to themselves, and say what they are for before they are used', async () => {
    const { url, link } = await create({ services: ['wiki', 'ledger'], readOnly: true, recipient: 'Mia@example.org' });
    const guest = new KioskGuest(installation, url);
    assert.match(url, /^http:\/\/hub\.localhost:8700\/link#[0-9a-f]{24}\.[\w-]{43}\.[\w-]{43}$/);
    const shown = [
      await installation.admin('GET', '/admin/links'),
      await installation.admin('GET', `/admin/links/${link.id}`),
    ];
    const events = JSON.stringify(await installation.events('link.change'));
    for (const text of [...shown.map((answer) => answer.text), events, installation.logged.join('')])
      assert.equal(text.includes(guest.secret), false);
    const { body } = await guest.preview();
    assert.deepEqual(
      [body.services.map((one: { name: string }) => one.name).sort(), body.readOnly, body.recipient, body.kiosk],
      [['ledger', 'wiki'], true, true, false],
    );
    // Whom it is for, only the guest knows.
    assert.equal(JSON.stringify(body).includes('example.org'), false);
    assert.equal((await installation.admin('GET', `/admin/links/${link.id}`)).body.used, 0);
  });

  test('QPT-9: terms that make no sense are refused and nothing is made', async () => {
    const count = async () => (await installation.admin('GET', '/admin/links')).body.links.length;
    const had = await count();
    const table: [object, string][] = [
      [{ services: [] }, 'link_malformed'],
      [{ services: ['nothing'] }, 'service_unknown'],
      [{ services: ["wiki'; DROP TABLE links; --"] }, 'service_unknown'],
      [{ ttlS: 0 }, 'link_malformed'],
      [{ ttlS: 1.5 }, 'link_malformed'],
      [{ ttlS: 400 * 86_400 }, 'link_malformed'],
      [{ uses: 0 }, 'link_malformed'],
      [{ uses: 10_001 }, 'link_malformed'],
      [{ hours: ['8-18'] }, 'link_malformed'],
      [{ hours: ['08:00-24:00'] }, 'link_malformed'],
      [{ hours: ['08:00-08:00'] }, 'link_malformed'],
      [{ zone: 'Moon/Base' }, 'link_malformed'],
      [{ recipient: 'mia' }, 'link_malformed'],
      [{ recipient: 'mia@example.org\r\nbcc: x@example.org' }, 'link_malformed'],
      [{ kiosk: 'yes' }, 'malformed'],
    ];
    for (const [more, code] of table) {
      const wanted = { services: ['wiki'], ttlS: 60, uses: 1, ...more };
      assert.equal((await installation.admin('POST', '/admin/links', wanted)).body.error, code, JSON.stringify(more));
    }
    assert.equal(await count(), had);
  });

  test('BR-3: at a kiosk the link alone opens its services, and nothing else', async () => {
    const guest = await kiosk();
    const entered = await guest.enter();
    assert.equal(entered.status, 200);
    assert.deepEqual(
      entered.body.services.map((one: { name: string }) => one.name),
      ['wiki'],
    );
    assert.match(entered.headers['set-cookie']?.[0] ?? '', /HttpOnly; SameSite=Strict$/);
    const { answer, session } = await guest.launch('wiki');
    assert.equal(answer.status, 200, answer.text);
    const svid = decodeSvid(unbase64url(answer.body.svid));
    assert.deepEqual(
      [svid.spiffeId, svid.amr, svid.service, Buffer.from(svid.sessionPublicKey).equals(session.publicKey)],
      [`spiffe://latchkey.local/guest/${guest.link}/1`, 16, 'wiki', true],
    );
    assert.deepEqual((await lastEvent('launch')).policies, ['link-grant']);
    assert.deepEqual(error((await guest.launch('ledger')).answer), [403, 'denied']);
    assert.deepEqual((await lastEvent('launch')).policies, ['link-scope']);
  });

  test('QHX-3: a guest’s cookie without the secret opens nothing, and the secret without the cookie neither', async () => {
    const guest = await kiosk();
    await guest.enter();
    const other = await kiosk();
    assert.deepEqual(error((await guest.launch('wiki', other.secret)).answer), [401, 'unauthenticated']);
    guest.cookie = undefined;
    assert.deepEqual(error((await guest.launch('wiki')).answer), [401, 'unauthenticated']);
    const stranger = new KioskGuest(installation, `http://hub/#${guest.link}.${'A'.repeat(43)}.x`);
    assert.deepEqual(error(await stranger.preview()), [404, 'link_unknown']);
    assert.deepEqual(error(await stranger.enter()), [404, 'link_unknown']);
  });

  test('BR-3: a link that is used up, expired or revoked says so to its guests alone', async () => {
    const used = await kiosk();
    assert.equal((await used.enter()).status, 200);
    assert.deepEqual(error(await used.enter()), [410, 'link_used']);
    assert.deepEqual(error(await used.preview()), [410, 'link_used']);
    const revoked = await kiosk();
    await installation.admin('DELETE', `/admin/links/${revoked.link}?reason=sent%20to%20the%20wrong%20person`);
    assert.deepEqual(error(await revoked.enter()), [410, 'link_revoked']);
    // Never deleted: who asks later is told why.
    const kept = (await installation.admin('GET', `/admin/links/${revoked.link}`)).body;
    assert.deepEqual([kept.state, kept.reason], ['revoked', 'sent to the wrong person']);
    const expired = await kiosk({ ttlS: 30 });
    installation.clock.leap(30_000);
    assert.deepEqual(error(await expired.enter()), [410, 'link_expired']);
    const refusals = (await installation.events('link.redeem')).filter(({ decision }) => decision === 'deny');
    assert.deepEqual(
      refusals.slice(-2).map(({ reason, subject }) => [reason, subject]),
      [
        ['link_revoked', revoked.link],
        ['link_expired', expired.link],
      ],
    );
  });

  test('BR-3: a guest who is in has to leave when the link ends', async () => {
    const guest = await kiosk({ ttlS: 120 });
    await guest.enter();
    const { answer } = await guest.launch('wiki');
    assert.equal(answer.body.expires, installation.clock.now() + 120_000);
    installation.clock.leap(120_000);
    assert.deepEqual(error((await guest.launch('wiki')).answer), [401, 'unauthenticated']);
  });

  test('BR-3: hours: in them a guest may open services until they end, outside them none', async () => {
    const at = (hour: number) => {
      const day = 86_400_000;
      const start = Math.ceil(installation.clock.now() / day) * day;
      installation.clock.leap(start + hour * 3_600_000 - installation.clock.now());
    };
    const guest = await kiosk({ ttlS: 7 * 86_400, hours: ['08:00-09:00'], zone: 'UTC' });
    at(7);
    await guest.enter();
    assert.deepEqual(error((await guest.launch('wiki')).answer), [403, 'denied']);
    assert.deepEqual((await lastEvent('launch')).policies, ['link-hours']);
    installation.clock.leap(3_600_000 + 55 * 60_000);
    const { answer } = await guest.launch('wiki');
    assert.deepEqual([answer.status, answer.body.launchLeaseEnds], [200, installation.clock.now() + 5 * 60_000]);
  });

  test('BR-3: a link for one e-mail address wants to hear it', async () => {
    const guest = await kiosk({ recipient: 'Mia@Example.org' });
    assert.deepEqual(error(await guest.enter()), [403, 'link_recipient']);
    assert.deepEqual(error(await guest.enter({ recipient: 'leo@example.org' })), [403, 'link_recipient']);
    assert.equal((await guest.enter({ recipient: ' mia@example.ORG' })).status, 200);
  });

  test('BR-3: the first use binds the link to a passkey, which signs in again while the link lasts', async () => {
    const { url, link } = await create({ services: ['wiki', 'ledger'] });
    const guest = new Browser(installation);
    assert.equal((await bind(guest, url)).status, 200);
    const names = async () => (await guest.get('/api/services')).body.services.map((one: { name: string }) => one.name);
    assert.deepEqual((await names()).sort(), ['ledger', 'wiki']);
    const { answer } = await guest.launch('wiki');
    const svid = decodeSvid(unbase64url(answer.body.svid));
    assert.deepEqual([svid.spiffeId, svid.amr], [`spiffe://latchkey.local/guest/${link.id}/1`, 1 | 2 | 16]);
    assert.deepEqual(error(await bind(new Browser(installation), url)), [410, 'link_used']);
    assert.equal((await guest.login()).status, 200);
    installation.clock.leap(3_600_000);
    assert.deepEqual(error(await guest.beginLogin()), [404, 'device_unknown']);
    // A guest is nobody's colleague: people do not see them among themselves.
    const { body } = await installation.admin('GET', '/admin/users');
    assert.deepEqual(body.users, []);
  });

  test('BR-9: an app’s origin orders its wipe for the ticket of a kiosk’s visit to it, and for no other', async () => {
    const guest = await kiosk({ services: ['wiki', 'ledger'] });
    const { body } = await guest.enter();
    assert.equal(body.idleS, 300);
    const { wipe } = (await guest.launch('wiki')).answer.body;
    assert.match(wipe, /^[\w-]{43}$/);
    const ask = (label: string, ticket: string) =>
      installation.browse(installation.app(label), { path: `/.latchkey/wipe/${ticket}` });
    const ordered = await ask('wiki', wipe);
    assert.deepEqual([ordered.status, ordered.headers['clear-site-data']], [200, '"cache", "storage"']);
    assert.equal((await ask('wiki', wipe)).status, 200, 'a page that is loaded again');
    // Of whoever stays nothing is wiped, whatever is asked.
    const resident = new Browser(installation);
    await bind(resident, (await create({})).url);
    const launched = await resident.launch('wiki');
    assert.equal(launched.answer.body.wipe, undefined);
    const theirs = base64url(nodeCrypto.sha256(launched.session.publicKey));
    for (const [label, ticket] of [
      ['ledger', wipe],
      ['wiki', theirs],
      ['wiki', 'A'.repeat(43)],
      ['wiki', 'short'],
      ['wiki', `${wipe}x`],
    ]) {
      const refused = await ask(label ?? '', ticket ?? '');
      assert.deepEqual([refused.status, refused.headers['clear-site-data']], [404, undefined], `${label} ${ticket}`);
    }
    const wiped = (await installation.events('logout')).filter(({ detail }) => detail?.operation === 'browser.wipe');
    assert.deepEqual(
      wiped.map(({ actor, service }) => [actor, service]),
      [[`spiffe://latchkey.local/guest/${guest.link}/1`, 'wiki']],
    );
  });

  test('BR-3: a link that makes a passkey opens no kiosk, and a kiosk’s makes no passkey', async () => {
    const forPasskey = new KioskGuest(installation, (await create()).url);
    assert.deepEqual(error(await forPasskey.enter()), [404, 'link_unknown']);
    assert.deepEqual(error(await bind(new Browser(installation), (await create({ kiosk: true })).url)), [
      404,
      'link_unknown',
    ]);
  });

  describe('approval by a live knock', () => {
    const knock = async (guest: KioskGuest, name = 'Mia') =>
      (await guest.post('/api/link/knock', { ...guest.key, name })).body as { id: string; key: string; code: string };

    test('BR-3: the guest waits, the administrator sees who it is and lets them in, once', async () => {
      const guest = await kiosk({ approval: true, uses: 5 });
      assert.deepEqual(error(await guest.enter()), [403, 'knock_needed']);
      const knocked = await knock(guest);
      const { body } = await installation.admin('GET', '/admin/knocks');
      assert.deepEqual(
        body.knocks.map((one: { id: string; code: string; name: string }) => [one.id, one.code, one.name]),
        [[knocked.id, knocked.code, 'Mia']],
      );
      const key = { id: knocked.id, key: knocked.key };
      const states = waitAtDoor(installation, key);
      assert.equal(await states.next(), 'waiting');
      assert.deepEqual(error(await guest.enter({ knock: key })), [403, 'knock_needed']);
      await installation.admin('POST', `/admin/knocks/${knocked.id}/approve`, {});
      assert.equal(await states.next(), 'approved');
      assert.equal((await guest.enter({ knock: key })).status, 200);
      assert.deepEqual(error(await guest.enter({ knock: key })), [403, 'knock_needed']);
      const operations = (await installation.events('link.knock')).slice(-2).map(({ detail }) => detail.operation);
      assert.deepEqual(operations, ['link.knock', 'link.approve']);
    });

    test('BR-3: a guest who is refused, or whose knock is somebody else’s, stays outside', async () => {
      const guest = await kiosk({ approval: true });
      const { code, ...key } = await knock(guest);
      assert.match(code, /^\d{4}$/);
      await installation.admin('POST', `/admin/knocks/${key.id}/refuse`, {});
      const states = waitAtDoor(installation, key);
      assert.equal(await states.next(), 'refused');
      assert.deepEqual(error(await guest.enter({ knock: key })), [403, 'knock_refused']);
      assert.deepEqual(error(await installation.admin('POST', `/admin/knocks/${key.id}/approve`, {})), [
        404,
        'knock_unknown',
      ]);
      const wrong = { id: key.id, key: 'A'.repeat(43) };
      assert.deepEqual(error(await guest.post('/api/link/knock/wait', wrong)), [404, 'knock_unknown']);
      // A yes for one link is none for another.
      const other = await kiosk({ approval: true });
      const { code: _, ...allowed } = await knock(other);
      await installation.admin('POST', `/admin/knocks/${allowed.id}/approve`, {});
      const third = await kiosk({ approval: true });
      assert.deepEqual(error(await third.enter({ knock: allowed })), [403, 'knock_needed']);
    });

    test('BR-3: a passkey is made after the yes, and the yes is spent with it', async () => {
      const { url } = await create({ approval: true, uses: 2 });
      const guest = new KioskGuest(installation, url);
      assert.deepEqual(error(await bind(new Browser(installation), url)), [403, 'knock_needed']);
      const { code: _, ...key } = await knock(guest);
      await installation.admin('POST', `/admin/knocks/${key.id}/approve`, {});
      assert.equal((await bind(new Browser(installation), url, { knock: key })).status, 200);
      assert.deepEqual(error(await bind(new Browser(installation), url, { knock: key })), [403, 'knock_needed']);
    });

    test('QPT-9: who holds a link cannot fill the door, and writes no control characters on it', async () => {
      const guest = await kiosk({ approval: true });
      for (let n = 0; n < 16; n++) await knock(guest, `n${n}`);
      assert.deepEqual(error(await guest.post('/api/link/knock', { ...guest.key, name: 'n17' })), [
        429,
        'rate_limited',
      ]);
      for (const name of ['\u202eevil', 'a\nb', '\u001b[2J'])
        assert.deepEqual(error(await guest.post('/api/link/knock', { ...guest.key, name })), [400, 'malformed']);
    });
  });

  describe('revocation', () => {
    test('QZ-7: revoking a link ends what its guests have, and tells the gateways', async () => {
      const guest = await kiosk();
      await guest.enter();
      assert.equal((await guest.launch('wiki')).answer.status, 200);
      gateway.heard.length = 0;
      await installation.admin('DELETE', `/admin/links/${guest.link}`);
      assert.deepEqual(error((await guest.launch('wiki')).answer), [401, 'unauthenticated']);
      await gateway.next('revocation');
      assert.deepEqual(error(await installation.admin('DELETE', `/admin/links/${guest.link}`)), [404, 'link_unknown']);
    });

    test('a guest who ends their visit is out, and their cookie is gone', async () => {
      const guest = await kiosk();
      await guest.enter();
      const answer = await guest.post('/api/guest/end', { secret: guest.secret });
      assert.equal(answer.status, 200);
      assert.match(answer.headers['set-cookie']?.[0] ?? '', /latchkey_guest=;/);
      assert.deepEqual(error((await guest.launch('wiki')).answer), [401, 'unauthenticated']);
    });
  });

  test('QHX-7: of 64 guests who come at once by a link for one exactly one comes in', async () => {
    const guest = await kiosk();
    const answers = await Promise.all(Array.from({ length: 64 }, () => guest.enter()));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ body }) => body.error === 'link_used').length, 63);
  });

  test('QHX-7: of 64 at once no more come in than a link has uses, each with a number of their own: 200 rounds', async (t) => {
    const { context } = installation.control;
    const seed = 0x1a7c;
    t.diagnostic(`seed ${seed}`);
    const random = seededRandom(seed);
    const made = (await create()).link.id;
    const row = await context.store.selectFrom('links').selectAll().where('id', '=', made).executeTakeFirstOrThrow();
    for (let round = 0; round < 200; round++) {
      const uses = round % 4 === 3 ? 1 + random(8) : 1;
      const id = round.toString(16).padStart(24, '0');
      await context.store
        .insertInto('links')
        .values({ ...row, id, max_uses: uses })
        .execute();
      const attempt = async (turns: number): Promise<number | undefined> => {
        // The order in which they come is the seed's.
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        const take = context.store.transaction().execute((transaction) => takeUse(context, transaction, id));
        return take.catch(() => undefined);
      };
      const taken = await Promise.all(Array.from({ length: 64 }, () => attempt(random(20))));
      const numbers = taken.filter((use) => use !== undefined).sort();
      assert.deepEqual(
        numbers,
        Array.from({ length: uses }, (_, n) => n + 1),
        `round ${round}`,
      );
    }
  });
});

/** The waiting page's stream of events. */
function waitAtDoor(installation: Installation, key: object): { next(): Promise<string> } {
  const events: string[] = [];
  let wake = () => {};
  const body = JSON.stringify(key);
  const headers = {
    host: new URL(installation.hub).host,
    origin: installation.hub,
    'content-type': 'application/json',
    'content-length': String(body.length),
  };
  const outgoing = request(
    { ...installation.connect(), method: 'POST', path: '/api/link/knock/wait', agent: false, headers },
    (answer) => {
      answer.setEncoding('utf8').on('data', (text: string) => {
        events.push(...[...text.matchAll(/^event: (\w+)$/gm)].map(([, event]) => event ?? ''));
        wake();
      });
    },
  );
  outgoing.end(body);
  return {
    async next() {
      while (events.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return events.shift() ?? '';
    },
  };
}
