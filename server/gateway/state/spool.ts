/**
 * Audit events that the control plane has not chained yet, on disk before what they tell of happens, in the order in
 * which they happened. An event leaves when the control plane says that it has it; ids make a second sending harmless,
 * so a crash of either side loses none and doubles none.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type AuditEvent, auditEventSchema } from '../../channel/audit-event.ts';

interface Waiting {
  readonly event: AuditEvent;
  readonly done: PromiseWithResolvers<void>;
}

export class Spool {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #delete: StatementSync;
  #waiting: Waiting[] = [];
  #closed = false;
  /** Called after events came to stand on disk. */
  onAppended: (() => void) | undefined;

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        body TEXT NOT NULL
      ) STRICT;`);
    this.#insert = this.#database.prepare('INSERT INTO events (id, body) VALUES (?, ?)');
    this.#select = this.#database.prepare('SELECT body FROM events ORDER BY seq LIMIT ?');
    this.#delete = this.#database.prepare('DELETE FROM events WHERE id = ?');
  }

  /**
   * Resolves when the event is on disk. Those of one turn of the event loop share a transaction, because each
   * transaction waits for the disk.
   */
  async append(event: AuditEvent): Promise<void> {
    if (this.#closed) throw new Error('the spool is closed');
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ event: auditEventSchema.parse(event), done });
    if (this.#waiting.length === 1) setImmediate(() => this.#commit());
    return done.promise;
  }

  /** The oldest events, in order. */
  oldest(limit: number): AuditEvent[] {
    // Written by this class alone, as an AuditEvent.
    return this.#select.all(limit).map((row) => JSON.parse(String(row['body'])) as AuditEvent);
  }

  /** Forgets what the control plane has chained. Unknown ids are those of an acknowledgement said twice. */
  acknowledge(ids: readonly string[]): void {
    this.#transaction(() => {
      for (const id of ids) this.#delete.run(id);
    });
  }

  /** Writes what is waiting and closes the file. */
  close(): void {
    this.#commit();
    this.#closed = true;
    this.#database.close();
  }

  #commit(): void {
    const batch = this.#waiting;
    if (batch.length === 0 || this.#closed) return;
    this.#waiting = [];
    try {
      this.#transaction(() => {
        for (const { event } of batch) this.#insert.run(event.id, JSON.stringify(event));
      });
    } catch (error) {
      for (const { done } of batch) done.reject(error);
      return;
    }
    for (const { done } of batch) done.resolve();
    this.onAppended?.();
  }

  #transaction(run: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      run();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}
