/**
 * An audit anchor (LKS1 type 6): the audit key's word on how long the chain is and how it ends.
 *
 *     0   8  seq of the last event covered
 *     8  32  its hash
 *    40   8  time, ms
 *    48  32  SHA-256 of the previous anchor in the file, zeros for the first
 *
 * Whoever edits the database without the audit key cannot make one; whoever drops an anchor breaks the line of them.
 */
import { assertLength, copy } from '../../protocol/bytes.ts';
import { objectType } from '../../protocol/lks1.ts';
import { AuditObject } from './audit-object.ts';

export interface Anchor {
  readonly seq: number;
  readonly hash: Uint8Array;
  /** ms since 1970 */
  readonly time: number;
  readonly previous: Uint8Array;
}

export const anchors = new AuditObject<Anchor>({
  type: objectType.anchor,
  write(writer, { seq, hash, time, previous }) {
    assertLength('hash', hash, 32);
    assertLength('previous', previous, 32);
    return writer.u64(seq).bytes(hash).u64(time).bytes(previous);
  },
  read: (reader) => ({
    seq: reader.time(),
    hash: copy(reader.bytes(32)),
    time: reader.time(),
    previous: copy(reader.bytes(32)),
  }),
});
