/** A part of a long list, as a page asks for it: searched and cut by the store, so that thousands of rows cost a window. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';

export interface Page {
  /** In any of the columns a person would look in, whatever its case; empty for everything. */
  readonly search?: string | undefined;
  readonly offset?: number | undefined;
  /** All of them where it is not said. */
  readonly limit?: number | undefined;
}

/** True where one of these columns holds the text. */
export function holds(columns: readonly string[], text: string): RawBuilder<SqlBool> {
  const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, (special) => `\\${special}`)}%`;
  const each = columns.map((column) => sql`lower(${sql.ref(column)}) LIKE ${pattern} ESCAPE '\\'`);
  return sql<SqlBool>`(${sql.join(each, sql` OR `)})`;
}

/** More rows than any table has: SQLite wants a limit where there is an offset. */
export const noLimit = 1_000_000_000;
