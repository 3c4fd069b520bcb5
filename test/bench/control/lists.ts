/** What a page of each list of the administration costs with ten thousand rows, over what it costs with a hundred. */
import { listDevices } from '../../../server/control/devices.ts';
import { listLinks } from '../../../server/control/links.ts';
import type { Page } from '../../../server/control/page.ts';
import { listPeople } from '../../../server/control/people-list.ts';
import { listServices } from '../../../server/control/services.ts';
import { listSessions } from '../../../server/control/sessions.ts';
import type { Store } from '../../../server/store/tables.ts';
import { fillLists, listsNow, storeInMemory } from '../../support/long-lists.ts';
import type { Figure } from '../figure.ts';
import { interleaved, over } from '../interleaved.ts';

const [few, many] = [100, 10_000];
const clock = { now: () => listsNow, monotonic: () => 0, after: () => () => {} };
// What the lists read of the settings.
const config = { trustDomain: 'latchkey.local' } as Parameters<typeof listSessions>[0]['config'];
/** A gateway is asked about a page of sessions, however many there are. */
const live = { sessions: async () => [] };

const lists: Readonly<Record<string, (store: Store, page: Page) => Promise<unknown>>> = {
  people: (store, page) => listPeople({ store }, page),
  devices: (store, page) => listDevices({ store }, page),
  links: (store, page) => listLinks({ store, clock }, page),
  services: (store, page) => listServices({ store }, page),
  sessions: (store, page) => listSessions({ store, clock, config }, live, page),
};

/** As the pages ask: the first rows, and the first that hold a text which all of them hold. */
const pages: Readonly<Record<string, Page>> = {
  first: { limit: few },
  searched: { limit: few, search: 'e' },
};

/** `x`: how many times slower the long list is. */
export async function* listFigures(): AsyncIterable<Figure> {
  const [short, long] = await Promise.all([few, many].map(filled));
  if (short === undefined || long === undefined) throw new TypeError('two stores');
  for (const [name, list] of Object.entries(lists))
    for (const [which, page] of Object.entries(pages)) {
      const work = (store: Store) => async (times: number) => {
        for (let i = 0; i < times; i++) await list(store, page);
      };
      const times = await interleaved({ short: work(short), long: work(long) }, () => performance.now());
      yield { name: `lists.${name}_${which}_10k_over_100`, value: over(times, 'short', 'long'), unit: 'x' };
    }
  await Promise.all([short.destroy(), long.destroy()]);
}

async function filled(count: number): Promise<Store> {
  const store = await storeInMemory();
  await fillLists(store, count);
  return store;
}
