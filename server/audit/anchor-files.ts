/** The two files of anchors: a line for each kept anchor, and the newest one by itself. Text is base64url. */
import { unbase64url } from '../../protocol/bytes.ts';
import { compositeSignatureBytes } from '../../protocol/limits.ts';
import { appendFile, readIfPresent, replaceFile } from '../store/files.ts';
import type { ControlPaths } from '../store/paths.ts';
import { AuditError } from './error.ts';

/** Of an LKS1 object with a body of 80 bytes (anchor.ts), in base64url, with the end of the line. */
export const anchorLineBytes = Math.ceil(((41 + 80 + compositeSignatureBytes) * 4) / 3) + 1;

type Files = Pick<ControlPaths, 'anchors' | 'head'>;

export function keepAnchor(files: Files, anchor: Uint8Array): void {
  appendFile(files.anchors, line(anchor));
}

export function replaceHead(files: Files, anchor: Uint8Array): void {
  replaceFile(files.head, line(anchor));
}

/** Node's own encoder: an anchor is 5 KB, and there is one after each message with events. */
const line = (anchor: Uint8Array): string => `${Buffer.from(anchor).toString('base64url')}\n`;

/**
 * The kept anchors in order. A last line without its end is a write that never finished and was never relied on.
 * @throws AuditError `files_malformed`
 */
export function readAnchors(files: Files): Uint8Array[] {
  const text = readIfPresent(files.anchors)?.toString('latin1') ?? '';
  return text.split('\n').slice(0, -1).map(decoded);
}

/** Removes a last line that a sudden stop left without its end, so that the next anchor gets a line of its own. */
export function dropUnfinishedLine(files: Files): void {
  const text = readIfPresent(files.anchors)?.toString('latin1') ?? '';
  if (text !== '' && !text.endsWith('\n')) replaceFile(files.anchors, text.slice(0, text.lastIndexOf('\n') + 1));
}

/** The newest anchor, undefined when none was made yet. @throws AuditError `files_malformed` */
export function readHead(files: Files): Uint8Array | undefined {
  const text = readIfPresent(files.head)?.toString('latin1');
  return text === undefined ? undefined : decoded(text.trimEnd());
}

/** One line without its end. @throws AuditError `files_malformed` */
export function decoded(line: string): Uint8Array {
  try {
    return unbase64url(line);
  } catch (cause) {
    throw new AuditError('files_malformed', 'A line of the audit anchors is not an anchor.', { cause });
  }
}
