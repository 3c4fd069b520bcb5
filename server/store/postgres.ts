/**
 * Lets Kysely run on PostgreSQL as it does on SQLite: numbers come back as numbers, and one writer at a time.
 *
 * Transactions take a lock before anything else. SQLite lets in one writer at a time by nature, and the rest of the control
 * plane is written for that: whoever checks and then writes is not overtaken in between, and the audit chain has one end,
 * however many processes write (docs/decisions/0013-two-stores.md).
 */
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type TransactionSettings,
} from 'kysely';
import { type CustomTypesConfig, Pool, types } from 'pg';
import { withSafeTransport } from './postgres-url.ts';

/** Any number that nothing else in the database locks. */
const writerLock = 0x4c4b5731;
const connections = 10;
/** Whoever waits longer than this for a connection or for its turn is told so: a page that hangs says nothing. */
const waitMs = 15_000;
/** A writer that fell silent in the middle of a transaction must not keep the others out. */
const silentMs = 15_000;

/** What both the pool and the feed connect with. @param instance marks this control plane's own notifications */
export function connectionOf(url: string, instance: string) {
  return {
    connectionString: withSafeTransport(url),
    application_name: applicationName(instance),
    types: { getTypeParser } as CustomTypesConfig,
    connectionTimeoutMillis: waitMs,
    keepAlive: true,
  };
}

export function applicationName(instance: string): string {
  return `latchkey ${instance}`;
}

/** The Kysely dialect over a pool of connections. Destroying the Kysely instance closes it. */
export function postgresDialect(url: string, instance: string): PostgresDialect {
  const pool = new Pool({
    ...connectionOf(url, instance),
    max: connections,
    lock_timeout: waitMs,
    idle_in_transaction_session_timeout: silentMs,
  });
  // A connection that ends while nobody uses it: the next query gets another, or fails and says why.
  pool.on('error', () => undefined);
  // One that ends between two queries of whoever uses it: the next of them fails. Unheard it would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new OneWriterDialect({
    pool,
    // A commit that is reported has reached the disk, whatever the server's default.
    onCreateConnection: async (connection) =>
      void (await connection.executeQuery(CompiledQuery.raw('SET synchronous_commit = on'))),
  });
}

class OneWriterDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;
  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }
  override createDriver(): Driver {
    return new OneWriterDriver(this.#config);
  }
}

class OneWriterDriver extends PostgresDriver {
  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await super.beginTransaction(connection, settings);
    // Who only looks keeps nobody waiting.
    if (settings.accessMode === 'read only') return;
    try {
      await connection.executeQuery(CompiledQuery.raw('SELECT pg_advisory_xact_lock($1)', [writerLock]));
    } catch (error) {
      // Kysely rolls back what began; without the lock this has not.
      await this.rollbackTransaction(connection).catch(() => undefined);
      throw error;
    }
  }
}

/** BIGINT as a number: times and counts, all far below 2^53. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  return oid === types.builtins.INT8 && format !== 'binary' ? Number : types.getTypeParser(oid, format);
}
