/**
 * Lets Kysely's SQLite dialect run on node:sqlite, which differs from the driver it was written for in how a statement
 * takes its parameters and says whether it returns rows. One connection; statements are prepared once per text.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely';

/** Distinct query texts kept prepared. The store has about a hundred; lists of varying length add some. */
const preparedLimit = 512;

/**
 * Opens the database durable: WAL, and a commit that is reported has reached the disk.
 * @param path a file, or `:memory:`.
 */
export function openSqlite(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: true });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
  return database;
}

/** Opens a database that is there to be read alone. */
export function openSqliteToRead(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true });
}

/** The Kysely dialect over an open database. Destroying the Kysely instance closes it. */
export function nodeSqliteDialect(database: DatabaseSync): SqliteDialect {
  return new SqliteDialect({ database: new PreparedDatabase(database) });
}

class PreparedDatabase implements SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  prepare(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= preparedLimit) this.#statements.clear();
    const statement = adapt(this.#database.prepare(sql));
    this.#statements.set(sql, statement);
    return statement;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}

function adapt(statement: StatementSync): SqliteStatement {
  return {
    // Only a statement that returns rows has columns.
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...bound(parameters)),
    run: (parameters) => statement.run(...bound(parameters)),
    iterate: (parameters) => statement.iterate(...bound(parameters)),
  };
}

/** Kysely passes on what the typed tables hold: text, numbers, bytes, null. Anything else node:sqlite refuses itself. */
function bound(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters as SQLInputValue[];
}
