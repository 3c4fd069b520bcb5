/**
 * Drops the events of the log that are older than they have to be kept. It is cut at a kept anchor, whose signed time says that
 * all before it is older, and what remains begins with a signed start (start.ts), in the same transaction.
 */
import type { Signer } from '../../protocol/crypto.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { ControlPaths } from '../store/paths.ts';
import type { Store, StoreTransaction } from '../store/tables.ts';
import { type Anchor, openAnchor, peekAnchor } from './anchor.ts';
import { readAnchors } from './anchor-files.ts';
import { AuditError } from './error.ts';
import { signStart } from './start.ts';
import { readTrust } from './trust.ts';

/** Events of one transaction: others wait for it. What is left is dropped the next time. */
const mostAtOnce = 10_000;

/**
 * @param before ms since 1970: what was anchored earlier may go. The last event always stays, for the newest anchor names it.
 * @returns the anchor to cut at; undefined while there is nothing to drop
 * @throws AuditError `chain_broken` where the anchor is not ours or not of this log
 */
export async function dueCut(
  store: Store,
  paths: Pick<ControlPaths, 'anchors' | 'head' | 'trust'>,
  before: number,
): Promise<Anchor | undefined> {
  const { first, last } = await store
    .selectFrom('audit')
    .select(({ fn }) => [fn.min('seq').as('first'), fn.max('seq').as('last')])
    .executeTakeFirstOrThrow();
  const due = readAnchors(paths)
    .map((bytes) => ({ bytes, ...peekAnchor(bytes) }))
    .filter(({ seq, time }) => time < before && seq >= first && seq < last);
  const chosen = due.findLast(({ seq }) => seq < first + mostAtOnce) ?? due[0];
  if (chosen === undefined) return undefined;
  const row = await store.selectFrom('audit').select('hash').where('seq', '=', chosen.seq).executeTakeFirst();
  const key = await (await readTrust(paths)).roleKey('audit', chosen.keyId, chosen.time);
  if (row === undefined || key === undefined || !Buffer.from(row.hash).equals(chosen.hash))
    throw new AuditError('chain_broken', 'An anchor does not fit the audit log; run "latchkey audit verify".');
  return openAnchor(nodeCrypto, chosen.bytes, key);
}

/** Drops everything up to that anchor, and says so in a signed start. */
export async function cutAt(
  transaction: StoreTransaction,
  { seq, hash }: Pick<Anchor, 'seq' | 'hash'>,
  signer: Signer,
  now: number,
): Promise<void> {
  const object = await signStart(nodeCrypto, signer, { seq, hash, time: now });
  await transaction.deleteFrom('audit').where('seq', '<=', seq).execute();
  await transaction.deleteFrom('audit_start').execute();
  await transaction.insertInto('audit_start').values({ seq, object }).execute();
}
