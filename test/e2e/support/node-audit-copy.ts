/** A copy of a stopped installation's audit, and what somebody with the files might do to it. */
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

interface Row {
  readonly seq: number;
  readonly id: string;
  readonly prev: Uint8Array;
  readonly hash: Uint8Array;
  readonly event: string;
}

type Column = Exclude<keyof Row, 'seq'>;

export class AuditCopy {
  readonly data = mkdtempSync(join(tmpdir(), 'latchkey-audit-'));
  readonly #database: DatabaseSync;

  constructor(data: string) {
    cpSync(join(data, 'control'), join(this.data, 'control'), { recursive: true });
    this.#database = new DatabaseSync(this.file('control.db'));
  }

  file(name: string): string {
    return join(this.data, 'control', name);
  }

  /** In the order of the chain. */
  get rows(): Row[] {
    return this.#database.prepare('SELECT * FROM audit ORDER BY seq').all() as unknown as Row[];
  }

  rewrite(seq: number, column: Column, value: string | Uint8Array): void {
    this.#database.prepare(`UPDATE audit SET ${column} = ? WHERE seq = ?`).run(value, seq);
  }

  delete(from: number, to = from): void {
    this.#database.prepare('DELETE FROM audit WHERE seq BETWEEN ? AND ?').run(from, to);
  }

  /** Gives the events from one on new numbers. */
  shift(from: number, by: number): void {
    for (const { seq } of this.rows.filter((row) => row.seq >= from))
      this.#database.prepare('UPDATE audit SET seq = ? WHERE seq = ?').run(seq + by, seq);
  }

  /** Everything but the number of two events changes places. */
  swap(one: number, other: number): void {
    const [a, b] = [this.rows[one - 1]!, this.rows[other - 1]!];
    this.rewrite(one, 'id', 'aside');
    for (const [seq, row] of [
      [other, a],
      [one, b],
    ] as const)
      for (const column of ['id', 'prev', 'hash', 'event'] as const) this.rewrite(seq, column, row[column]);
  }

  /** Makes the hashes from one event on fit again: `SHA-256(previous | u64 seq | event)`. */
  rehash(from: number): void {
    let previous = this.rows[from - 2]?.hash ?? new Uint8Array(32);
    for (const { seq, event } of this.rows.slice(from - 1)) {
      const number = Buffer.alloc(8);
      number.writeBigUInt64BE(BigInt(seq));
      const hash = createHash('sha256').update(previous).update(number).update(event).digest();
      this.rewrite(seq, 'prev', previous);
      this.rewrite(seq, 'hash', hash);
      previous = hash;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
    rmSync(this.data, { recursive: true, force: true });
  }
}

const edited = (event: string): string => event.replace(/"decision":"deny"/, '"decision":"allow"');

function firstDenial(copy: AuditCopy): Row {
  const row = copy.rows.find(({ event }) => edited(event) !== event);
  if (row === undefined) throw new Error('nothing was ever denied here');
  return row;
}

interface Tampering {
  readonly name: string;
  /** As the verifier calls it. */
  readonly fault: string;
  readonly change: (copy: AuditCopy) => void;
}

export const tamperings: readonly Tampering[] = [
  {
    name: 'a denial that was made an approval',
    fault: 'edited',
    change: (copy) => {
      const { seq, event } = firstDenial(copy);
      copy.rewrite(seq, 'event', edited(event));
    },
  },
  {
    name: 'the same with every hash after it made anew',
    fault: 'rewritten',
    change: (copy) => {
      const { seq, event } = firstDenial(copy);
      copy.rewrite(seq, 'event', edited(event));
      copy.rehash(seq);
    },
  },
  { name: 'an event that was dropped', fault: 'dropped', change: (copy) => copy.delete(firstDenial(copy).seq) },
  {
    name: 'an event that was dropped with the others moved up',
    fault: 'dropped',
    change: (copy) => {
      const { seq } = firstDenial(copy);
      copy.delete(seq);
      copy.shift(seq + 1, -1);
    },
  },
  { name: 'the first event that was dropped', fault: 'dropped', change: (copy) => copy.delete(1) },
  {
    name: 'two events that changed places',
    fault: 'reordered',
    change: (copy) => {
      const { seq } = firstDenial(copy);
      copy.swap(seq, seq + 2);
    },
  },
  {
    name: 'an end that was cut off',
    fault: 'cut',
    change: (copy) => copy.delete(copy.rows.length - 4, copy.rows.length),
  },
  {
    name: 'a newest anchor that was taken away',
    fault: 'anchor',
    change: (copy) => rmSync(copy.file('audit.head')),
  },
  {
    name: 'a log without its anchors',
    fault: 'anchor',
    change: (copy) => {
      rmSync(copy.file('audit.head'));
      rmSync(copy.file('audit.anchors'));
    },
  },
  {
    name: 'an anchor with another time in it',
    fault: 'anchor',
    change: (copy) => {
      const anchor = Buffer.from(readFileSync(copy.file('audit.head'), 'latin1').trim(), 'base64url');
      anchor[60] = (anchor[60] ?? 0) ^ 1;
      writeFileSync(copy.file('audit.head'), `${anchor.toString('base64url')}\n`);
    },
  },
];

/** One change for each column and each field that any event has. */
export function* fieldChanges(
  copy: AuditCopy,
): Generator<{ seq: number; field: string; column: Column; value: string | Uint8Array }> {
  const done = new Set<string>();
  for (const { seq, id, prev, hash, event } of copy.rows) {
    const fields = JSON.parse(event) as Record<string, unknown>;
    for (const name of Object.keys(fields).filter((one) => !done.has(one))) {
      done.add(name);
      yield {
        seq,
        field: `event.${name}`,
        column: 'event',
        value: JSON.stringify({ ...fields, [name]: changed(fields[name]) }),
      };
      const { [name]: _, ...without } = fields;
      yield { seq, field: `event.${name}`, column: 'event', value: JSON.stringify(without) };
    }
    if (seq !== 2) continue;
    yield { seq, field: 'id', column: 'id', value: `${id.slice(0, -1)}x` };
    yield { seq, field: 'prev', column: 'prev', value: flipped(prev) };
    yield { seq, field: 'hash', column: 'hash', value: flipped(hash) };
    yield { seq, field: 'event', column: 'event', value: `${event} ` };
  }
}

function changed(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return `${value}x`;
  if (Array.isArray(value)) return [...value, 'another'];
  return { ...(value as object), added: true };
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[0] = (copy[0] ?? 0) ^ 1;
  return copy;
}
