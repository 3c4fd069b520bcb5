/**
 * When the rest of a response's body may be asked for, after its session was lost halfway: only of a representation
 * that its service names by a strong validator and hands out in parts, and only when what comes is the rest of that
 * very one (RFC 9110 sections 8.8.1, 13.1.5, 14.2 to 14.4 and 15.3.7). The gateway takes Accept-Ranges and
 * Content-Length from bodies it changes, so what is counted here are the service's own bytes.
 */
import type { Header } from '../../protocol/exchange/http.ts';
import type { RequestMessage } from '../app-messages.ts';
import { declaredLength } from '../content-length.ts';

/** Bytes `first` to `last` of a representation, which is what the interrupted response was to bring. */
export interface Part {
  readonly etag: string;
  readonly first: number;
  readonly last: number;
  /** Length of the whole, or '*' where its service did not say. */
  readonly total: string;
  readonly coding: string;
}

interface Head {
  readonly status: number;
  readonly headers: readonly Header[];
}

/** RFC 9110 section 8.8.3, without the weak ones. */
const strongTag = /^"[\x21\x23-\x7e\x80-\xff]*"$/;
const contentRange = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i;
/** What the page asked under its own conditions; the rest is asked under ours. */
const conditions = new Set([
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
]);

/** @returns undefined for a response whose rest cannot be asked for. */
export function resumablePart(request: RequestMessage, head: Head): Part | undefined {
  if (request.method !== 'GET' || request.hasBody) return undefined;
  const etag = only(head, 'etag');
  const length = declaredLength(head.headers);
  if (etag === undefined || !strongTag.test(etag) || length === undefined) return undefined;
  const coding = codingOf(head);
  if (head.status === 200) {
    const takesRanges = /^\s*bytes\s*$/i.test(only(head, 'accept-ranges') ?? '');
    return takesRanges ? { etag, coding, first: 0, last: length - 1, total: String(length) } : undefined;
  }
  const range = head.status === 206 ? rangeOf(head) : undefined;
  if (range === undefined || range.last - range.first + 1 !== length) return undefined;
  return { etag, coding, ...range };
}

/** The request's headers, asking for what is left. @param delivered bytes of the part that have arrived */
export function headersForRest(headers: readonly Header[], part: Part, delivered: number): Header[] {
  const kept = headers.filter(([name]) => !conditions.has(name.toLowerCase()));
  return [...kept, ['range', `bytes=${part.first + delivered}-${part.last}`], ['if-range', part.etag]];
}

/** Whether a response is the rest of the part and of nothing else. */
export function isRest(head: Head, part: Part, delivered: number): boolean {
  const range = head.status === 206 ? rangeOf(head) : undefined;
  if (range?.first !== part.first + delivered || range.last !== part.last || range.total !== part.total) return false;
  // The coding is part of what a strong validator names, and may be left out of an answer to If-Range.
  const coding = codingOf(head);
  return only(head, 'etag') === part.etag && (coding === '' || coding === part.coding);
}

/** How many bytes the part has. */
export function lengthOf({ first, last }: Part): number {
  return last - first + 1;
}

function rangeOf(head: Head): Pick<Part, 'first' | 'last' | 'total'> | undefined {
  const [, first, last, total] = contentRange.exec(only(head, 'content-range') ?? '') ?? [];
  if (first === undefined || last === undefined || total === undefined) return undefined;
  const isRange = Number(first) <= Number(last) && (total === '*' || Number(last) < Number(total));
  return isRange ? { first: Number(first), last: Number(last), total } : undefined;
}

function codingOf({ headers }: Head): string {
  return headers
    .filter(([name]) => name.toLowerCase() === 'content-encoding')
    .map(([, value]) => value.trim().toLowerCase())
    .join(',');
}

/** The value of a header that is there exactly once. */
function only({ headers }: Head, wanted: string): string | undefined {
  const values = headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value.trim());
  return values.length === 1 ? values[0] : undefined;
}
