/**
 * Guests whose link wants an administrator's yes: they knock, an administrator sees who is at the door and lets them in
 * or not, and the guest's page, which has waited on a stream of events, goes on. A knock lets in once.
 */
import { randomInt, timingSafeEqual } from 'node:crypto';
import type { KnockTable, LinkTable } from '../store/tables/guests.ts';
import type { StoreTransaction } from '../store/tables.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { digestOf, newEvent, newId, newSecret } from './identifiers.ts';

/** A guest who is not let in by then knocks again; one who was comes in by then. */
const knockLifeMs = 600_000;
/** Who holds a link may knock more than once, not without end. */
const maxWaitingPerLink = 16;

export type KnockState = 'waiting' | 'approved' | 'refused' | 'over';

/** What a waiting page knows its knock by. */
export interface KnockKey {
  readonly id: string;
  readonly key: string;
}

/** A knock as administrators see it. */
export interface ShownKnock {
  readonly id: string;
  readonly link: string;
  /** Four digits that the guest's page shows as well. */
  readonly code: string;
  readonly name: string;
  readonly address: string;
  readonly at: number;
}

export class KnockDesk {
  readonly #context: Context;
  /** Told at every new knock and every decision. */
  readonly #listeners = new Set<() => void>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** @param guest what they call themselves, and where they come from. @throws ApiError `rate_limited` */
  async knock(
    link: LinkTable,
    guest: { readonly name: string; readonly address: string },
  ): Promise<KnockKey & { code: string }> {
    const key = newSecret();
    const { clock, audit } = this.#context;
    const code = String(randomInt(10_000)).padStart(4, '0');
    const row: KnockTable = {
      ...{ id: newId(), link_id: link.id, key_hash: digestOf(key), code, name: guest.name, address: guest.address },
      ...{ created_at: clock.now(), decided_at: null, approved: null, decided_by: null, spent_at: null },
    };
    await audit.transact(async (transaction) => {
      const others = await waiting(transaction, clock.now()).where('link_id', '=', link.id).execute();
      if (others.length >= maxWaitingPerLink) throw new ApiError('rate_limited');
      await transaction.insertInto('knocks').values(row).execute();
      await this.#record(transaction, row, 'link.knock', 'anonymous');
    });
    this.tell();
    return { id: row.id, key, code };
  }

  /** Those at the door, who came first first. */
  async waiting(): Promise<ShownKnock[]> {
    const rows = await waiting(this.#context.store, this.#context.clock.now()).orderBy('created_at').execute();
    return rows.map(({ id, link_id, code, name, address, created_at }) => ({
      ...{ id, link: link_id, code, name, address },
      at: created_at,
    }));
  }

  /** @throws ApiError `knock_unknown` for one that is decided or over */
  async decide(id: string, approved: boolean, actor = 'system'): Promise<void> {
    const { audit, clock } = this.#context;
    const now = clock.now();
    await audit.transact(async (transaction) => {
      const row = await transaction
        .updateTable('knocks')
        .set({ decided_at: now, approved: approved ? 1 : 0, decided_by: actor })
        .where('id', '=', id)
        .where('decided_at', 'is', null)
        .where('created_at', '>', now - knockLifeMs)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) throw new ApiError('knock_unknown');
      await this.#record(transaction, row, approved ? 'link.approve' : 'link.refuse', actor);
    });
    this.tell();
  }

  /** @throws ApiError `knock_unknown` */
  async state({ id, key }: KnockKey): Promise<KnockState> {
    const row = await this.#context.store.selectFrom('knocks').selectAll().where('id', '=', id).executeTakeFirst();
    const told = digestOf(key);
    if (row === undefined || !timingSafeEqual(told, row.key_hash)) throw new ApiError('knock_unknown');
    if (row.approved === 0) return 'refused';
    const isOver =
      row.spent_at !== null || this.#context.clock.now() >= (row.decided_at ?? row.created_at) + knockLifeMs;
    if (isOver) return 'over';
    return row.approved === 1 ? 'approved' : 'waiting';
  }

  /** Calls back when something may have changed, until the signal. */
  watch(changed: () => void, until: AbortSignal): void {
    if (until.aborted) return;
    this.#listeners.add(changed);
    until.addEventListener('abort', () => this.#listeners.delete(changed), { once: true });
  }

  /** The knock by which a guest of this link comes in. @throws ApiError `knock_needed`, `knock_refused` */
  async approvedFor(link: LinkTable, knock: KnockKey | undefined): Promise<string | null> {
    if (link.approval === 0) return null;
    if (knock === undefined) throw new ApiError('knock_needed');
    const state = await this.state(knock);
    if (state === 'refused') throw new ApiError('knock_refused');
    if (state !== 'approved') throw new ApiError('knock_needed');
    return knock.id;
  }

  /** Uses a yes up, inside the transaction that lets the guest in. @throws ApiError `knock_needed` */
  async spend(transaction: StoreTransaction, link: LinkTable, id: string | null): Promise<void> {
    if (link.approval === 0) return;
    const now = this.#context.clock.now();
    const { numUpdatedRows } = await transaction
      .updateTable('knocks')
      .set({ spent_at: now })
      .where('id', '=', id)
      .where('link_id', '=', link.id)
      .where('approved', '=', 1)
      .where('spent_at', 'is', null)
      .where('decided_at', '>', now - knockLifeMs)
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) throw new ApiError('knock_needed');
  }

  /** Something may have changed, here or at another control plane. */
  tell(): void {
    for (const changed of [...this.#listeners]) changed();
  }

  async #record(transaction: StoreTransaction, row: KnockTable, operation: string, actor: string): Promise<void> {
    const { id, code, name, address } = row;
    const detail = { operation, knock: id, code, name, address };
    const event = { type: 'link.knock', actor, subject: row.link_id, detail } as const;
    await this.#context.audit.record(transaction, newEvent(this.#context, event));
  }
}

function waiting(store: Pick<Context['store'], 'selectFrom'>, now: number) {
  return store
    .selectFrom('knocks')
    .selectAll()
    .where('decided_at', 'is', null)
    .where('created_at', '>', now - knockLifeMs);
}
