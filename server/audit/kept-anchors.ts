/**
 * The file of kept anchors, searched without being read whole: after years it has gigabytes. Each of its lines has the
 * same length, and positions and, but for clocks that were set, times rise from line to line. Nothing is verified here.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ControlPaths } from '../store/paths.ts';
import { type Anchor, anchors } from './anchor.ts';
import { anchorLineBytes, decoded } from './anchor-files.ts';
import { AuditError } from './error.ts';

export interface KeptAnchor extends Anchor {
  readonly object: Uint8Array;
}

export class KeptAnchors {
  readonly #file: number;
  readonly count: number;

  private constructor(file: number) {
    this.#file = file;
    this.count = Math.floor(fstatSync(file).size / anchorLineBytes);
  }

  /** Opens the file as long as `look` runs. @returns undefined where none was kept yet */
  static read<T>({ anchors: path }: Pick<ControlPaths, 'anchors'>, look: (kept: KeptAnchors) => T): T | undefined {
    if (!existsSync(path)) return undefined;
    const file = openSync(path, 'r');
    try {
      return look(new KeptAnchors(file));
    } finally {
      closeSync(file);
    }
  }

  /** @param index from 0 to `count` - 1. @throws AuditError `files_malformed` */
  at(index: number): KeptAnchor {
    const line = Buffer.alloc(anchorLineBytes);
    readSync(this.#file, line, 0, line.length, index * line.length);
    const object = decoded(line.toString('latin1', 0, line.length - 1));
    try {
      return { ...anchors.peek(object), object };
    } catch (cause) {
      throw new AuditError('files_malformed', 'A line of the audit anchors is not an anchor.', { cause });
    }
  }

  /** @returns the first index from `from` whose anchor is so, as all after it are; `to` when none below it is */
  first(isSo: (anchor: KeptAnchor) => boolean, from = 0, to = this.count): number {
    let [low, high] = [from, to];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isSo(this.at(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
