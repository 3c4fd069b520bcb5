/**
 * Writes the audit chain. Events of one piece of work join the transaction of that work, so neither exists without the
 * other; the newest anchor follows each commit, and every few hundred events one is kept for good.
 */
import type { Clock } from '../../protocol/clock.ts';
import type { Signer } from '../../protocol/crypto.ts';
import type { AuditEvent } from '../channel/audit-event.ts';
import { Counts } from '../counts.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { ControlPaths } from '../store/paths.ts';
import type { Store, StoreTransaction } from '../store/tables.ts';
import { type Anchor, anchors } from './anchor.ts';
import { dropUnfinishedLine, keepAnchor, readAnchors, readHead, replaceHead } from './anchor-files.ts';
import { canonical, chainHash, genesis } from './chain.ts';
import { AuditError } from './error.ts';
import { beginningOf } from './start.ts';
import { readTrust } from './trust.ts';

/** Events between two anchors that are kept: a kept one is 5 KB, so this adds 20 bytes an event. */
const keepEveryEvents = 256;
/** And one for each day on which something is written: by them is told how much time passed (expiry.ts). */
const keepEveryMs = 86_400_000;

export interface AuditLogOptions {
  readonly store: Store;
  /** The audit key in use now; it is asked for at each anchor, because keys have successors. */
  readonly signer: () => Signer;
  readonly clock: Pick<Clock, 'now'>;
  readonly paths: Pick<ControlPaths, 'anchors' | 'head' | 'trust'>;
}

interface LastKept {
  readonly seq: number;
  readonly time: number;
  readonly digest: Uint8Array;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  #lastKept: LastKept;
  /** What was written since the start. */
  readonly chained = new Counts<'type' | 'decision'>();
  #running: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;

  private constructor(options: AuditLogOptions, lastKept: LastKept) {
    this.#options = options;
    this.#lastKept = lastKept;
  }

  /**
   * Opens the log for writing. It is not extended when the database lacks what was anchored: a new anchor would hide
   * the cut.
   * @throws AuditError `chain_broken`
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    dropUnfinishedLine(options.paths);
    const last = readAnchors(options.paths).at(-1);
    const head = readHead(options.paths);
    await refuseBrokenEnd(options, head === undefined ? undefined : anchors.peek(head), last !== undefined);
    const kept =
      last === undefined
        ? { seq: 0, time: options.clock.now(), digest: new Uint8Array(32) }
        : { ...anchors.peek(last), digest: nodeCrypto.sha256(last) };
    return new AuditLog(options, kept);
  }

  /**
   * Runs `work` in one transaction and anchors what it recorded. What `work` throws rolls everything back, events
   * included: record a refusal and return it, then throw.
   */
  async transact<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    const result = await this.#options.store.transaction().execute(work);
    await this.#anchor();
    return result;
  }

  /** Chains events in a transaction of their own. @returns how many were new. */
  append(events: readonly AuditEvent[]): Promise<number> {
    return this.transact((transaction) => this.record(transaction, ...events));
  }

  /** Chains events inside a transaction that {@link transact} began. An id that is chained already counts as done. */
  async record(transaction: StoreTransaction, ...events: readonly AuditEvent[]): Promise<number> {
    const fresh = await unknownOf(transaction, events);
    if (fresh.length === 0) return 0;
    const end = await endOf(transaction);
    let { seq, hash } = end ?? { seq: 0, hash: genesis };
    const rows = fresh.map((event) => {
      const prev = hash;
      const text = canonical(event);
      seq += 1;
      hash = chainHash(prev, seq, text);
      return { seq, id: event.id, prev, hash, event: text };
    });
    await transaction.insertInto('audit').values(rows).execute();
    for (const { type, decision = '' } of fresh) this.chained.add({ type, decision });
    return rows.length;
  }

  /** Anchors the present end for good; at an orderly stop. */
  async close(): Promise<void> {
    await this.#enqueue(true);
  }

  /** One anchor at a time; whoever comes before the next one begins shares it, which covers all of them. */
  #anchor(): Promise<void> {
    this.#waiting ??= this.#enqueue(false);
    return this.#waiting;
  }

  #enqueue(keep: boolean): Promise<void> {
    const run = this.#running
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined;
        return this.#writeAnchor(keep);
      });
    this.#running = run;
    return run;
  }

  async #writeAnchor(keep: boolean): Promise<void> {
    const { store, signer, clock, paths } = this.#options;
    const end = await endOf(store);
    if (end === undefined || (keep && end.seq === this.#lastKept.seq)) return;
    const { seq, time: keptAt, digest: previous } = this.#lastKept;
    const time = clock.now();
    const anchor = await anchors.sign(signer(), { ...end, time, previous });
    // The newest first: a stop between the two leaves a newest anchor that still follows the last kept one.
    replaceHead(paths, anchor);
    const isDue = end.seq - seq >= keepEveryEvents || Math.abs(time - keptAt) >= keepEveryMs;
    if (keep || (isDue && end.seq > seq)) {
      keepAnchor(paths, anchor);
      this.#lastKept = { seq: end.seq, time, digest: nodeCrypto.sha256(anchor) };
    }
  }
}

async function refuseBrokenEnd(
  { store, paths }: Pick<AuditLogOptions, 'store' | 'paths'>,
  head: Anchor | undefined,
  anchorsWereKept: boolean,
): Promise<void> {
  if (head === undefined) {
    const end = await endOf(store);
    // A process may die between its very first event and the anchor of it; later an anchor is never missing.
    if (!anchorsWereKept && (end?.seq ?? 0) <= 1) return;
    throw new AuditError('chain_broken', 'The newest audit anchor is missing; run "latchkey audit verify".');
  }
  const row = await store.selectFrom('audit').select('hash').where('seq', '=', head.seq).executeTakeFirst();
  if (row !== undefined && Buffer.from(row.hash).equals(head.hash)) return;
  // Another control plane on the same store may have dropped it by the book while this one was stopped.
  if (row === undefined && (await beginningOf(store, await readTrust(paths))).seq >= head.seq) return;
  throw new AuditError(
    'chain_broken',
    `The audit log lacks event ${head.seq}, which its newest anchor vouches for; run "latchkey audit verify".`,
  );
}

async function endOf(store: Store | StoreTransaction): Promise<{ seq: number; hash: Uint8Array } | undefined> {
  return store.selectFrom('audit').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1).executeTakeFirst();
}

async function unknownOf(transaction: StoreTransaction, events: readonly AuditEvent[]): Promise<AuditEvent[]> {
  const byId = new Map(events.map((event) => [event.id, event]));
  if (byId.size === 0) return [];
  const known = await transaction
    .selectFrom('audit')
    .select('id')
    .where('id', 'in', [...byId.keys()])
    .execute();
  for (const { id } of known) byId.delete(id);
  return [...byId.values()];
}
