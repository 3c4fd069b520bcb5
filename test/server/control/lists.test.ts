/** Lists of ten thousand: a page of one is read in the order of an index, so that it costs a page (plans of SQLite's). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type CompiledQuery, sql } from 'kysely';
import { listDevices } from '../../../server/control/devices.ts';
import { listLinks } from '../../../server/control/links.ts';
import type { Page } from '../../../server/control/page.ts';
import { listPeople } from '../../../server/control/people-list.ts';
import { listServices } from '../../../server/control/services.ts';
import { listSessions } from '../../../server/control/sessions.ts';
import type { Store } from '../../../server/store/tables.ts';
import { fillLists, listsNow, storeInMemory } from '../../support/long-lists.ts';

const count = 10_000;
const clock = { now: () => listsNow, monotonic: () => 0, after: () => () => {} };
// What the lists read of the settings.
const config = { trustDomain: 'latchkey.local' } as Parameters<typeof listSessions>[0]['config'];
const queries: CompiledQuery[] = [];
let store: Store;
/** Serials that the gateway was asked about. */
let asked: readonly string[];
const live = {
  sessions: async (serials: readonly string[]) => {
    asked = serials;
    return [];
  },
};

before(async () => {
  store = await storeInMemory(({ query }) => void queries.push(query));
  await fillLists(store, count);
});
after(() => store.destroy());

type Listed = { readonly total: number; readonly names: readonly string[] };
const lists: Readonly<Record<string, (page: Page) => Promise<Listed>>> = {
  people: async (page) => {
    const { users, total } = await listPeople({ store }, page);
    return { total, names: users.map(({ name }) => name) };
  },
  devices: async (page) => {
    const { devices, total } = await listDevices({ store }, page);
    return { total, names: devices.map(({ name }) => name) };
  },
  links: async (page) => {
    const { links, total } = await listLinks({ store, clock }, page);
    return { total, names: links.map(({ id }) => id) };
  },
  services: async (page) => {
    const { services, total } = await listServices({ store }, page);
    return { total, names: services.map(({ name }) => name) };
  },
  sessions: async (page) => {
    const { sessions, total } = await listSessions({ store, clock, config }, live, page);
    return { total, names: sessions.map(({ name }) => name) };
  },
};

/** The steps by which SQLite would go about what a list asks for, query by query. */
async function plansOf(name: string, page: Page): Promise<string[][]> {
  queries.length = 0;
  await lists[name]?.(page);
  const seen = [...queries];
  return Promise.all(
    seen.map(async (query) => {
      const explained = { ...query, sql: `EXPLAIN QUERY PLAN ${query.sql}` };
      return (await store.executeQuery<{ detail: string }>(explained)).rows.map(({ detail }) => detail);
    }),
  );
}

for (const name of ['people', 'devices', 'links', 'services'])
  test(`a page of ${name} is read in the order of an index, and nothing is sorted for it`, async () => {
    const plans = await plansOf(name, { offset: 5_000, limit: 100 });
    const inOrder = plans.filter(([first = '']) =>
      /^SCAN \w+ USING .*INDEX \w*(_in_order|autoindex_services)/.test(first),
    );
    assert.ok(inOrder.length > 0, JSON.stringify(plans));
    for (const step of plans.flat()) {
      assert.doesNotMatch(step, /^SCAN (?!\w+ USING)/, `${step} reads a whole table`);
      assert.doesNotMatch(step, /AUTOMATIC/, `${step} makes an index for one answer`);
    }
    for (const steps of inOrder)
      assert.ok(!steps.some((step) => /TEMP B-TREE FOR ORDER BY/.test(step)), steps.join('; '));
  });

test('live sessions are found by the credentials that are good, and not among all the launches there ever were', async () => {
  for (const steps of await plansOf('sessions', { limit: 100 })) {
    assert.match(steps.join('; '), /SEARCH svids USING COVERING INDEX svids_by_end \(not_after>\?\)/);
    for (const step of steps) assert.doesNotMatch(step, /SCAN (launches|users|svids|leases)\b/);
  }
});

test('a gateway is asked about the sessions of the page alone', async () => {
  await lists['sessions']?.({ limit: 100 });
  assert.equal(asked.length, 100);
  await lists['sessions']?.({ search: 'nobody is called so', limit: 100 });
  assert.equal(asked.length, 0);
});

const rows: [list: string, page: Page, total: number, names: string[]][] = [
  ['people', { limit: 2 }, count, ['Person 10000', 'Person 9999']],
  ['people', { offset: 9_999, limit: 2 }, count, ['Person 1']],
  ['people', { search: 'person 777', limit: 2 }, 11, ['Person 7779', 'Person 7778']],
  ['devices', { limit: 2 }, count, ['Laptop 9950', 'Laptop 9850']],
  ['devices', { offset: 100, limit: 2 }, count, ['Laptop 10000', 'Laptop 9999']],
  ['devices', { search: 'PERSON 1234', limit: 2 }, 1, ['Laptop 1234']],
  ['links', { limit: 2 }, count, ['link-1', 'link-2']],
  ['links', { search: 'link-9999', limit: 2 }, 1, ['link-9999']],
  ['services', { limit: 2 }, count, ['service-1', 'service-10']],
  ['services', { search: 'Service 500', offset: 1, limit: 2 }, 11, ['service-5000', 'service-5001']],
  ['sessions', { limit: 2 }, count, ['Person 1', 'Person 2']],
  ['sessions', { offset: 9_998, limit: 5 }, count, ['Person 9999', 'Person 10000']],
  ['sessions', { search: 'service-4321', limit: 5 }, 1, ['Person 4321']],
  ['sessions', { search: '/user/00000000000000000000000f/', limit: 5 }, 1, ['Person 15']],
  ['sessions', { search: 'spiffe://latchkey.local/user/00000000000000000000000f/device/', limit: 5 }, 1, ['Person 15']],
];
for (const [name, page, total, names] of rows)
  test(`${name} of ${JSON.stringify(page)}: ${names.join(', ')} of ${total}`, async () => {
    assert.deepEqual(await lists[name]?.(page), { total, names });
  });

test('a session whose credentials have ended or that was revoked is not open, and one with two of them is one', async () => {
  await sql`UPDATE svids SET not_after = ${listsNow} WHERE launch_id = ${'1'.padStart(24, '0')}`.execute(store);
  await sql`UPDATE launches SET revoked_at = 1 WHERE id = ${'2'.padStart(24, '0')}`.execute(store);
  await sql`INSERT INTO svids SELECT x'ff', launch_id, not_before, not_after + 5, 2 FROM svids
    WHERE launch_id = ${'3'.padStart(24, '0')}`.execute(store);
  const { sessions, total } = await listSessions({ store, clock, config }, live, { limit: 2 });
  assert.deepEqual([total, sessions.map(({ name }) => name)], [count - 2, ['Person 3', 'Person 4']]);
  assert.equal(sessions[0]?.credentialEnds, listsNow + 3_600_005);
  assert.equal(asked.length, 3);
});

test('a name with letters beyond ASCII is found as it is written', async () => {
  await sql`UPDATE users SET name = 'Émile Ärzt' WHERE name = 'Person 5'`.execute(store);
  assert.deepEqual(await lists['people']?.({ search: 'émile' }), { total: 0, names: [] });
  assert.deepEqual(await lists['people']?.({ search: 'Émile äRZT'.replace('ä', 'Ä') }), {
    total: 1,
    names: ['Émile Ärzt'],
  });
});
