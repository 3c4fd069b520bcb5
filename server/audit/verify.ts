/**
 * `latchkey audit verify`: walks the whole chain from its first event, or from the signed start of one whose older events
 * were dropped, and compares it with every anchor, with no
 * process running and no private key. It believes the root key of the installation; the report names its fingerprint,
 * so that a chain made anew under other keys is told apart by comparing that with an enrolment link.
 * A folder that was put back as a whole to an earlier, consistent state, or a log cut back to an anchor that was kept,
 * shows only against a position that was noted elsewhere.
 */
import { existsSync } from 'node:fs';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { controlPaths, storePlace } from '../store/paths.ts';
import { openStoreToRead, type StorePlace } from '../store/store.ts';
import type { AuditTable, Store } from '../store/tables.ts';
import { type Anchor, openAnchor, peekAnchor } from './anchor.ts';
import { readAnchors, readHead } from './anchor-files.ts';
import { canonical, chainHash, genesis } from './chain.ts';
import { type AuditStart, openStart, peekStart } from './start.ts';
import { type AuditTrust, readTrust } from './trust.ts';

export type AuditFault =
  /** There is no audit log, or a file of it cannot be read. */
  | 'unreadable'
  /** An event, its id or its hash is not what was written. */
  | 'edited'
  /** An event is gone from the middle. */
  | 'dropped'
  /** An event stands where another belongs. */
  | 'reordered'
  /** Events are gone from the end. */
  | 'cut'
  /** The chain fits together but is not the one that was anchored. */
  | 'rewritten'
  /** An anchor is missing, forged or out of line. */
  | 'anchor';

export type AuditReport =
  | {
      readonly ok: true;
      /** Position of the last. */
      readonly events: number;
      /** Position of the last that was dropped because it need not be kept any longer; absent while all are there. */
      readonly dropped?: number;
      readonly anchors: number;
      readonly fingerprint: string;
    }
  | {
      readonly ok: false;
      readonly fault: AuditFault;
      /** Position of the event, 1 for the first; null when the fault is not at one event. */
      readonly position: number | null;
      readonly message: string;
    };

const rowsAtOnce = 1_000;

class Fault extends Error {
  readonly fault: AuditFault;
  readonly position: number | null;
  constructor(fault: AuditFault, position: number | null, message: string) {
    super(message);
    this.fault = fault;
    this.position = position;
  }
}

/**
 * @param data the data folder.
 * @param atLeast a position noted elsewhere: fewer events are a log that was cut, whatever anchor it ends at.
 * @param place of the store, when it is not the file in that folder.
 * @returns counts, or the first fault with its kind and position. Never throws for a log that is damaged.
 */
export async function verifyAudit(
  data: string,
  atLeast = 0,
  place: StorePlace = storePlace({ data, store: 'sqlite' }),
): Promise<AuditReport> {
  const paths = controlPaths(data);
  if ('file' in place && !existsSync(place.file))
    return failure('unreadable', null, `There is no audit log in ${data}.`);
  try {
    const trust = await readTrust(paths);
    // Anchors first: a control plane that is running may add events meanwhile, which are then simply not anchored yet.
    const anchors = await anchorsOf(trust, readAnchors(paths), readHead(paths));
    const store = await openStoreToRead(place);
    try {
      const start = await startOf(store, trust);
      const events = await walk(store, anchors, start);
      if (events < atLeast) {
        throw new Fault('cut', events + 1, `The log ends at event ${events}; ${atLeast} were there before.`);
      }
      const dropped = start.seq > 0 && { dropped: start.seq };
      return { ok: true, events, ...dropped, anchors: anchors.length, fingerprint: trust.fingerprint };
    } finally {
      await store.destroy();
    }
  } catch (error) {
    if (error instanceof Fault) return failure(error.fault, error.position, error.message);
    return failure('unreadable', null, 'The audit log or the keys it is checked with cannot be read.');
  }
}

function failure(fault: AuditFault, position: number | null, message: string): AuditReport {
  return { ok: false, fault, position, message };
}

/** Every anchor, kept ones and the newest, verified and in line. */
async function anchorsOf(trust: AuditTrust, kept: Uint8Array[], head: Uint8Array | undefined): Promise<Anchor[]> {
  const anchors: Anchor[] = [];
  let previous: Uint8Array = new Uint8Array(32);
  for (const bytes of kept) {
    const anchor = await believed(trust, bytes);
    if (!same(anchor.previous, previous)) throw outOfLine(anchor.seq);
    anchors.push(anchor);
    previous = nodeCrypto.sha256(bytes);
  }
  // The newest anchor is written before any is kept, so its absence is somebody's doing.
  if (head === undefined && kept.length > 0) throw new Fault('anchor', null, 'The newest audit anchor is missing.');
  if (head === undefined) return anchors;
  const last = kept.at(-1);
  // An anchor that was just kept is also the newest.
  if (last !== undefined && same(last, head)) return anchors;
  const newest = await believed(trust, head);
  if (!same(newest.previous, previous)) throw outOfLine(newest.seq);
  return [...anchors, newest];
}

function outOfLine(seq: number): Fault {
  return new Fault('anchor', seq, `The anchor of event ${seq} does not follow the anchor before it.`);
}

async function believed(trust: AuditTrust, bytes: Uint8Array): Promise<Anchor> {
  try {
    const { keyId, time } = peekAnchor(bytes);
    const key = await trust.roleKey('audit', keyId, time);
    if (key !== undefined) return await openAnchor(nodeCrypto, bytes, key);
  } catch {
    // What exactly is wrong with a forged anchor is of no use to anyone.
  }
  throw new Fault('anchor', null, 'An audit anchor is not signed by the audit key of this installation.');
}

/** What the first event follows: nothing, or what the audit key says was dropped. */
async function startOf(store: Store, trust: AuditTrust): Promise<Pick<AuditStart, 'seq' | 'hash'>> {
  // A store from before there was such a table has all its events, or it is found that it has not.
  const row = await store
    .selectFrom('audit_start')
    .select('object')
    .executeTakeFirst()
    .catch(() => undefined);
  if (row === undefined) return { seq: 0, hash: genesis };
  try {
    const { keyId, time } = peekStart(row.object);
    const key = await trust.roleKey('audit', keyId, time);
    if (key !== undefined) return await openStart(nodeCrypto, row.object, key);
  } catch {
    // As above.
  }
  throw new Fault('anchor', null, 'The start of the audit log is not signed by the audit key of this installation.');
}

async function walk(
  store: Store,
  anchors: readonly Anchor[],
  start: Pick<AuditStart, 'seq' | 'hash'>,
): Promise<number> {
  const expected = new Map<number, Uint8Array[]>();
  for (const { seq, hash } of anchors) expected.set(seq, [...(expected.get(seq) ?? []), hash]);
  let previous = start.hash;
  let count = start.seq;
  const isOther = (hash: Uint8Array) => expected.get(count)?.some((anchored) => !same(anchored, hash)) === true;
  if (isOther(previous))
    throw new Fault('rewritten', count, `The log does not begin after the event ${count} that was anchored.`);
  for await (const row of rowsOf(store)) {
    await checkRow(store, row, count + 1, previous);
    count += 1;
    previous = row.hash;
    if (isOther(row.hash)) throw new Fault('rewritten', count, `Event ${count} is not the one that was anchored.`);
  }
  const longest = Math.max(0, ...anchors.map((anchor) => anchor.seq));
  if (longest > count) throw new Fault('cut', count + 1, `The log ends at event ${count}; ${longest} were anchored.`);
  if (count > 0 && anchors.length === 0) throw new Fault('anchor', null, 'The log has events and no anchor.');
  return count;
}

/** In order, some at a time. */
async function* rowsOf(store: Store): AsyncIterable<AuditTable> {
  let after: number | undefined;
  for (;;) {
    const query = store.selectFrom('audit').selectAll().orderBy('seq').limit(rowsAtOnce);
    const rows = await (after === undefined ? query : query.where('seq', '>', after)).execute();
    yield* rows;
    after = rows.at(-1)?.seq;
    if (after === undefined) return;
  }
}

async function checkRow(store: Store, row: AuditTable, position: number, previous: Uint8Array): Promise<void> {
  if (row.seq !== position) throw new Fault('dropped', position, `Event ${position} is missing.`);
  const intact = same(chainHash(row.prev, row.seq, row.event), row.hash);
  if (intact && same(row.prev, previous) && describesItself(row)) return;
  if (same(row.prev, previous) || same(chainHash(previous, row.seq, row.event), row.hash)) {
    throw new Fault('edited', position, `Event ${position} was changed after it was written.`);
  }
  // Something else stands here. The event that belongs here names the one before it, if it is anywhere.
  const elsewhere = await store
    .selectFrom('audit')
    .select('seq')
    .where('prev', '=', previous)
    .where('seq', '<>', position)
    .executeTakeFirst();
  if (elsewhere === undefined) throw new Fault('dropped', position, `The event at position ${position} is missing.`);
  throw new Fault('reordered', position, `The event at position ${position} belongs elsewhere.`);
}

function describesItself(row: AuditTable): boolean {
  try {
    const event = JSON.parse(row.event) as Parameters<typeof canonical>[0];
    return event.id === row.id && canonical(event) === row.event;
  } catch {
    return false;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b);
}
