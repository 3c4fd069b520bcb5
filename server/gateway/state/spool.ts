/**
 * Audit events that the control plane has not chained yet, on disk before what they tell of happens, in the order in
 * which they happened. An event leaves when the control plane says that it has it; ids make a second sending harmless,
 * so a crash of either side loses none and doubles none.
 */
import { chmodSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type AuditEvent, auditEventSchema } from '../../channel/audit-event.ts';

interface Waiting {
  readonly event: AuditEvent;
  readonly done: PromiseWithResolvers<void>;
}

/** How long an event may wait for company; a commit waits for the disk, and the process waits with it. */
const soonMs = 50;

export class Spool {
  readonly #database: DatabaseSync;
  /** Deletes without waiting for the disk: a deletion that a crash undoes means sending once more. */
  readonly #cleaner: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #delete: StatementSync;
  #waiting: Waiting[] = [];
  #closed = false;
  #isUrgent = false;
  #later: NodeJS.Timeout | undefined;
  /** Called after events came to stand on disk. */
  onAppended: (() => void) | undefined;

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    // SQLite gives its journal files the mode of the database itself.
    chmodSync(path, 0o600);
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
    this.#cleaner = new DatabaseSync(path);
    this.#cleaner.exec('PRAGMA synchronous = NORMAL;');
    this.#delete = this.#cleaner.prepare('DELETE FROM events WHERE id = ?');
  }

  /**
   * Resolves when the event is on disk. Those of one turn of the event loop share a transaction.
   * @param when `soon` for an event that nothing waits for: it goes with the next one, or after a short while.
   */
  async append(event: AuditEvent, when: 'now' | 'soon' = 'now'): Promise<void> {
    if (this.#closed) throw new Error('the spool is closed');
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ event: auditEventSchema.parse(event), done });
    this.#schedule(when);
    return done.promise;
  }

  /** The oldest events, in order. */
  oldest(limit: number): AuditEvent[] {
    // Written by this class alone, as an AuditEvent.
    return this.#select.all(limit).map((row) => JSON.parse(String(row['body'])) as AuditEvent);
  }

  /** Forgets what the control plane has chained. Unknown ids are those of an acknowledgement said twice. */
  acknowledge(ids: readonly string[]): void {
    transaction(this.#cleaner, () => {
      for (const id of ids) this.#delete.run(id);
    });
  }

  /** Writes what is waiting and closes the file. */
  close(): void {
    this.#commit();
    this.#closed = true;
    this.#cleaner.close();
    this.#database.close();
  }

  #schedule(when: 'now' | 'soon'): void {
    if (this.#isUrgent) return;
    clearTimeout(this.#later);
    this.#isUrgent = when === 'now';
    if (this.#isUrgent) setImmediate(() => this.#commit());
    else this.#later = setTimeout(() => this.#commit(), soonMs).unref();
  }

  #commit(): void {
    const batch = this.#waiting;
    clearTimeout(this.#later);
    this.#isUrgent = false;
    if (batch.length === 0 || this.#closed) return;
    this.#waiting = [];
    try {
      transaction(this.#database, () => {
        for (const { event } of batch) this.#insert.run(event.id, JSON.stringify(event));
      });
    } catch (error) {
      for (const { done } of batch) done.reject(error);
      return;
    }
    for (const { done } of batch) done.resolve();
    this.onAppended?.();
  }
}

function transaction(database: DatabaseSync, run: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    run();
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}
