/**
 * `latchkey audit verify`: walks the whole chain from its first event, or from the signed start of one whose older events
 * were dropped, and compares it with every anchor, with no process running and no private key. It believes the root key of
 * the installation; the report names its fingerprint, so that a chain made anew under other keys is told apart by comparing
 * that with an enrolment link.
 * A folder that was put back as a whole to an earlier, consistent state, or a log cut back to an anchor that was kept,
 * shows only against a position that was noted elsewhere.
 */
import { existsSync } from 'node:fs';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { controlPaths, storePlace } from '../store/paths.ts';
import { openStoreToRead, StoreError, type StorePlace } from '../store/store.ts';
import type { Store, StoreTransaction } from '../store/tables.ts';
import { type Anchor, anchors as anchorObjects } from './anchor.ts';
import { readAnchors, readHead } from './anchor-files.ts';
import { genesis } from './chain.ts';
import { AuditError } from './error.ts';
import { type Beginning, beginningOf } from './start.ts';
import { type AuditTrust, readTrust } from './trust.ts';
import { type AuditFault, chainOf, Fault, same } from './walk.ts';

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
      const hasStart = await hasStarts(store);
      const { start, events } = await readAtOnce(store, async (transaction) => {
        const start = hasStart ? await startOf(transaction, trust) : { seq: 0, hash: genesis };
        return { start, events: await walk(transaction, anchors, start) };
      });
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
    const why = error instanceof AuditError || error instanceof StoreError ? ` ${error.message}` : '';
    return failure('unreadable', null, `The audit log or the keys it is checked with cannot be read.${why}`);
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

async function believed(trust: AuditTrust, object: Uint8Array): Promise<Anchor> {
  const anchor = await anchorObjects.open(trust, { object, certificate: null });
  if (anchor !== undefined) return anchor;
  throw new Fault('anchor', null, 'An audit anchor is not signed by the audit key of this installation.');
}

/** Start and events as they are at one moment, whatever is written or dropped meanwhile. */
async function readAtOnce<T>(store: Store, read: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
  return store.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(read);
}

/** A store from before there was such a table has all its events, or it is found that it has not. */
async function hasStarts(store: Store): Promise<boolean> {
  return store
    .selectFrom('audit_start')
    .select('seq')
    .execute()
    .then(
      () => true,
      () => false,
    );
}

async function startOf(store: StoreTransaction, trust: AuditTrust): Promise<Beginning> {
  return beginningOf(store, trust).catch((error: unknown) => {
    throw error instanceof AuditError ? new Fault('anchor', null, error.message) : error;
  });
}

/** @returns the position of the last event. */
async function walk(store: StoreTransaction, anchors: readonly Anchor[], start: Beginning): Promise<number> {
  const expected = new Map<number, Uint8Array[]>();
  for (const { seq, hash } of anchors) expected.set(seq, [...(expected.get(seq) ?? []), hash]);
  const isOther = ({ seq, hash }: Beginning) => expected.get(seq)?.some((anchored) => !same(anchored, hash)) === true;
  if (isOther(start))
    throw new Fault('rewritten', start.seq, `The log does not begin after the event ${start.seq} that was anchored.`);
  let count = start.seq;
  for await (const event of chainOf(store, start)) {
    count = event.seq;
    if (isOther(event)) throw new Fault('rewritten', count, `Event ${count} is not the one that was anchored.`);
  }
  const longest = anchors.reduce((most, { seq }) => Math.max(most, seq), 0);
  if (longest > count) throw new Fault('cut', count + 1, `The log ends at event ${count}; ${longest} were anchored.`);
  if (count > 0 && anchors.length === 0) throw new Fault('anchor', null, 'The log has events and no anchor.');
  return count;
}
