/** A store in memory with as many people, devices, links, services and live sessions as a test or a bench wants to see. */
import { Kysely, type KyselyConfig, Migrator, sql } from 'kysely';
import { migrations } from '../../server/store/migrations.ts';
import { nodeSqliteDialect, openSqlite } from '../../server/store/node-sqlite.ts';
import type { Store, Tables } from '../../server/store/tables.ts';

/** The time of what is in it; its links and sessions are good for an hour. */
export const listsNow = 1_790_000_000_000;

/** @param log what Kysely tells of each query */
export async function storeInMemory(log?: KyselyConfig['log']): Promise<Store> {
  const dialect = nodeSqliteDialect(openSqlite(':memory:'));
  const store = new Kysely<Tables>({ dialect, ...(log !== undefined && { log }) });
  const migrator = new Migrator({ db: store, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return store;
}

const id = "printf('%024x', n)";
const bytes = (length: number) => `CAST(printf('%0${length}d', n) AS BLOB)`;
const at = `${listsNow} - n * 1000`;
const end = `${listsNow} + 3600000`;

/** By table: what stands in each column, in SQL, of row `n`. */
const columns: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  users: { id, handle: bytes(32), name: "'Person ' || n", created_at: at },
  user_groups: { user_id: id, group_name: "'staff'" },
  devices: {
    ...{ id, user_id: id, public_key: bytes(32), name: "'Laptop ' || n", created_at: at },
    // Some wait for an administrator.
    approved_at: `CASE WHEN n % 100 = 50 THEN NULL ELSE ${at} END`,
  },
  links: {
    ...{
      id: "'link-' || n",
      secret_hash: bytes(32),
      services: '\'["wiki"]\'',
      expires_at: end,
      max_uses: '1',
      used: '0',
    },
    ...{
      kiosk: '0',
      read_only: '0',
      approval: '0',
      hours: "'[]'",
      zone: "'UTC'",
      created_by: "'system'",
      created_at: at,
    },
  },
  services: {
    ...{ name: "'service-' || n", title: "'Service ' || n", url: "'http://10.7.0.5'", scheme: "'http'", port: '80' },
    ...{
      address: "'10.7.0.5'",
      path: "'/'",
      upstream_host: "'10.7.0.5'",
      wireguard_key: "''",
      demo: '0',
      created_at: at,
    },
  },
  leases: {
    ...{ id: bytes(16), cookie_hash: bytes(32), user_id: id, device_id: id, amr: '3', verified_at: at },
    ...{ posture_signals: "'{}'", posture_time: at, created_at: at, ends_at: end },
  },
  launches: {
    ...{ id, lease_id: bytes(16), user_id: id, device_id: id, service: "'service-' || n", session_key_hash: bytes(32) },
    ...{ session_public_key: bytes(32), posture_hash: bytes(32), posture_time: at, posture_signals: "'{}'" },
    ...{ created_at: at, ends_at: end },
  },
  svids: { serial: bytes(16), launch_id: id, not_before: at, not_after: end, policy_epoch: '1' },
};

/**
 * Row `n` of `count`, made n seconds before now: `Person n`, their `Laptop n`, `service-n`, their session at it, `link-n`.
 */
export async function fillLists(store: Store, count: number): Promise<void> {
  for (const [table, of] of Object.entries(columns)) {
    const numbers = `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})`;
    const [names, values] = [Object.keys(of).join(', '), Object.values(of).join(', ')];
    await sql.raw(`${numbers} INSERT INTO ${table} (${names}) SELECT ${values} FROM numbers`).execute(store);
  }
}
