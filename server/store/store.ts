/** Opens the control plane's database and brings its schema up to date. */
import { chmodSync } from 'node:fs';
import { Kysely, Migrator } from 'kysely';
import { migrations } from './migrations.ts';
import { nodeSqliteDialect, openSqlite } from './node-sqlite.ts';
import type { Store, Tables } from './tables.ts';

export type StoreErrorCode = 'open' | 'migration';

/** The database cannot be used; the process does not start without it. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, options?: ErrorOptions) {
    super(`store: ${code}`, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/**
 * @param path the database file, made with mode 0600 where it does not exist.
 * @throws StoreError
 */
export async function openStore(path: string): Promise<Store> {
  const store = new Kysely<Tables>({ dialect: nodeSqliteDialect(opened(path)) });
  const migrator = new Migrator({ db: store, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    await store.destroy();
    throw new StoreError('migration', { cause: error });
  }
  return store;
}

function opened(path: string) {
  try {
    const database = openSqlite(path);
    // SQLite gives its journal files the mode of the database itself.
    chmodSync(path, 0o600);
    return database;
  } catch (cause) {
    throw new StoreError('open', { cause });
  }
}
