/**
 * A PostgreSQL for tests: `LATCHKEY_TEST_POSTGRES` is the URL of one where databases may be made. Each store gets a database
 * of its own, dropped when the test's process ends. `LATCHKEY_TEST_STORE=postgres` makes every test that knows only "a
 * store" run on it (test/run.ts does so in a suite of its own).
 */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { StorePlace } from '../../server/store/store.ts';

const server = process.env['LATCHKEY_TEST_POSTGRES'];

/** For `{ skip }` of a test that needs one. */
export const noPostgres = server === undefined && 'LATCHKEY_TEST_POSTGRES names no PostgreSQL';
/** Whether a test that knows only "a store" runs on it. */
export const onPostgres = process.env['LATCHKEY_TEST_STORE'] === 'postgres';

const made: string[] = [];
// Not a hook of the test runner: whoever imports this stops what uses the databases in hooks of its own, in any order.
process.on('beforeExit', () => void dropAll());

/** @returns the URL of a new, empty database. */
export async function newDatabase(): Promise<string> {
  if (server === undefined) throw new TypeError('LATCHKEY_TEST_POSTGRES names no PostgreSQL');
  const name = `latchkey_test_${randomBytes(8).toString('hex')}`;
  await query(server, `CREATE DATABASE ${name}`);
  made.push(name);
  const url = new URL(server);
  url.pathname = name;
  return url.href;
}

/** The store of a test: the file, or a database instead of it. */
export async function newStorePlace(file: string): Promise<StorePlace> {
  return onPostgres ? { url: await newDatabase() } : { file };
}

/** Runs SQL as somebody else would who may do everything. @returns the rows */
export async function query(url: string, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

async function dropAll(): Promise<void> {
  for (const name of made.splice(0)) await query(server!, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}
