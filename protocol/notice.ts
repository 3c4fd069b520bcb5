/**
 * NOTICE: one code from the gateway for the person in front of the client. It changes nothing in the protocol, so a code
 * of a later version is no error.
 */
import { nameOf } from './codes.ts';

export const noticeCode = { stepup_done: 1, stepup_refused: 2 } as const;
export type NoticeCode = keyof typeof noticeCode;

export function encodeNotice(code: NoticeCode): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(noticeCode[code]);
}

/** @returns undefined for anything this version does not know. */
export function decodeNotice(content: Uint8Array): NoticeCode | undefined {
  return content.length === 1 ? nameOf(noticeCode, content[0]!) : undefined;
}
