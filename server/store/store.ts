/**
 * Opens the control plane's database, a file of SQLite's or a database of PostgreSQL's, and brings its schema up to date.
 */
import { chmodSync } from 'node:fs';
import { type Dialect, Kysely, Migrator, sql } from 'kysely';
import { migrations } from './migrations.ts';
import { nodeSqliteDialect, openSqlite, openSqliteToRead } from './node-sqlite.ts';
import { completePostgres, isPostgres } from './postgres-schema.ts';
import type { Store, Tables } from './tables.ts';

export type StoreErrorCode = 'open' | 'migration';

/** The database cannot be used; the process does not start without it. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, options?: ErrorOptions) {
    super(`The store cannot be used: ${code}${causeCode(options?.cause)}.`, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** Where the store is: the path of a file, made with mode 0600 where it does not exist, or a `postgres://` URL. */
export type StorePlace = { readonly file: string } | { readonly url: string };

/**
 * @param place a text is the path of a file.
 * @param instance names this control plane among those on the same PostgreSQL.
 * @throws StoreError
 */
export async function openStore(place: StorePlace | string, instance = 'alone'): Promise<Store> {
  const store = new Kysely<Tables>({
    dialect: await dialectOf(typeof place === 'string' ? { file: place } : place, instance),
  });
  try {
    await reached(store);
    await migrated(store);
    return store;
  } catch (error) {
    await store.destroy();
    throw error;
  }
}

/** As it is, to look at alone: nothing is made or changed. @throws StoreError */
export async function openStoreToRead(place: StorePlace): Promise<Store> {
  const dialect =
    'url' in place ? await dialectOf(place, 'reader') : nodeSqliteDialect(opened(place.file, openSqliteToRead));
  const store = new Kysely<Tables>({ dialect });
  try {
    await reached(store);
    return store;
  } catch (error) {
    await store.destroy();
    throw error;
  }
}

async function dialectOf(place: StorePlace, instance: string): Promise<Dialect> {
  // Most installations never load the driver.
  if ('url' in place) return (await import('./postgres.ts')).postgresDialect(place.url, instance);
  const database = opened(place.file, openSqlite);
  // SQLite gives its journal files the mode of the database itself.
  chmodSync(place.file, 0o600);
  return nodeSqliteDialect(database);
}

async function reached(store: Store): Promise<void> {
  try {
    await sql`SELECT 1`.execute(store);
  } catch (cause) {
    throw new StoreError('open', { cause });
  }
}

async function migrated(store: Store): Promise<void> {
  const migrator = new Migrator({ db: store, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error } = await migrator.migrateToLatest();
  try {
    if (error !== undefined) throw error;
    if (isPostgres(store)) await completePostgres(store);
  } catch (cause) {
    throw new StoreError('migration', { cause });
  }
}

function opened<T>(path: string, open: (path: string) => T): T {
  try {
    return open(path);
  } catch (cause) {
    throw new StoreError('open', { cause });
  }
}

/** Of the system or of PostgreSQL: what an operator looks up. Its message may repeat what was sent. */
function causeCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
}
