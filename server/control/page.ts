/**
 * A part of a long list, as a page asks for it: searched and cut by the store, in the order of an index (migrations.ts), so
 * that of thousands of rows those are read that are shown. A search reads them all, and brings back those that are shown.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';

export interface Page {
  /** In any of the columns a person would look in, whatever the case of ASCII letters; empty for everything. */
  readonly search?: string | undefined;
  readonly offset?: number | undefined;
  /** All of them where it is not said. */
  readonly limit?: number | undefined;
}

/** True where one of these columns, or of these texts made of some, holds the text. */
export function holds(columns: readonly (string | RawBuilder<string>)[], text: string): RawBuilder<SqlBool> {
  // As the databases' lower() does, which knows the letters of ASCII alone.
  const lower = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const pattern = `%${lower.replace(/[\\%_]/g, (special) => `\\${special}`)}%`;
  const texts = columns.map((column) => (typeof column === 'string' ? sql.ref(column) : column));
  const each = texts.map((one) => sql`lower(${one}) LIKE ${pattern} ESCAPE '\\'`);
  return sql<SqlBool>`(${sql.join(each, sql` OR `)})`;
}

/** More rows than any table has: SQLite wants a limit where there is an offset. */
export const noLimit = 1_000_000_000;
