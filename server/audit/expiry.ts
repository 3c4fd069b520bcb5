/**
 * Drops the events of the log that are older than they have to be kept. It is cut at a kept anchor, whose signed time says that
 * all before it is older, and what remains begins with a signed start (start.ts), in the same transaction. What is dropped is
 * verified once more before, for nobody can later.
 *
 * A clock may be wrong, and what is dropped does not come back. So time counts only as far as the log shows that it passed:
 * from one anchor to the next, and from the newest to now, at most {@link longestSilenceMs}. An anchor is kept for each day on
 * which anything is written, so that a longer silence is a machine that stood still, or a clock that was set ahead by years:
 * neither is a reason to drop more. The price is that after a real silence events stay longer than was said.
 */
import type { ControlPaths } from '../store/paths.ts';
import type { Store, StoreTransaction } from '../store/tables.ts';
import { anchors } from './anchor.ts';
import type { CertifiedSigner } from './audit-object.ts';
import { AuditError } from './error.ts';
import { type KeptAnchor, KeptAnchors } from './kept-anchors.ts';
import { beginningOf, starts } from './start.ts';
import { readTrust } from './trust.ts';
import { chainOf, Fault, same } from './walk.ts';

/** Events of one transaction: others wait for it. */
const mostAtOnce = 2_000;
const longestSilenceMs = 30 * 86_400_000;

type Paths = Pick<ControlPaths, 'anchors' | 'trust'>;

export interface Age {
  /** ms since 1970 */
  readonly now: number;
  /** ms that events have to be kept */
  readonly keep: number;
}

/**
 * The next place to cut at. Nothing is verified. The last event always stays, for the newest anchor names it.
 * @returns undefined while there is nothing to drop. @throws AuditError `files_malformed`
 */
export async function dueCut(store: Store, paths: Paths, age: Age): Promise<KeptAnchor | undefined> {
  const { first, last } = await store
    .selectFrom('audit')
    .select(({ fn }) => [fn.min('seq').as('first'), fn.max('seq').as('last')])
    .executeTakeFirstOrThrow();
  return KeptAnchors.read(paths, (kept) => chosen(kept, { first, last }, age));
}

function chosen(
  kept: KeptAnchors,
  { first, last }: { readonly first: number; readonly last: number },
  age: Age,
): KeptAnchor | undefined {
  const before = oldEnough(kept, age);
  const isDue = ({ seq, time }: KeptAnchor) => time < before && seq < last;
  let from = kept.first(({ seq }) => seq >= first);
  // One from the future was made while the clock was wrong; what was anchored later tells of it too.
  while (from < kept.count && kept.at(from).time > age.now) from++;
  const end = kept.first((anchor) => !isDue(anchor) || anchor.seq - first >= mostAtOnce, from);
  if (end > from) return kept.at(end - 1);
  // The next one may be further away.
  return from < kept.count && isDue(kept.at(from)) ? kept.at(from) : undefined;
}

/** @returns the time before which anchors are older than that, counted back from anchor to anchor */
function oldEnough(kept: KeptAnchors, { now, keep }: Age): number {
  let [time, left, end] = [now, keep, kept.count];
  for (;;) {
    const step = Math.min(left, longestSilenceMs);
    const since = time - step;
    const index = kept.first((anchor) => anchor.time >= since, 0, end);
    if (index < end) {
      const reached = Math.min(time, kept.at(index).time);
      left -= time - reached;
      [time, end] = [reached, index];
    } else if (step === left || end === 0) {
      return time - left;
    } else {
      left -= step;
      end -= 1;
      time = kept.at(end).time;
    }
  }
}

/**
 * Drops everything up to that anchor, and says so in a signed start.
 * @returns whether anything was: not where the log begins after it by now
 * @throws AuditError `chain_broken` where the anchor or the start is not ours, or the events are not those it speaks of
 */
export async function cutAt(
  transaction: StoreTransaction,
  { object }: KeptAnchor,
  { paths, signer, now }: { readonly paths: Paths; readonly signer: CertifiedSigner; readonly now: number },
): Promise<boolean> {
  const trust = await readTrust(paths);
  const anchor = await anchors.open(trust, { object, certificate: null });
  if (anchor === undefined) throw broken('an anchor is not signed by the audit key of this installation');
  const beginning = await beginningOf(transaction, trust);
  const { seq, hash } = anchor;
  if (seq <= beginning.seq) return false;
  let end = beginning;
  try {
    for await (const event of chainOf(transaction, beginning, seq)) end = event;
  } catch (error) {
    throw error instanceof Fault ? broken(error.message) : error;
  }
  if (end.seq !== seq || !same(end.hash, hash)) throw broken(`event ${seq} is not the one that was anchored`);
  await transaction.deleteFrom('audit').where('seq', '<=', seq).execute();
  await transaction.deleteFrom('audit_start').execute();
  const start = await starts.signForStore(signer, { seq, hash, time: now });
  await transaction
    .insertInto('audit_start')
    .values({ seq, ...start })
    .execute();
  return true;
}

function broken(why: string): AuditError {
  return new AuditError('chain_broken', `Nothing is dropped from the audit log: ${why}; run "latchkey audit verify".`);
}
