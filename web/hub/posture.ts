/** This browser's posture statement, signed by the device key, or by a guest's link. */

import { encodePosture, readPosture } from '../../posture-js/statement.ts';
import { thisBrowser } from '../../posture-js/this-browser.ts';
import { postureMessage } from '../../protocol/challenges.ts';
import { encode } from './api.ts';
import { type Device, signAsDevice } from './device.ts';
import { hash } from './hash.ts';

export interface SignedPosture {
  /** SHA-256 of the statement, which challenges bind. */
  readonly hash: Uint8Array;
  /** As the API takes it. */
  readonly json: { readonly statement: string; readonly signature: string };
}

export function signedPosture(device: Pick<Device, 'signing'>): Promise<SignedPosture> {
  return postureSignedBy((message) => signAsDevice(device, message));
}

/** @param sign what the holder of a lease proves themselves by */
export async function postureSignedBy(
  sign: (message: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>,
): Promise<SignedPosture> {
  const statement = encodePosture(await readPosture(thisBrowser(window), Date.now()));
  const signature = await sign(Uint8Array.from(postureMessage(statement)));
  return { hash: hash.sha256(statement), json: { statement: encode(statement), signature: encode(signature) } };
}
