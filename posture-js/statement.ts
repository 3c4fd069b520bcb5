/**
 * The posture statement: what this browser says of its device at one moment, as the bytes that the device key signs
 * and whose digest travels in the credential and in AUTH (docs/protocol.md).
 */
import { utf8 } from '../protocol/bytes.ts';
import type { BrowserView, Signal } from './signal.ts';
import { beyondReach } from './signals/beyond-reach.ts';
import { browserSignals } from './signals/browser.ts';
import { engineSignals } from './signals/engine.ts';
import { environmentSignals } from './signals/environment.ts';
import { osSignals } from './signals/os.ts';

/** The statement before it is bytes. */
export interface PostureStatement {
  readonly v: 1;
  /** ms since 1970, by the client's clock; the control plane bounds it. */
  readonly time: number;
  readonly signals: readonly Signal[];
}

/** Reads every signal. Never throws: a signal that cannot be read says so. */
export async function readPosture(view: BrowserView, now: number): Promise<PostureStatement> {
  const signals = [
    ...browserSignals(view),
    ...engineSignals(view),
    ...(await osSignals(view)),
    ...environmentSignals(view),
    ...beyondReach(),
  ];
  return { v: 1, time: now, signals };
}

/** The bytes to sign and to send. */
export function encodePosture(statement: PostureStatement): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(statement));
}
